import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Bpf } from '../../src/kernel/bpf.js';
import { MapType } from '../../src/kernel/bpf-numbers.js';
import type { AttachKind } from '../../src/kernel/bpf-shapes.js';
import { join, run, type Namespaces } from '../e2e/node-local/namespaces.js';
import { PROGRAM, Program } from './program.js';
import { passAll } from './xdp-pass.js';

/** What keeps this machine from running tests with the program in the kernel; undefined for nothing. */
export function missingForKernel(...tools: readonly [tool: string, packageName: string][]): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux';
  const [major = 0, minor = 0] = os.release().split('.').map(Number);
  if (major < 6 || (major === 6 && minor < 6)) return `tcx needs Linux 6.6, this is ${os.release()}`;
  try {
    const bpf = new Bpf();
    bpf.close(bpf.createMap({ type: MapType.HASH, keySize: 4, valueSize: 4, entries: 1, name: 'nodens_test' }));
  } catch (error) {
    return `no right to make BPF maps here: ${(error as Error).message}`;
  }
  for (const [tool, packageName] of [['ip', 'iproute2'] as const, ...tools])
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0)
      return `${tool} is not installed (Debian: ${packageName})`;
  return undefined;
}

/** Numbers of the programs that a process has open. */
export function programsOf(pid: number): Set<number> {
  const folder = `/proc/${pid}/fdinfo`;
  const texts = readdirSync(folder).map((fd) => {
    try {
      return readFileSync(path.join(folder, fd), 'latin1');
    } catch {
      // Closed meanwhile.
      return '';
    }
  });
  return new Set(texts.flatMap((text) => [...text.matchAll(/^prog_id:\s+(\d+)$/gm)].map(([, id]) => Number(id))));
}

/** Addresses of the two ends: the client's frames come from where no socket is. */
export const SERVER_IP = '10.99.0.1';
export const MACS = { server: '02:00:00:00:63:01', client: '02:00:00:00:63:02' };

/** A server in a namespace of its own, with device `in`, and another namespace with device `out` at the link's end. */
export class KernelServer {
  readonly server: string;
  readonly client: string;
  program!: Program;

  constructor(
    namespaces: Namespaces,
    readonly way: 'kernel' | 'threads',
    readonly folder: string,
    clientAddresses: string[] = [],
    private readonly kind: AttachKind = 'tcx',
  ) {
    mkdirSync(folder, { recursive: true });
    this.server = namespaces.add(`${way}-s`);
    this.client = namespaces.add(`${way}-c`);
    join([this.server, 'in', [`${SERVER_IP}/24`, 'fd99::1/64']], [this.client, 'out', clientAddresses]);
    run('ip', '-n', this.server, 'link', 'set', 'in', 'address', MACS.server);
    run('ip', '-n', this.client, 'link', 'set', 'out', 'address', MACS.client);
    // It goes with the link, or with this process.
    if (kind === 'xdp') passAll(this.client, 'out');
  }

  async start(files: Readonly<Record<string, string>>, ...flags: string[]): Promise<void> {
    this.write(files);
    const io = this.way === 'kernel' ? `kernel=${this.kind}:in` : 'batched';
    this.program = new Program(
      [...this.inside('server'), ...PROGRAM, '-io', io, '-workers', '1', '-conf', 'Corefile', ...flags],
      {},
      this.folder,
    );
    await this.program.said(/nodens-/);
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(this.folder, name), text);
  }

  /** The command line in front of one that is to run at an end of the link. */
  inside(end: 'server' | 'client'): string[] {
    return ['ip', 'netns', 'exec', this[end]];
  }

  /** Number of the process that serves in the server's namespace, which the first one has handed over to. */
  successor(): number {
    return Number(run('ip', 'netns', 'pids', this.server).trim().split('\n')[0]);
  }

  metrics(): string {
    return run(...(this.inside('server') as [string]), process.execPath, '-e', FETCH, 'http://127.0.0.1:9153/metrics');
  }

  /** How many queries came to this end in the kernel. */
  outcome(name: string): number {
    return Number(new RegExp(`kernel_queries_total\\{outcome="${name}"\\} (\\d+)`).exec(this.metrics())?.[1] ?? 0);
  }
}

const FETCH = 'fetch(process.argv[1]).then((got) => got.text()).then((text) => process.stdout.write(text))';
