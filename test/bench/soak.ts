// `npm run soak [-- --seconds N] [--workers N]`: dnsperf at 80 % of what the server can take, while objects change,
// the cache evicts, the Corefile reloads and
// threads are killed. Prints what was lost and what was answered wrong, and fails unless both are nothing.
import dgram from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type * as PoolModule from '../../src/fastpath/udp-worker-pool.js';
import type * as ServerModule from '../../src/server/server.js';
import { Flag, decodeMessage, encodeMessage } from '../../src/wire/index.js';
import { compiledProgram } from '../support/compiled.js';
import { load } from './load.js';
import { installed, residentMemory } from './process.js';

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, workers: { type: 'string', default: '2' } },
});
const SECONDS = Number(options.seconds);

/** Times in milliseconds. */
const RELOAD_EVERY = 7000;
const CHANGE_EVERY = 4000;
const KILL_EVERY = 20_000;
const SAMPLE_EVERY = 5;
/** A changed file has to be noticed within this time. */
const NOTICED = 3000;
const CAPACITY_SECONDS = 3;
/** Share of the capacity that the load takes. */
const SHARE = 0.8;

/** The cache holds 1,024 of these. */
const NAMES = 3000;
const SERVICES = 200;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An answer that changes at times that are not known exactly: which values are right for a query asked then. */
class Expected {
  private before: string | undefined;
  private until = 0;
  private newest = Infinity;

  constructor(private now: string) {}

  /**
   * From now on `next` is right; what was right before is so for at most `overlap` more milliseconds, and not after
   * `next` was seen.
   */
  change(next: string, overlap: number): void {
    this.before = this.now;
    this.now = next;
    this.until = performance.now() + overlap;
    this.newest = Infinity;
  }

  /** The change is complete: nothing but the new value is right for what is asked from here on. */
  settle(): void {
    this.until = Math.min(this.until, performance.now());
  }

  /** Whether an answer is right for a query that was sent at `asked`. */
  check(got: string, asked: number): boolean {
    if (got === this.now) {
      this.newest = Math.min(this.newest, performance.now());
      return true;
    }
    return got === this.before && asked < Math.min(this.until, this.newest);
  }

  toString(): string {
    return this.before === undefined ? this.now : `${this.now}, before ${this.before}`;
  }
}

if (!installed('dnsperf') || !installed('taskset')) {
  process.stderr.write('the soak needs dnsperf and taskset (Debian: dnsperf, util-linux)\n');
  process.exit(1);
}

const compiled = path.dirname(path.dirname(compiledProgram()));
const { UdpWorkerPool } = (await import(path.join(compiled, 'fastpath/udp-worker-pool.js'))) as typeof PoolModule;
const { Server } = (await import(path.join(compiled, 'server/server.js'))) as typeof ServerModule;

const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-soak-'));
const lines: string[] = [];
const keep =
  (level: string) =>
  (line: string): void =>
    void (level !== 'debug' && lines.push(`${level} ${line}`));
const log = { debug: keep('debug'), info: keep('info'), warning: keep('warning'), error: keep('error') };

let generation = 1;
const template = new Expected('192.0.2.1');
const corefile = (): string => `cluster.local:0 {
    bind 127.0.0.1
    kubernetes cluster.local {
        manifests ${path.join(dir, 'objects.yaml')}
    }
}
.:0 {
    bind 127.0.0.1
    prometheus 127.0.0.1:0
    cache 3600 {
        success 1024 3600
    }
    template IN A example.org {
        answer "{{ .Name }} 300 IN A 192.0.2.${generation}"
    }
}
`;

/** What the sampler makes of a name that does not exist. */
const NO_NAME = 'rcode 3, 0 records';

let edition = 1;
const service = new Expected('10.96.1.1');
/** A service that exists in every other edition of the objects. */
const guest = new Expected(NO_NAME);
const nobody = new Expected(NO_NAME);
const guestAt = (): string => (edition % 2 === 0 ? '10.96.255.1' : NO_NAME);
function writeObjects(): void {
  const objects = ['apiVersion: v1\nkind: Namespace\nmetadata: { name: default }\n'];
  const add = (name: string, ip: string): unknown =>
    objects.push(
      `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: default }\nspec: { ` +
        `clusterIP: ${ip}, clusterIPs: [${ip}], ports: [{ name: http, port: 80, protocol: ` +
        'TCP }] }\n',
    );
  for (let i = 0; i < SERVICES; i++) add(`s${i}`, `10.96.${i === 0 ? edition : 0}.${i + 1}`);
  if (guestAt() !== NO_NAME) add('guest', guestAt());
  writeFileSync(path.join(dir, 'objects.yaml'), objects.join('---\n'));
}

/** Asks one question a time, each from the socket of its own number, so that all threads are asked. */
class Sampler {
  answers = 0;
  lost = 0;
  readonly wrong: string[] = [];
  private readonly waiting = new Map<number, { asked: number; name: string; expected: Expected }>();
  private readonly sockets = Array.from({ length: 8 }, () => dgram.createSocket('udp4'));
  private next = 0;

  constructor(private readonly port: number) {
    for (const socket of this.sockets) socket.on('message', (bytes) => this.take(bytes));
  }

