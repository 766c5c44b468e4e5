import { seededRandom } from '../../src/lib/random.js';
import { askAll } from './client.js';
import { churn, resident } from './clients.js';
import { FarUpstream } from './far-upstream.js';
import { Grammar, isHello, overTcp, overUdp } from './fuzz.js';
import type { Figure } from './row.js';
import { WeatherServer } from './server.js';

const UPSTREAM = 5309;
const SEED = 20_263;
const RATE = 1000;
/** Queries of one round, in which everything happens once. */
const ROUND = 10 * RATE;

const COREFILE = `.:1053 {
 bind 127.0.0.1
 errors
 cache 30
 hosts {
 192.0.2.1 hello.nodens.test
 fallthrough
 }
 forward . 127.0.0.1:${UPSTREAM}
}
`;

const mean = (list: readonly number[]): number => list.reduce((sum, one) => sum + one, 0) / list.length;

/** All at once for so many minutes: hostile packets, connections that come and go, reloads, names old and new. */
export async function soak(minutes: number): Promise<readonly Figure[]> {
  const upstream = await FarUpstream.start(UPSTREAM, 5);
  const server = await WeatherServer.start(COREFILE);
  const grammar = new Grammar(seededRandom(SEED));
  const memory: number[] = [];
  let [asked, lost, wrong] = [0, 0, 0];
  try {
    for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
      const hostile = Promise.all([overUdp(grammar, 20_000), overTcp(grammar, 2000), churn(500)]);
      server.program.child.kill('SIGUSR1');
      const [known, fresh] = await Promise.all([
        askAll({
          port: 1053,
          names: new Array<string>(ROUND / 2).fill('hello.nodens.test.'),
          rate: RATE / 2,
          isRight: isHello,
        }),
        askAll({
          port: 1053,
          names: Array.from({ length: ROUND / 2 }, (_, i) => `n${memory.length}-${i}.test.`),
          rate: RATE / 2,
        }),
      ]);
      await hostile;
      for (const told of [known, fresh]) {
        asked += told.asked;
        lost += told.lost;
        wrong += told.wrong;
      }
      memory.push(resident(server));
    }
    const { text, child } = server.program;
    const quarter = Math.max(1, Math.floor(memory.length / 4));
    const growth = mean(memory.slice(-quarter)) / mean(memory.slice(quarter, 2 * quarter)) - 1;
    return [
      { what: `${minutes} minutes of all of it: lost of ${asked}`, got: lost, unit: '', atMost: 0 },
      { what: 'wrong', got: wrong, unit: '', atMost: 0 },
      { what: 'memory of the last quarter, above the second', got: growth * 100, unit: '%', atMost: 3 },
      { what: 'crashes', got: child.exitCode === null && child.signalCode === null ? 0 : 1, unit: '', atMost: 0 },
      {
        what: 'panics and stacks in the log',
        got: [...text.matchAll(/panic|uncaught|unhandled|^\s+at /gm)].length,
        unit: '',
        atMost: 0,
      },
    ];
  } finally {
    await server.stop();
    await upstream.stop();
  }
}
