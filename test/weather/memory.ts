import { readFileSync } from 'node:fs';
import { askAll } from './client.js';
import { ControlGroup } from './control-group.js';
import { FarUpstream } from './far-upstream.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

const LIMIT = 128 << 20;
const UPSTREAM = 5302;

const COREFILE = `.:1053 {
 bind 127.0.0.1
 prometheus 127.0.0.1:9153
 cache 3600 {
 success 200000
 denial 200000
 }
 hosts {
 192.0.2.1 hello.nodens.test
 fallthrough
 }
 forward . 127.0.0.1:${UPSTREAM} {
 max_fails 0
 }
}
`;

/** Names that nobody asked for before, and an upstream that takes its time, in a container of 128 MiB. */
export const memory: Weather = {
  name: 'memory',
  needs: [],
  async play(scale: Scale): Promise<Figure[]> {
    const group = ControlGroup.ofMemory(LIMIT);
    if (group === undefined) return [];
    const seconds = scale === 'full' ? 20 : 5;
    const upstream = await FarUpstream.start(UPSTREAM, 0);
    const server = await WeatherServer.start(COREFILE, [], group.into);
    try {
      const figures: Figure[] = [];
      for (const { what, away } of [
        { what: 'new names, quick upstream', away: 5 },
        { what: 'new names, upstream that takes 4 s', away: 4000 },
      ]) {
        upstream.away = away;
        const names = Array.from({ length: seconds * 3000 }, (_, i) => `${'x'.repeat(40)}${i}.${away}.test.`);
        const flood = askAll({ port: 1053, names, rate: 3000, patience: 1000 });
        const light = await askAll({
          port: 1053,
          names: new Array<string>(seconds * 20).fill('hello.nodens.test.'),
          rate: 20,
          patience: 2000,
        });
        await flood;
        figures.push({
          what: `${what}: lost or wrong of ${light.asked} that are at hand`,
          got: light.lost + light.wrong,
          unit: '',
        });
      }
      const { exitCode, signalCode } = server.program.child;
      const ended = {
        what: 'ended by the kernel',
        got: exitCode === null && signalCode === null ? 0 : 1,
        unit: '',
        atMost: 0,
      };
      if (ended.got > 0) return [...figures, ended];
      const status = readFileSync(`/proc/${server.program.child.pid}/status`, 'latin1');
      const resident = Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]) * 1024;
      const scrape = await (await fetch('http://127.0.0.1:9153/metrics')).text();
      const refused = Number(/^coredns_dns_memory_refused_total (\d+)/m.exec(scrape)?.[1] ?? NaN);
      return [
        ...figures,
        { what: 'most memory of the process, pages of files included', got: resident / 2 ** 20, unit: 'MiB' },
        { what: 'most memory of the group', got: group.peak / 2 ** 20, unit: 'MiB', atMost: LIMIT / 2 ** 20 },
        { what: 'refused for want of memory', got: refused, unit: '' },
        ended,
      ];
    } finally {
      await server.stop();
      await upstream.stop();
      group.remove();
    }
  },
};
