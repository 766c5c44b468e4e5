import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { askAll, quantile } from './client.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

const COREFILE = `.:1053 {
 bind 127.0.0.1
 hosts DIR/hosts {
 reload 1s
 fallthrough
 }
 template IN A {
 answer "{{ .Name }} 60 IN A 192.0.2.1"
 }
}
`;

const hostsOf = (lines: number): string =>
  Array.from({ length: lines }, (_, i) => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255} host${i}.big.test`).join(
    '\n',
  );

/** A hosts file that grows to a million lines, while somebody asks for names that no table holds. */
export const files: Weather = {
  name: 'files',
  needs: [],
  async play(scale: Scale): Promise<Figure[]> {
    const lines = scale === 'full' ? 1_000_000 : 20_000;
    const seconds = scale === 'full' ? 20 : 2;
    const server = await WeatherServer.start(COREFILE);
    const file = path.join(server.dir, 'hosts');
    try {
      writeFileSync(`${file}.new`, hostsOf(lines));
      renameSync(`${file}.new`, file);
      const names = Array.from({ length: seconds * 200 }, (_, i) => `n${i}.test.`);
      const { lost, wrong, asked, latencies } = await askAll({ port: 1053, names, rate: 200 });
      const known = await askAll({ port: 1053, names: [`host${lines - 1}.big.test.`], rate: 1 });
      const what = `hosts file of ${lines} lines`;
      return [
        { what: `${what}: lost or wrong of ${asked} meanwhile`, got: lost + wrong, unit: '', atMost: 0 },
        { what: `${what}: longest wait`, got: quantile(latencies, 1), unit: 'ms', atMost: 20, timed: true },
        { what: `${what}: its last name is known`, got: known.right, unit: '', atLeast: 1 },
      ];
    } finally {
      await server.stop();
    }
  },
};
