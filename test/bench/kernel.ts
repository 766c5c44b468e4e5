import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Bpf } from '../../src/kernel/bpf.js';
import { readObject } from '../../src/kernel/object-file.js';
import { Namespaces, inside, join, run } from '../e2e/node-local/namespaces.js';
import { missingForKernel } from '../support/kernel-server.js';
import { dir, write, type Peer, type Work } from './peer.js';
import { PEERS } from './peers.js';
import { LOAD_CORE, startPinned, stop } from './process.js';
import { OWN, aligned } from './report.js';
import { cluster, outside } from './scenarios.js';
import { median } from './turns.js';
import { upstreamCommand } from './upstreams.js';

/** What a query takes over a link into a namespace, with client and server on one core so that nothing hides. */
export interface KernelCost {
  readonly scenario: string;
  readonly peer: string;
  /** Of the core, at full speed, in microseconds: client, server and the kernel's work for both. */
  readonly cost: number;
  /** Less what a program takes that only sends packets back. */
  readonly less: number;
  /** The mean at 20,000 queries a second, in microseconds. */
  readonly latency: number;
}

const ROUNDS = 3;
const PACED = 20_000;
const CORE = '0';
const [ADDRESS, PORT, UPSTREAM] = ['10.99.0.1', 5300, 5301];
const SERVICES = 1000;
/** Before all else that the core does, of whoever it may be: its time is what is measured. */
const FIRST = ['chrt', '-f', '1'];

type Kind = 'cache' | 'cluster';
const SCENARIOS: readonly { name: string; kind: Kind }[] = [
  { name: 'cache hit, kernel', kind: 'cache' },
  { name: 'cluster names, kernel', kind: 'cluster' },
];
const FLOOR = 'a program that sends packets back';

const own = PEERS.find(({ name }) => name === OWN)!;
const withIo = (name: string, io: string): Peer => ({
  ...own,
  name: `${OWN}, ${name}`,
  command: (work) => {
    const made = own.command(work)!;
    return { ...made, args: [...made.args, '-io', io, '-workers', '1'] };
  },
});
const CONTESTANTS = [
  withIo('kernel', 'kernel=in'),
  withIo('batched', 'batched'),
  ...PEERS.filter(({ name }) => name !== OWN),
];

/** Runs what is chosen; nothing, with a line that says why, where the kernel or a tool is missing. */
export async function measureKernel(only: RegExp, seconds: number): Promise<KernelCost[]> {
  const chosen = SCENARIOS.filter(({ name }) => only.test(name));
  if (chosen.length === 0) return [];
  const why = missingForKernel(['clang-14', 'clang-14']);
  if (why !== undefined) {
    process.stderr.write(`kernel: ${why}\n`);
    return [];
  }
  const bench = new LinkBench(seconds);
  try {
    const costs: KernelCost[] = [];
    for (const { name, kind } of chosen) costs.push(...(await bench.compare(name, kind)));
    return costs;
  } finally {
    await bench.end();
  }
}

/** Two namespaces with a link between them. */
class LinkBench {
  private readonly namespaces = new Namespaces();
  private readonly server = this.namespaces.add('bench-s');
  private readonly client = this.namespaces.add('bench-c');
  private readonly helpers: ReturnType<typeof startPinned>[] = [];
  private readonly questions: Readonly<Record<Kind, string>> = {
    cache: write(
      'kernel-names',
      outside()
        .map((line) => `${line}\n`)
        .join(''),
    ),
    cluster: write(
      'kernel-services',
      cluster(SERVICES)()
        .map((line) => `${line}\n`)
        .join(''),
    ),
  };

  constructor(private readonly seconds: number) {
    join([this.server, 'in', [`${ADDRESS}/24`]], [this.client, 'out', ['10.99.0.2/24']]);
    this.helpers.push(startPinned(LOAD_CORE, 'ip', inside(this.server, ...upstreamCommand('nsd', UPSTREAM)).slice(1)));
  }

  async compare(scenario: string, kind: Kind): Promise<KernelCost[]> {
    const api = kind === 'cluster' ? await this.api() : undefined;
    const floor = this.reflected(kind);
    const costs = [{ scenario, peer: FLOOR, ...floor, less: 0 }];
    for (const peer of CONTESTANTS.filter((candidate) => candidate.available())) {
      const measured = await this.measure(peer, { kind, port: PORT, upstream: UPSTREAM, api, address: ADDRESS });
      if (measured === undefined) continue;
      costs.push({ scenario, peer: peer.name, ...measured, less: measured.cost - floor.cost });
      process.stderr.write(`${scenario}: ${peer.name} ${(measured.cost - floor.cost).toFixed(1)} us\n`);
    }
    return costs;
  }

