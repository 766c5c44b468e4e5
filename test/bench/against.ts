// `npx tsx test/bench/against.ts PROGRAM [--only REGEX] [--runs N] [--seconds N]`: what a query costs with this program
// and with another, such as `bin/nodens` of an older checkout: run in turns, with the same upstreams, the median of all
// runs of each.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sample, untilReady, untilRight } from './ask.js';
import { clusterApi, rightAnswers } from './cluster.js';
import { load } from './load.js';
import { write, type Work } from './peer.js';
import { PEERS, readyPort } from './peers.js';
import { SERVER_CORE, cpuTime, startPinned, stop } from './process.js';
import { OWN } from './report.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { Upstreams } from './upstreams.js';

/** What every query goes through, on each of its ways. */
const COMMON = '^(cache hit, 1,000 names|cluster names, 10,000 services|uncached forward over (UDP|TCP))$';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: COMMON },
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
  },
});
const SECONDS = Number(options.seconds);
const peer = PEERS.find(({ name }) => name === OWN)!;
const programs = [peer.command({ kind: 'cache', port: 0, upstream: 0 })!.command, path.resolve(positionals[0] ?? '')];

/** CPU time of the server's process for a query, user and system together, in microseconds. */
async function cost(program: string, { queries, clients, services }: Scenario, work: Work): Promise<number> {
  const { args } = peer.command(work)!;
  const questions = queries();
  const right = rightAnswers(services);
  const file = write(`queries-${work.port}`, questions.map((line) => `${line}\n`).join(''));
  const child = startPinned(SERVER_CORE, program, args);
  try {
    await untilRight(work.port, questions[0]!, right(questions[0]!));
    if (work.kind === 'cluster') await untilReady(readyPort(work.port));
    await load({ port: work.port, queries: file, clients, seconds: Math.min(2, SECONDS) });
    const before = cpuTime(child.pid!);
    const [{ completed }, { latencies }] = await Promise.all([
      load({ port: work.port, queries: file, clients, seconds: SECONDS }),
      sample(work.port, questions, right, SECONDS - 0.5),
    ]);
    return (cpuTime(child.pid!) - before) / (completed + latencies.length);
  } catch (error) {
    throw new Error(`${program}: ${(error as Error).message}\n${child.output()}`, { cause: error });
  } finally {
    await stop(child);
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

let port = 20_000 + (process.pid % 1000) * 10;
const upstreams = new Upstreams(() => ++port);
const stops: (() => unknown)[] = [() => upstreams.stop()];
try {
  for (const scenario of SCENARIOS.filter(({ name }) => new RegExp(options.only).test(name))) {
    const { kind, services } = scenario;
    const api = services === undefined ? undefined : await clusterApi(services);
    if (api !== undefined) stops.push(() => api.stop());
    const upstream = await upstreams.port(scenario.upstream ?? 'nsd');
    const costs: number[][] = programs.map(() => []);
    for (let run = 0; run < Number(options.runs); run++)
      for (const [i, program] of programs.entries())
        costs[i]!.push(await cost(program, scenario, { kind, port: ++port, upstream, api: api?.url }));
    const [own = 0, other = 0] = costs.map(median);
    const all = costs.map((list) => list.map((one) => one.toFixed(1)).join(' ')).join(' | ');
    process.stdout.write(
      `${scenario.name}: ${own.toFixed(2)} us, other ${other.toFixed(2)} us, ${(own / other).toFixed(3)} (${all})\n`,
    );
  }
} finally {
  for (const end of stops) await end();
}
