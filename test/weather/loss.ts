import { execFileSync } from 'node:child_process';
import { askAll, quantile } from './client.js';
import { FarUpstream } from './far-upstream.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

const UPSTREAM = 5301;
/** There and back, in milliseconds. */
const AWAY = 20;

/** Most that may fail of 800, and the p99 in milliseconds. */
const LIMITS = [
  { loss: 2, failed: 0, p99: 200 },
  { loss: 10, failed: 0, p99: 500 },
  { loss: 30, failed: 14, p99: 4400 },
];

/** A lost segment is sent again by the kernel, after 0.2 s at first; milliseconds. */
const TCP_P99 = 1000;

const nft = (...words: string[]): void => void execFileSync('nft', words);

/** Of each way's packets, so many of a hundred are lost. */
function lose(percent: number): void {
  nft('add', 'table', 'inet', 'weather');
  nft('flush', 'table', 'inet', 'weather');
  nft('add', 'chain', 'inet', 'weather', 'out', '{ type filter hook output priority 0 ; }');
  for (const protocol of ['udp', 'tcp'])
    for (const end of ['sport', 'dport'])
      nft(
        ...['add', 'rule', 'inet', 'weather', 'out', protocol, end, `${UPSTREAM}`],
        ...['numgen', 'random', 'mod', '100', '<', `${percent}`, 'drop'],
      );
}

async function measure(transport: 'udp' | 'tcp', percent: number, count: number) {
  const server = await WeatherServer.start(
    `.:1053 {\n bind 127.0.0.1\n forward . 127.0.0.1:${UPSTREAM} {\n ${transport === 'tcp' ? 'force_tcp' : ''}\n }\n}\n`,
  );
  try {
    lose(percent);
    const names = Array.from({ length: count }, (_, i) => `n${i}.${transport}${percent}.test.`);
    return await askAll({ port: 1053, names, rate: 200 });
  } finally {
    lose(0);
    await server.stop();
  }
}

/** Packets are lost on the way to the upstream and back, which is 20 ms away. */
export const loss: Weather = {
  name: 'loss',
  needs: ['nft'],
  async play(scale: Scale): Promise<Figure[]> {
    const upstream = await FarUpstream.start(UPSTREAM, AWAY);
    const figures: Figure[] = [];
    const count = scale === 'full' ? 800 : 200;
    try {
      for (const limit of scale === 'full' ? LIMITS : LIMITS.slice(1, 2))
        for (const transport of ['udp', 'tcp'] as const) {
          const { wrong, lost, latencies } = await measure(transport, limit.loss, count);
          const what = `${transport}, ${limit.loss} % each way`;
          figures.push(
            { what: `${what}: failed of ${count}`, got: wrong + lost, unit: '', atMost: limit.failed },
            {
              what: `${what}: p99`,
              got: quantile(latencies, 0.99),
              unit: 'ms',
              timed: true,
              atMost: transport === 'udp' ? limit.p99 : Math.max(limit.p99, TCP_P99),
            },
          );
        }
    } finally {
      await upstream.stop();
    }
    return figures;
  },
};
