import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { load, type LoadResult } from '../bench/load.js';
import { askAll, quantile } from './client.js';
import { ControlGroup } from './control-group.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

/** Of one CPU: so little that those who ask have the rest. */
const CPU = 0.3;
const TIMES = 10;
const HEAVY = '127.0.0.2';
const OTHERS = 20;
/** Queries a second of each of the others. */
const RATE = 5;
/** Lines that make an answer dear: no thread may give it again, as its TTL is 0. */
const LINES = 30;

const COREFILE = `.:1053 {
 bind 127.0.0.1
 prometheus 127.0.0.1:9153
 template IN A {
 answer "{{ .Name }} 0 IN A 192.0.2.1"
${Array.from({ length: LINES }, (_, i) => ` additional "x${i}.{{ .Name }} 0 IN A 192.0.2.${i}"`).join('\n')}
 }
}
`;

async function counted(name: string): Promise<number> {
  const scrape = await (await fetch('http://127.0.0.1:9153/metrics')).text();
  return Number(new RegExp(`^coredns_dns_overload_${name}_total\\{.*\\} (\\d+)`, 'm').exec(scrape)?.[1] ?? 0);
}

/** A pod that crashes and starts in a loop asks ten times what the server can take, and twenty others ask little. */
export const loop: Weather = {
  name: 'loop',
  needs: ['dnsperf'],
  alone: true,
  async play(scale: Scale): Promise<Figure[]> {
    const group = ControlGroup.ofCpu(CPU);
    if (group === undefined) return [];
    const seconds = scale === 'full' ? 20 : 4;
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-loop-'));
    const queries = path.join(dir, 'queries');
    writeFileSync(queries, Array.from({ length: 10_000 }, (_, i) => `crash${i}.test A\n`).join(''));
    const server = await WeatherServer.start(COREFILE, [], group.into);
    const cores = `0-${os.availableParallelism() - 1}`;
    const flood = (more: { seconds: number; rate?: number; unanswered?: number }): Promise<LoadResult> =>
      load({ port: 1053, queries, clients: 4, from: HEAVY, cores, ...more });
    try {
      const { perSecond } = await flood({ seconds: 3 });
      const flooding = flood({ seconds: seconds + 2, rate: Math.round(TIMES * perSecond), unanswered: 60_000 });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const told = await Promise.all(
        Array.from({ length: OTHERS }, (_, client) =>
          askAll({
            port: 1053,
            from: `127.0.0.${10 + client}`,
            names: Array.from({ length: seconds * RATE }, (_, i) => `n${i}.light${client}.test.`),
            rate: RATE,
            patience: 2000,
          }),
        ),
      );
      const heavy = await flooding;
      const sum = (of: (one: (typeof told)[number]) => number): number => told.reduce((all, one) => all + of(one), 0);
      const latencies = told.flatMap((one) => one.latencies).sort((a, b) => a - b);
      return [
        { what: 'the server takes', got: perSecond, unit: 'a second' },
        { what: 'one client asks', got: (heavy.completed + heavy.lost) / (seconds + 2), unit: 'a second' },
        {
          what: `lost or wrong of ${sum((one) => one.asked)} of ${OTHERS} others`,
          got: sum((one) => one.lost + one.wrong),
          unit: '',
          atMost: 0,
        },
        { what: 'their p99', got: quantile(latencies, 0.99), unit: 'ms', atMost: 500, timed: true },
        { what: 'answers to the one', got: heavy.completed / (seconds + 2), unit: 'a second' },
        { what: 'its queries that waited', got: await counted('delayed'), unit: '', atLeast: 1 },
        { what: 'its queries that were dropped', got: await counted('dropped'), unit: '', atLeast: 1 },
      ];
    } finally {
      await server.stop();
      group.remove();
      rmSync(dir, { recursive: true, force: true });
    }
  },
};
