import path from 'node:path';
import { dir } from './peer.js';
import { PEERS } from './peers.js';
import { OWN, type TopCost } from './report.js';
import { inTurns, type Contestant, type Result } from './turns.js';

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
  const questions = Array.from({ length: names }, (_, i) => `n${i + 1}.bench.example.org A`);
  const started = (flags: readonly string[]): Contestant => {
    const port = nextPort();
    const { command, args } = PEERS.find(({ name }) => name === OWN)!.command({ kind: 'cache', port, upstream })!;
    const warmUp = Math.max(2, names / 20_000);
    return { name: flags.join(' '), port, command: { command, args: [...args, ...flags] }, questions, warmUp };
  };
  const flags = ['-admin', `unix:${path.join(dir, `top-${names}.sock`)}`];
  const [without, counted] = (await inTurns([started([]), started(flags)], seconds)) as [Result, Result];
  return { scenario, without: without.cost, counted: counted.cost, ratio: counted.ratio };
}
