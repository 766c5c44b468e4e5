// `npm run bench [-- --json] [-- --only REGEX] [-- --seconds N]`: what a query costs, beside the other servers that are installed.
import dgram from 'node:dgram';
import { parseArgs } from 'node:util';
import { Flag, decodeMessage, encodeMessage, rcodeName } from '../../src/wire/index.js';
import { QUERIES, clusterApi } from './cluster.js';
import { load } from './load.js';
import { PEERS, write, type Peer, type Work } from './peers.js';
import { cpuTime, installed, LOAD_CORE, residentMemory, SERVER_CORE, startPinned, stop } from './process.js';

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' }, seconds: { type: 'string', default: '5' } } });
const SECONDS = Number(options.seconds);

interface Scenario {
  readonly name: string;
  readonly kind: Work['kind'];
  readonly clients: number;
  /** `NAME TYPE` lines. */
  readonly queries: () => readonly string[];
  /** Services of the cluster. */
  readonly services?: number;
  /** Response codes that are right. */
  readonly rcodes?: readonly string[];
}

const names = (): string[] => Array.from({ length: 1000 }, (_, i) => `n${i + 1}.bench.example.org A`);

const SCENARIOS: readonly Scenario[] = [
  { name: 'cache hit, 1,000 names', kind: 'cache', clients: 10, queries: names },
  { name: 'cache hit, 200 clients', kind: 'cache', clients: 200, queries: names },
  { name: 'cluster names, 10,000 services', kind: 'cluster', clients: 10, services: 10_000, queries: () => QUERIES.names(10_000) },
  { name: 'cluster NXDOMAIN, 10,000 services', kind: 'cluster', clients: 10, services: 10_000, queries: QUERIES.missing, rcodes: ['NXDOMAIN'] },
  { name: 'cluster names, 100,000 services', kind: 'cluster', clients: 10, services: 100_000, queries: () => QUERIES.names(100_000) },
  { name: 'search list of a pod', kind: 'cluster', clients: 10, services: 10_000, queries: QUERIES.search, rcodes: ['NOERROR', 'NXDOMAIN'] },
  { name: 'uncached forward over UDP', kind: 'forward-udp', clients: 10, queries: names },
  { name: 'uncached forward over TCP', kind: 'forward-tcp', clients: 10, queries: names },
];