  ask(name: string, expected: Expected): void {
    const id = this.next++ & 0xffff;
    // Its number comes round again before an answer does.
    if (this.waiting.has(id)) this.lost++;
    this.waiting.set(id, { asked: performance.now(), name, expected });
    const message = encodeMessage({
      id,
      flags: Flag.RD,
      rcode: 0,
      question: [{ name, type: 1, class: 1 }],
      answer: [],
      authority: [],
      additional: [],
    });
    this.sockets[id % this.sockets.length]!.send(message, this.port, '127.0.0.1');
  }

  async end(): Promise<void> {
    for (let i = 0; i < 50 && this.waiting.size > 0; i++) await sleep(100);
    this.lost += this.waiting.size;
    this.sockets.forEach((socket) => socket.close());
  }

  private take(bytes: Buffer): void {
    const { id, rcode, answer } = decodeMessage(bytes);
    const question = this.waiting.get(id);
    if (!question) return;
    this.waiting.delete(id);
    this.answers++;
    const got =
      rcode === 0 && answer.length === 1 ? answer[0]!.rdata.join('.') : `rcode ${rcode}, ${answer.length} records`;
    if (!question.expected.check(got, question.asked))
      this.wrong.push(
        `${question.name} asked ${(performance.now() - question.asked).toFixed(0)} ms ago: ${got}, right is ${String(question.expected)}`,
      );
  }
}

writeObjects();
const workers = Number(options.workers);
const workerPool = await UdpWorkerPool.start({ workers, memory: 4 << 20, log });
const server = await Server.create({ workerPool, log, corefile: { name: 'Corefile', read: corefile } });
await server.listen();
const { port } = server.served[0]!;
const queries = path.join(dir, 'queries');
const asked = [
  ...Array.from({ length: NAMES }, (_, i) => `n${i}.example.org A`),
  ...Array.from({ length: SERVICES * 5 }, (_, i) => `s${i % SERVICES}.default.svc.cluster.local A`),
  ...Array.from({ length: 100 }, (_, i) => `missing${i}.default.svc.cluster.local A`),
];
writeFileSync(queries, `${asked.join('\n')}\n`);

const capacity = (await load({ port, queries, seconds: CAPACITY_SECONDS, clients: 20 })).perSecond;
const rate = Math.floor(capacity * SHARE);
process.stderr.write(`capacity ${capacity.toFixed(0)} queries/s with ${workers} threads; ${SECONDS} s at ${rate}\n`);

const sampler = new Sampler(port);
let [reloads, changes, kills] = [0, 0, 0];
const started = performance.now();
const memory = residentMemory(process.pid);
const every = (period: number, work: () => void): NodeJS.Timeout => setInterval(work, period);
const timers = [
  every(SAMPLE_EVERY, () => {
    sampler.ask(`n${Math.floor(performance.now()) % NAMES}.example.org.`, template);
    sampler.ask('s0.default.svc.cluster.local.', service);
    sampler.ask('guest.default.svc.cluster.local.', guest);
    sampler.ask(`missing${Math.floor(performance.now()) % 100}.default.svc.cluster.local.`, nobody);
  }),
  every(RELOAD_EVERY, () => {
    generation = (generation % 250) + 1;
    template.change(`192.0.2.${generation}`, RELOAD_EVERY);
    void server.reload().then((done) => {
      if (done) reloads++;
      template.settle();
    });
  }),
  every(CHANGE_EVERY, () => {
    edition = (edition % 250) + 1;
    service.change(`10.96.${edition}.1`, NOTICED);
    guest.change(guestAt(), NOTICED);
    writeObjects();
    changes++;
  }),
  every(KILL_EVERY, () => workerPool.kill(kills++ % workers)),
];
const result = await load({ port, queries, seconds: SECONDS, clients: 20, rate });
timers.forEach((timer) => clearInterval(timer));
await sampler.end();
const evictions = Math.max(
  0,
  ...[
    ...(await server.runtime.metrics.text()).matchAll(/^coredns_cache_evictions_total\{.*type="success".*\} (\d+)/gm),
  ].map(([, count]) => Number(count)),
);
const happened =
  `${reloads} reloads, ${changes} changes of objects, ${evictions} answers evicted, ` +
  `${kills} threads killed in ${((performance.now() - started) / 1000).toFixed(0)} s`;
// A soak in which nothing happened shows nothing.
const idle = SECONDS * 1000 > 2 * KILL_EVERY && Math.min(reloads, changes, evictions, kills) === 0;
await server.stop();
rmSync(dir, { recursive: true, force: true });

const faults = lines.filter(
  (line) => line.startsWith('error') && !/^error worker \d+ died, starting another: it ended$/.test(line),
);
const strange = Object.keys(result.rcodes).filter((rcode) => rcode !== 'NOERROR' && rcode !== 'NXDOMAIN');
process.stdout.write(
  `${[
    happened,
    `dnsperf: ${result.completed} answered at ${result.perSecond.toFixed(0)} a second, mean ` +
      `${result.mean.toFixed(2)} ms, max ${result.max.toFixed(0)} ms, ` +
      `${JSON.stringify(result.rcodes)}`,
    `sampled: ${sampler.answers} answers`,
    `resident memory: ${memory.toFixed(0)} MB before, ${residentMemory(process.pid).toFixed(0)} MB after`,
    `lost: ${result.lost + sampler.lost}`,
    `wrong: ${sampler.wrong.length + strange.length}`,
    ...sampler.wrong.slice(0, 10),
    ...strange,
    ...faults.slice(0, 10),
  ].join('\n')}\n`,
);
process.exit(result.lost + sampler.lost + sampler.wrong.length + strange.length + faults.length === 0 && !idle ? 0 : 1);
