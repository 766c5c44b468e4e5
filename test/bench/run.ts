// `npm run bench [-- --json] [-- --only REGEX] [-- --seconds N]`: what a query costs, beside the other servers that are installed.
import dgram from 'node:dgram';
import { parseArgs } from 'node:util';
import { encodeMessage, decodeMessage, Flag } from '../../src/wire/index.js';
import { load } from './load.js';
import { PEERS, write, type Peer, type Work } from './peers.js';
import { cpuTime, installed, LOAD_CORE, residentMemory, SERVER_CORE, startPinned, stop } from './process.js';

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false }, only: { type: 'string', default: '' }, seconds: { type: 'string', default: '5' } } });
const SECONDS = Number(options.seconds);

interface Scenario {
  readonly name: string;
  readonly kind: Work['kind'];
  readonly clients: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'cache hit, 1,000 names', kind: 'cache', clients: 10 },
  { name: 'cache hit, 200 clients', kind: 'cache', clients: 200 },
  { name: 'uncached forward over UDP', kind: 'forward-udp', clients: 10 },
  { name: 'uncached forward over TCP', kind: 'forward-tcp', clients: 10 },
];

interface Row {
  readonly scenario: string;
  readonly peer: string;
  /** CPU time of the server per query, in microseconds. */
  readonly cpu: number;
  readonly perSecond: number;
  /** Latencies in milliseconds. */
  readonly mean: number;
  readonly max: number;
  readonly lost: number;
  /** Resident memory at the end, in MB. */
  readonly memory: number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks one A question and checks that it is answered with the upstream's address. */
function askOnce(port: number, name: string): Promise<boolean> {
  const message = encodeMessage({ id: 1, flags: Flag.RD, rcode: 0, question: [{ name, type: 1, class: 1 }], answer: [], authority: [], additional: [] });
  return new Promise((resolve) => {
    const socket = dgram.createSocket('udp4');
    const done = (right: boolean): void => {
      clearTimeout(timer);
      socket.close();
      resolve(right);
    };
    const timer = setTimeout(() => done(false), 300);
    socket.on('error', () => done(false));
    socket.on('message', (reply) => {
      const { rcode, answer } = decodeMessage(reply);
      done(rcode === 0 && answer.length === 1 && Buffer.from(answer[0]!.rdata).equals(Buffer.from([198, 51, 100, 1])));
    });
    socket.send(message, port, '127.0.0.1');
  });
}

async function untilRight(port: number, name: string): Promise<void> {
  for (let i = 0; i < 50; i++) {
    if (await askOnce(port, name)) return;
    await sleep(100);
  }
  throw new Error(`no right answer at port ${port} within 5 s`);
}

async function measure(scenario: Scenario, peer: Peer, queries: string, port: number, upstream: number): Promise<Row | undefined> {
  const start = peer.command({ kind: scenario.kind, port, upstream });
  if (start === undefined) return undefined;
  const child = startPinned(SERVER_CORE, start.command, start.args, start.env);
  try {
    await untilRight(port, 'n1.bench.example.org.').catch((error: Error) => {
      throw new Error(`${peer.name}: ${error.message}\n${child.output()}`);
    });
    await load({ port, queries, seconds: Math.min(2, SECONDS), clients: scenario.clients });
    const before = cpuTime(child.pid!);
    // Answers are looked at while the load runs, too.
    const checks = (async (): Promise<void> => {
      for (let i = 1; i <= SECONDS; i++) {
        await sleep(900);
        if (!(await askOnce(port, `n${i}.bench.example.org.`)) && !(await askOnce(port, `n${i}.bench.example.org.`))) throw new Error(`${peer.name}: wrong answer under load`);
      }
    })();
    const result = await load({ port, queries, seconds: SECONDS, clients: scenario.clients });
    const cpu = (cpuTime(child.pid!) - before) / result.completed;
    await checks;
    if (Object.keys(result.rcodes).some((rcode) => rcode !== 'NOERROR')) throw new Error(`${peer.name}: rcodes ${JSON.stringify(result.rcodes)}`);
    return { scenario: scenario.name, peer: peer.name, cpu, perSecond: result.perSecond, mean: result.mean, max: result.max, lost: result.lost, memory: residentMemory(child.pid!) };
  } finally {
    await stop(child);
  }
}

function table(rows: readonly Row[]): string {
  const head = ['scenario', 'server', 'CPU us/query', 'of nodens', 'queries/s', 'mean ms', 'max ms', 'lost', 'RSS MB'];
  const body = rows.map((row) => {
    const own = rows.find((other) => other.scenario === row.scenario && other.peer === 'nodens');
    return [row.scenario, row.peer, row.cpu.toFixed(1), own ? `${(own.cpu / row.cpu).toFixed(2)}x` : '', row.perSecond.toFixed(0), row.mean.toFixed(2), row.max.toFixed(1), String(row.lost), row.memory.toFixed(0)];
  });
  const widths = head.map((title, i) => Math.max(title.length, ...body.map((cells) => cells[i]!.length)));
  return [head, ...body].map((cells) => cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')).join('\n');
}

if (!installed('dnsperf') || !installed('taskset')) {
  process.stderr.write('the bench needs dnsperf and taskset (Debian: dnsperf, util-linux)\n');
  process.exit(1);
}
const queries = write('queries', Array.from({ length: 1000 }, (_, i) => `n${i + 1}.bench.example.org A\n`).join(''));
const base = 20_000 + (process.pid % 1000) * 10;
const upstream = startPinned(LOAD_CORE, process.execPath, ['--import', 'tsx', new URL('upstream.ts', import.meta.url).pathname, String(base)]);
const rows: Row[] = [];
try {
  await untilRight(base, 'ready.example.org.');
  let port = base;
  for (const scenario of SCENARIOS.filter((candidate) => new RegExp(options.only).test(candidate.name))) {
    for (const peer of PEERS.filter((candidate) => candidate.available())) {
      const row = await measure(scenario, peer, queries, ++port, base);
      if (row === undefined) continue;
      rows.push(row);
      if (!options.json) process.stderr.write(`${row.scenario}: ${row.peer} ${row.cpu.toFixed(1)} us\n`);
    }
  }
} finally {
  await stop(upstream);
}
process.stdout.write(options.json ? `${JSON.stringify(rows, undefined, 1)}\n` : `${table(rows)}\n`);