  async end(): Promise<void> {
    await Promise.all(this.helpers.map((child) => stop(child)));
    this.namespaces.remove();
  }

  private async measure(peer: Peer, work: Work): Promise<{ cost: number; latency: number } | undefined> {
    const command = peer.command(work);
    if (command === undefined) return undefined;
    const words = [...FIRST, ...inside(this.server, command.command, ...command.args)];
    const child = startPinned(CORE, words[0]!, words.slice(1), command.env);
    try {
      await this.untilRight(work.kind as Kind).catch((error: Error) => {
        throw new Error(`${peer.name}: ${error.message}\n${child.output()}`, { cause: error });
      });
      return this.measured(work.kind as Kind);
    } finally {
      await stop(child);
    }
  }

  /** Resolves when all names are answered, which they then are from what is kept. */
  private async untilRight(kind: Kind): Promise<void> {
    for (let turn = 0; turn < 30; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const text = this.dnsperf(kind, '-n', '2', '-q', '50', '-t', '1');
      if (/NOERROR 2000 \(100\.00%\)/.test(text)) return;
    }
    throw new Error(`no right answers:\n${this.dnsperf(kind, '-n', '1', '-t', '1')}`);
  }

  private measured(kind: Kind): { cost: number; latency: number } {
    const time = String(this.seconds);
    const number = (pattern: RegExp, text: string): number => Number(pattern.exec(text)?.[1] ?? NaN);
    const rate = (): number => number(/Queries per second: +([\d.]+)/, this.dnsperf(kind, '-l', time, '-q', '100'));
    const cost = median(Array.from({ length: ROUNDS }, () => 1e6 / rate()));
    const latencies = Array.from(
      { length: ROUNDS },
      () => number(/Average Latency \(s\): +([\d.]+)/, this.dnsperf(kind, '-l', time, '-Q', String(PACED))) * 1e6,
    );
    return { cost, latency: median(latencies) };
  }

  private dnsperf(kind: Kind, ...more: string[]): string {
    const words = [...FIRST, 'taskset', '-c', CORE, 'dnsperf', '-s', ADDRESS, '-p', String(PORT), ...more];
    const [command, ...args] = inside(this.client, ...words, '-d', this.questions[kind]);
    return spawnSync(command!, args, { encoding: 'utf8' }).stdout;
  }

  private reflected(kind: Kind): { cost: number; latency: number } {
    const object = path.join(dir, 'reflect.o');
    const source = path.join(import.meta.dirname, 'reflect.bpf.c');
    run('clang-14', '-target', 'bpf', '-O2', '-ffreestanding', '-c', source, '-o', object);
    // The verifier has a look at it before tc does: a refusal is said in full.
    const read = readObject(readFileSync(object));
    const bpf = new Bpf();
    const code = read.program('tc', () => 0);
    bpf.close(bpf.loadProgram(code, read.license, 'reflect'));
    run('tc', '-n', this.server, 'qdisc', 'add', 'dev', 'in', 'clsact');
    run('tc', '-n', this.server, 'filter', 'add', 'dev', 'in', 'ingress', 'bpf', 'da', 'obj', object, 'sec', 'tc');
    try {
      return this.measured(kind);
    } finally {
      run('tc', '-n', this.server, 'qdisc', 'del', 'dev', 'in', 'clsact');
    }
  }

  /** URL of an API in the server's namespace. */
  private async api(): Promise<string> {
    const program = new URL('cluster-api.ts', import.meta.url).pathname;
    const words = inside(this.server, process.execPath, '--import', 'tsx', program, String(SERVICES));
    const child = startPinned(LOAD_CORE, words[0]!, words.slice(1));
    this.helpers.push(child);
    return new Promise((resolve) => child.stdout!.once('data', (url: Buffer) => resolve(url.toString().trim())));
  }
}

export function kernelTable(costs: readonly KernelCost[]): string {
  const rows = costs.map(({ scenario, peer, cost, less, latency }) => {
    const other = costs.find((one) => one.scenario.startsWith('cache') && one.peer === 'unbound');
    const times = other === undefined || peer === FLOOR ? '' : (less / other.less).toFixed(2);
    return [scenario, peer, cost.toFixed(2), less.toFixed(2), times, latency.toFixed(1)];
  });
  return aligned([['scenario', 'server', 'us/query', 'less', 'of unbound', 'us at 20,000/s'], ...rows]).join('\n');
}
