import path from 'node:path';
import { rightAnswers } from './cluster.js';
import { sample, untilRight } from './ask.js';
import { load } from './load.js';
import { dir, write, type Work } from './peer.js';
import { PEERS } from './peers.js';
import { SERVER_CORE, cpuTime, startPinned, stop } from './process.js';
import { OWN, type TopCost } from './report.js';

/** What is compared: both servers run, and are asked in turns, so that what else the machine does hits both. */
const TURNS = 7;
const NAMES: Readonly<Record<string, number>> = {
  'top: cache hit, 1,000 names': 1000,
  'top: 100,000 names, beyond what the cache holds': 100_000,
};

/** What a hit costs with and without an admin endpoint, which is what counting for `nodens top` comes with. */
export async function measureTop(
  only: RegExp,
  seconds: number,
  upstream: () => Promise<number>,
  nextPort: () => number,
): Promise<TopCost[]> {
  const costs: TopCost[] = [];
  for (const [scenario, names] of Object.entries(NAMES))
    if (only.test(scenario)) costs.push(await compared(scenario, names, seconds, await upstream(), nextPort));
  return costs;
}

async function compared(
  scenario: string,
  names: number,
  seconds: number,
  upstream: number,
  nextPort: () => number,
): Promise<TopCost> {
  const lines = Array.from({ length: names }, (_, i) => `n${i + 1}.bench.example.org A`);
  const queries = write(`queries-top-${names}`, lines.map((line) => `${line}\n`).join(''));
  const servers: { port: number; child: ReturnType<typeof startPinned>; costs: number[] }[] = [];
  try {
    for (const flags of [[], ['-admin', `unix:${path.join(dir, `top-${names}.sock`)}`]]) {
      const work: Work = { kind: 'cache', port: nextPort(), upstream };
      const { command, args } = PEERS.find(({ name }) => name === OWN)!.command(work)!;
      servers.push({ port: work.port, child: startPinned(SERVER_CORE, command, [...args, ...flags]), costs: [] });
    }
    for (const { port, child } of servers) {
      await untilRight(port, lines[0]!, rightAnswers(undefined)(lines[0]!)).catch((error: Error) => {
        throw new Error(`${error.message}\n${child.output()}`, { cause: error });
      });
      await load({ port, queries, clients: 10, seconds: Math.max(2, names / 20_000) });
    }
    for (let turn = 0; turn < TURNS; turn++)
      for (const { port, child, costs } of turn % 2 === 0 ? servers : servers.toReversed()) {
        const before = cpuTime(child.pid!);
        const { completed } = await load({ port, queries, clients: 10, seconds });
        costs.push((cpuTime(child.pid!) - before) / completed);
      }
    const wrong = servers.map(({ port }) => sample(port, lines.slice(0, 100), rightAnswers(undefined), 0.5));
    await Promise.all(wrong);
  } finally {
    await Promise.all(servers.map(({ child }) => stop(child)));
  }
  const [without, counted] = servers.map(({ costs }) => costs) as [number[], number[]];
  const ratio = median(counted.map((cost, i) => cost / without[i]!));
  return { scenario, without: median(without), counted: median(counted), ratio };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;
