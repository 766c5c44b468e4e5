// `npm run bench [-- --json] [-- --only REGEX] [-- --seconds N] [-- --profile DIR] [-- --before PROGRAM]`: what a query
// costs and how long a start takes, beside the other servers that are installed.
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { FakeApi } from '../support/fake-api.js';
import { apiTable, measureApi } from './api.js';
import { sample, untilReady, untilRight } from './ask.js';
import { clusterApi, rightAnswers } from './cluster.js';
import { freshText, measureFresh } from './fresh.js';
import { measureWalk, walkText } from './walk.js';
import { kernelTable, measureKernel } from './kernel.js';
import { load } from './load.js';
import { loggedTable, measureLogged, type LoggedCost } from './logged.js';
import { write, type Peer } from './peer.js';
import { PEERS, metricsPort, profiled, readyPort } from './peers.js';
import { SERVER_CORE, cpuTime, firstCores, installed, residentMemory, startPinned, stop } from './process.js';
import { encryptedTable, measureEncrypted, type EncryptedCost } from './encrypted.js';
import { OWN, ratios, startTable, summary, table, topTable, type Row, type TopCost } from './report.js';
import { SCENARIOS, type Scenario } from './scenarios.js';
import { measureSizes, sizesTable, type SizeCost } from './sizes.js';
import { measureStarts } from './start.js';
import { measureTop } from './top.js';
import { Upstreams } from './upstreams.js';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
    profile: { type: 'string' },
    before: { type: 'string' },
  },
});
const SECONDS = Number(options.seconds);
/** Load before measuring begins: caches fill, code is optimized. */
const WARM_UP = Math.min(2, SECONDS);

async function measure(
  scenario: Scenario,
  peer: Peer,
  port: number,
  upstream: number,
  api: string | undefined,
): Promise<Row | undefined> {
  const { kind, clients, services, threads, rate, signatures } = scenario;
  if (kind.endsWith('zone') && peer.zones !== true) return undefined;
  let start = peer.command({ kind, port, upstream, api, threads });
  if (start === undefined) return undefined;
  if (options.profile !== undefined && peer.name === OWN)
    start = profiled(start, path.join(options.profile, scenario.name.replace(/[^\w]+/g, '-')));
  const questions = scenario.queries();
  const right = rightAnswers(services);
  const rcodes = new Set<string>(questions.map((question) => right(question).rcode));
  const queries = write(`queries-${port}`, questions.map((line) => `${line}\n`).join(''));
  const cores = threads === undefined ? undefined : firstCores(threads);
  const work = { port, queries, clients, cores, threads, rate, signatures };
  const began = performance.now();
  const child = startPinned(cores ?? SERVER_CORE, start.command, start.args, start.env);
  try {
    const first = questions[0]!;
    await untilRight(port, first, right(first)).catch((error: Error) => {
      throw new Error(`${peer.name}: ${error.message}\n${child.output()}`);
    });
    const ready = performance.now() - began;
    if (kind === 'cluster') await untilReady(readyPort(port));
    await load({ ...work, seconds: WARM_UP });
    const before = cpuTime(child.pid!);
    // Answers are looked at while the load runs, too.
    const [result, { latencies, lost }] = await Promise.all([
      load({ ...work, seconds: SECONDS }),
      sample(port, scenario.sampled?.() ?? questions, right, SECONDS - 0.5),
    ]);
    const cpu = (cpuTime(child.pid!) - before) / (result.completed + latencies.length);
    if (Object.keys(result.rcodes).some((rcode) => !rcodes.has(rcode)))
      throw new Error(`${peer.name}: rcodes ${JSON.stringify(result.rcodes)}, right are ${[...rcodes].join(', ')}`);
    if (kind === 'cluster')
      await fetch(`http://127.0.0.1:${metricsPort(port)}/metrics`).then((response) => response.text());
    const quantile = (share: number): number =>
      latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!;
    return {
      scenario: scenario.name,
      peer: peer.name,
      cpu,
      perSecond: result.perSecond,
      p50: quantile(0.5),
      p99: quantile(0.99),
      lost: result.lost + lost,
      memory: residentMemory(child.pid!),
      start: ready,
      services,
      threads,
    };
  } finally {
    await stop(child);
  }
}

