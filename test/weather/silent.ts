import { askAll, quantile } from './client.js';
import { FarUpstream } from './far-upstream.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

const GOOD = 5304;
const SILENT = 5305;
const DEAD = 5306;
const HUNG = 5307;
const NEVER = 3_600_000;

/** Upstreams that say nothing: one of two, and the only one. */
export const silent: Weather = {
  name: 'silent',
  needs: [],
  async play(scale: Scale): Promise<Figure[]> {
    const count = scale === 'full' ? 4000 : 800;
    const good = await FarUpstream.start(GOOD, 1);
    const mute = await FarUpstream.start(SILENT, 1);
    const dead = await FarUpstream.start(DEAD, 1);
    const hung = await FarUpstream.start(HUNG, 1);
    const server = await WeatherServer.start(
      `.:1053 {\n bind 127.0.0.1\n forward . 127.0.0.1:${GOOD} 127.0.0.1:${SILENT}\n}\n` +
        `dead.test:1053 {\n bind 127.0.0.1\n forward . 127.0.0.1:${DEAD}\n}\n` +
        `hung.test:1053 {\n bind 127.0.0.1\n forward . 127.0.0.1:${HUNG}\n}\n`,
    );
    const ask = (zone: string, of: number, rate: number) =>
      askAll({ port: 1053, names: Array.from({ length: of }, (_, i) => `n${i}.${zone}.`), rate, isRight: () => true });
    try {
      await ask('warm.test', 200, 200);
      await ask('warm.dead.test', 100, 200);
      mute.away = dead.away = NEVER;
      const one = await ask('two.test', count, 200);
      const sole = await ask('dead.test', 100, 50);
      await ask('warm.hung.test', 30, 200);
      hung.away = NEVER;
      const lone = await ask('hung.test', 1, 1);
      return [
        { what: `one of two silent: lost of ${one.asked}`, got: one.lost, unit: '', atMost: 0 },
        { what: 'one of two silent: p99', got: quantile(one.latencies, 0.99), unit: 'ms', timed: true, atMost: 50 },
        { what: `the only one dead: without an answer of ${sole.asked}`, got: sole.lost, unit: '', atMost: 0 },
        {
          what: 'the only one dead, which had answered before: longest wait',
          got: quantile(sole.latencies, 1),
          unit: 'ms',
          timed: true,
          atMost: 1000,
        },
        {
          what: 'the only one hangs right after an answer, and one question is asked: its wait',
          got: quantile(lone.latencies, 1),
          unit: 'ms',
          timed: true,
          atMost: 1000,
        },
      ];
    } finally {
      await server.stop();
      await Promise.all([good.stop(), mute.stop(), dead.stop(), hung.stop()]);
    }
  },
};
