import { readFileSync } from 'node:fs';
import { askAll } from './client.js';
import { FarUpstream } from './far-upstream.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

const UPSTREAM = 5308;
const MB = 1e6;

const COREFILE = `.:1053 {
 bind 127.0.0.1
 cache 3600 {
 success 200000
 denial 200000
 }
 forward . 127.0.0.1:${UPSTREAM} {
 max_fails 0
 }
}
`;

const namesOf = (count: number, zone: string): string[] => Array.from({ length: count }, (_, i) => `name${i}.${zone}.`);

/** Most memory that the process took so far, in millions of bytes. */
const mostMemory = (server: WeatherServer): number =>
  (Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${server.program.child.pid}/status`, 'latin1'))![1]) * 1024) / MB;

async function within<T>(away: number, play: (server: WeatherServer) => Promise<T>): Promise<T> {
  const upstream = await FarUpstream.start(UPSTREAM, away);
  const server = await WeatherServer.start(COREFILE);
  try {
    return await play(server);
  } finally {
    await server.stop();
    await upstream.stop();
  }
}

/** Names that nobody asked for before, one after the other: through the cache, and with an upstream that is slow. */
export const names: Weather = {
  name: 'names',
  needs: [],
  async play(scale: Scale): Promise<Figure[]> {
    const full = scale === 'full';
    const count = full ? 300_000 : 3000;
    const through = await within(1, () => askAll({ port: 1053, names: namesOf(count, 'new.test'), rate: 3000 }));
    const memory = await within(4000, async (server) => {
      await askAll({ port: 1053, names: namesOf(full ? 60_000 : 6000, 'slow.test'), rate: 3000, patience: 1000 });
      return mostMemory(server);
    });
    return [
      {
        what: `${count} names through the cache: lost or wrong`,
        got: through.lost + through.wrong,
        unit: '',
        atMost: 0,
        timed: true,
      },
      {
        what: '3,000 new names a second, upstream that takes 4 s: most memory',
        got: memory,
        unit: 'MB',
        atMost: 130,
        timed: true,
      },
    ];
  },
};