/** The clusters that scenarios ask for, each made once. */
class Clusters {
  private readonly made = new Map<number, FakeApi>();

  async url(services: number | undefined): Promise<string | undefined> {
    if (services === undefined) return undefined;
    const api = this.made.get(services) ?? (await clusterApi(services));
    this.made.set(services, api);
    return api.url;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.made.values()].map((api) => api.stop()));
  }
}

if (!['dnsperf', 'taskset', 'nsd'].every(installed)) {
  process.stderr.write('the bench needs dnsperf, taskset and nsd (Debian: dnsperf, util-linux, nsd)\n');
  process.exit(1);
}
let port = 20_000 + (process.pid % 1000) * 10;
const upstreams = new Upstreams(() => ++port);
const clusters = new Clusters();
const rows: Row[] = [];
const tops: TopCost[] = [];
const logs: LoggedCost[] = [];
const sizes: SizeCost[] = [];
const encrypted: EncryptedCost[] = [];
const only = new RegExp(options.only);
const starts = await measureStarts(only, ++port, options.before);
const apis = await measureApi(only, ++port, options.before);
const walk = await measureWalk(only);
const kernel = await measureKernel(only, Math.min(2, SECONDS));
const fresh = await measureFresh(only, (port += 2) - 1, SECONDS);
try {
  for (const scenario of SCENARIOS.filter((candidate) => only.test(candidate.name))) {
    const { services, upstream = 'nsd' } = scenario;
    if (!upstreams.available(upstream)) {
      process.stderr.write(`${scenario.name}: ${upstream} is not installed\n`);
      continue;
    }
    const [api, to] = [await clusters.url(services), await upstreams.port(upstream)];
    for (const peer of PEERS.filter((candidate) => candidate.available())) {
      // A peer's wrong answers end its row, and ours the run.
      const row = await measure(scenario, peer, ++port, to, api).catch((error: Error) => {
        if (peer.name === OWN) throw error;
        return void process.stderr.write(`${scenario.name}: left out: ${error.message}\n`);
      });
      if (row === undefined) continue;
      rows.push(row);
      if (!options.json) process.stderr.write(`${row.scenario}: ${row.peer} ${row.cpu.toFixed(1)} us\n`);
    }
  }
  const turns = [only, Math.min(2, SECONDS), () => upstreams.port('nsd'), () => ++port] as const;
  tops.push(...(await measureTop(...turns)));
  logs.push(...(await measureLogged(...turns)));
  sizes.push(...(await measureSizes(...turns)));
  encrypted.push(...(await measureEncrypted(...turns)));
} finally {
  await clusters.stop();
  await upstreams.stop();
}
const more = { starts, apis, tops, logs, sizes, encrypted, kernel, fresh, walk };
process.stdout.write(
  options.json
    ? `${JSON.stringify({ rows, ratios: ratios(rows), ...summary(rows), ...more }, undefined, 1)}\n`
    : [
        ...(rows.length > 0 ? [table(rows)] : []),
        ...(starts.length > 0 ? [startTable(starts)] : []),
        ...(apis.length > 0 ? [apiTable(apis)] : []),
        ...(tops.length > 0 ? [topTable(tops)] : []),
        ...(logs.length > 0 ? [loggedTable(logs)] : []),
        ...(sizes.length > 0 ? [sizesTable(sizes)] : []),
        ...(encrypted.length > 0 ? [encryptedTable(encrypted)] : []),
        ...(kernel.length > 0 ? [kernelTable(kernel)] : []),
        ...(fresh ? [freshText(fresh)] : []),
        ...(walk ? [walkText(walk)] : []),
        '',
      ].join('\n\n'),
);