interface Row {
  readonly scenario: string;
  readonly peer: string;
  /** CPU time of the server per query, in microseconds. */
  readonly cpu: number;
  readonly perSecond: number;
  /** Latencies under that load, in milliseconds, as a client sees them that asks 200 times a second. */
  readonly p50: number;
  readonly p99: number;
  readonly lost: number;
  /** Resident memory at the end, in MB. */
  readonly memory: number;
  /** Time from the start of the process to the first right answer, in milliseconds. */
  readonly start: number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks one A question; resolves with how long a right answer took in milliseconds, `wrong` for any other, `silent` without one. */
function askOnce(port: number, name: string, rcodes: readonly string[]): Promise<number | 'wrong' | 'silent'> {
  const message = encodeMessage({ id: 1, flags: Flag.RD, rcode: 0, question: [{ name, type: 1, class: 1 }], answer: [], authority: [], additional: [] });
  const asked = performance.now();
  return new Promise((resolve) => {
    const socket = dgram.createSocket('udp4');
    const done = (result: number | 'wrong' | 'silent'): void => {
      clearTimeout(timer);
      socket.close();
      resolve(result);
    };
    const timer = setTimeout(() => done('silent'), 1000);
    socket.on('error', () => done('silent'));
    socket.on('message', (reply) => {
      const { rcode, answer } = decodeMessage(reply);
      done(rcodes.includes(rcodeName(rcode)) && (rcode === 0) === answer.length > 0 ? performance.now() - asked : 'wrong');
    });
    socket.send(message, port, '127.0.0.1');
  });
}

async function untilRight(port: number, name: string, rcodes: readonly string[]): Promise<void> {
  const end = performance.now() + 20_000;
  while (performance.now() < end) {
    if (typeof (await askOnce(port, name, rcodes)) === 'number') return;
    await sleep(20);
  }
  throw new Error(`no right answer at port ${port} within 20 s`);
}

/** Asks all the while and looks at the answers: their latencies in milliseconds, and how many never came. */
async function sample(port: number, questions: readonly string[], rcodes: readonly string[], seconds: number): Promise<{ latencies: number[]; lost: number }> {
  const end = performance.now() + seconds * 1000;
  const latencies: number[] = [];
  let lost = 0;
  for (let i = 0; performance.now() < end; i++) {
    const name = `${questions[(i * 7) % questions.length]!.replace(/ \S+$/, '')}.`;
    const result = await askOnce(port, name, rcodes);
    if (result === 'wrong') throw new Error(`wrong answer for ${name} under load`);
    if (result === 'silent') lost++;
    else latencies.push(result);
    await sleep(5);
  }
  return { latencies: latencies.sort((a, b) => a - b), lost };
}

async function measure(scenario: Scenario, peer: Peer, port: number, upstream: number, api: string | undefined): Promise<Row | undefined> {
  const start = peer.command({ kind: scenario.kind, port, upstream, api });
  if (start === undefined) return undefined;
  const questions = scenario.queries();
  const queries = write(`queries-${port}`, questions.map((line) => `${line}\n`).join(''));
  const rcodes = scenario.rcodes ?? ['NOERROR'];
  const began = performance.now();
  const child = startPinned(SERVER_CORE, start.command, start.args, start.env);
  try {
    await untilRight(port, `${questions[0]!.replace(/ \S+$/, '')}.`, rcodes).catch((error: Error) => {
      throw new Error(`${peer.name}: ${error.message}\n${child.output()}`);
    });
    const ready = performance.now() - began;
    await load({ port, queries, seconds: Math.min(2, SECONDS), clients: scenario.clients });
    const before = cpuTime(child.pid!);
    // Answers are looked at while the load runs, too.
    const [result, { latencies, lost }] = await Promise.all([load({ port, queries, seconds: SECONDS, clients: scenario.clients }), sample(port, questions.filter((line) => line.endsWith(' A')), rcodes, SECONDS - 0.5)]);
    const cpu = (cpuTime(child.pid!) - before) / (result.completed + latencies.length);
    const wrong = Object.keys(result.rcodes).filter((rcode) => !rcodes.includes(rcode));
    if (wrong.length > 0) throw new Error(`${peer.name}: rcodes ${JSON.stringify(result.rcodes)}`);
    const quantile = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))]!;
    return {
      scenario: scenario.name, peer: peer.name, cpu, perSecond: result.perSecond, p50: quantile(0.5), p99: quantile(0.99), lost: result.lost + lost, memory: residentMemory(child.pid!), start: ready,
    };
  } finally {
    await stop(child);
  }
}

function table(rows: readonly Row[]): string {
  const head = ['scenario', 'server', 'CPU us/query', 'of nodens', 'queries/s', 'p50 ms', 'p99 ms', 'lost', 'RSS MB', 'start ms'];
  const body = rows.map((row) => {
    const own = rows.find((other) => other.scenario === row.scenario && other.peer === 'nodens');
    return [row.scenario, row.peer, row.cpu.toFixed(1), own ? `${(own.cpu / row.cpu).toFixed(2)}x` : '', row.perSecond.toFixed(0), row.p50.toFixed(2), row.p99.toFixed(1), String(row.lost), row.memory.toFixed(0), row.start.toFixed(0)];
  });
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((cells) => cells[i]!.length)));
  return [head, ...body].map((cells) => cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')).join('\n');
}

if (!installed('dnsperf') || !installed('taskset')) {
  process.stderr.write('the bench needs dnsperf and taskset (Debian: dnsperf, util-linux)\n');
  process.exit(1);
}
const base = 20_000 + (process.pid % 1000) * 10;
const upstream = startPinned(LOAD_CORE, process.execPath, ['--import', 'tsx', new URL('upstream.ts', import.meta.url).pathname, String(base)]);
const rows: Row[] = [];
try {
  await untilRight(base, 'ready.example.org.', ['NOERROR']);
  let port = base;
  for (const scenario of SCENARIOS.filter((candidate) => new RegExp(options.only).test(candidate.name))) {
    const api = scenario.services === undefined ? undefined : await clusterApi(scenario.services);
    for (const peer of PEERS.filter((candidate) => candidate.available())) {
      const row = await measure(scenario, peer, ++port, base, api?.url);
      if (row === undefined) continue;
      rows.push(row);
      if (!options.json) process.stderr.write(`${row.scenario}: ${row.peer} ${row.cpu.toFixed(1)} us\n`);
    }
    await api?.stop();
  }
} finally {
  await stop(upstream);
}
process.stdout.write(options.json ? `${JSON.stringify(rows, undefined, 1)}\n` : `${table(rows)}\n`);
