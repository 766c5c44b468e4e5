import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { Namespaces, inside, join, run, runIn } from '../e2e/node-local/namespaces.js';
import { kernelCounters, moreThan } from './kernel-counters.js';
import { PROGRAM, Program } from './program.js';

export const LOCAL = '169.254.20.10';
export const KUBE_DNS = '10.96.0.10';
/** What is asked for, and who has it. */
export const NAME = 'www.example.test';
const HOSTS = `    hosts {
        192.0.2.7 ${NAME}
    }
`;
const CLUSTER_DNS = '172.21.0.2';
const baseOf = (lines: string): string => `.:53 {
    bind __PILLAR__LOCAL__DNS__
    health __PILLAR__LOCAL__DNS__:8080
    prometheus :9253
${lines}}
`;
const BASE = baseOf(`    cache\n${HOSTS}`);
/** Asks the cluster's DNS each query, over the connections that it has to it. */
export const FORWARDING = baseOf(`    forward . ${CLUSTER_DNS} {\n        force_tcp\n    }\n`);

/** What an asker counted. */
export interface Counted {
  readonly asked: number;
  readonly wrong: number;
  readonly lost: { readonly udp: number; readonly tcp: number };
  /** The longest row of losses, in milliseconds. */
  readonly longest: number;
  /** How many were lost by what the asker saw of it. */
  readonly why: Readonly<Record<string, number>>;
  /** The longest that the asker itself did not run, in milliseconds: on a busy machine others had its turn. */
  readonly stood: number;
  /** What answers took, in milliseconds. */
  readonly p99: number;
  readonly worst: number;
  /** What the kernel counted meanwhile that becomes of queries without an answer, by place and counter. */
  readonly kernel: Readonly<Record<string, number>>;
}

export interface RollingOptions {
  readonly takeover: boolean;
  readonly skipTeardown?: boolean;
  /** The template; one that serves by default. */
  readonly base?: string;
}

/** One instance: process 1 of a pid namespace of its own, in the network of the node. */
export class Instance {
  constructor(readonly program: Program) {}

  /** The process as this namespace sees it. */
  get pid(): number {
    const { pid } = this.program.child;
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
    return Number(child);
  }

  signal(signal: NodeJS.Signals): void {
    // Before it is there, what starts it.
    process.kill(this.pid || this.program.child.pid!, signal);
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this.program;
    if (child.exitCode !== null || child.signalCode !== null) return;
    this.signal(signal);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

/** The command line that is process 1 of a pid namespace, in a network. */
export const alone = (namespace: string, ...command: string[]): string[] =>
  inside(namespace, 'unshare', '--pid', '--fork', '--mount-proc', '--kill-child', ...command);

/**
 * Asks at both addresses, or at some, until the returned function is called.
 *
 * @param pod the network that asks
 * @param networks the others that a query and its answer may come through, by their roles
 * @param sockets `each` for a UDP socket for each query, as programs have that look names up now and then
 */
export async function askFrom(
  pod: string,
  networks: () => Readonly<Record<string, string>>,
  rate: number,
  sockets: 'each' | 'set' = 'set',
  addresses: readonly string[] = [LOCAL, KUBE_DNS],
): Promise<() => Promise<Counted>> {
  const before = kernelCounters({ pod, ...networks() });
  const script = path.join(import.meta.dirname, 'steady-asker.mjs');
  const [program = '', ...args] = inside(pod, process.execPath, script, NAME, `${rate}`, sockets, ...addresses);
  const child: ChildProcess = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout!.on('data', (chunk) => (text += String(chunk)));
  while (!text.includes('asking\n')) await once(child.stdout!, 'data');
  return async () => {
    const closed = once(child, 'close');
    child.stdin!.end();
    await closed;
    const kernel = moreThan(before, kernelCounters({ pod, ...networks() }));
    return { ...(JSON.parse(text.split('\n')[1]!) as Omit<Counted, 'kernel'>), kernel };
  };
}

/** A node whose cache is updated as a DaemonSet's controller does it, and a pod that asks all the time. */
export class RollingNode {
  readonly started: Instance[] = [];
  private readonly namespaces = new Namespaces();
  private readonly node: string;
  private readonly pod: string;
  private readonly dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-rolling-'));
  private readonly shared = path.join(this.dir, 'host');

  constructor() {
    mkdirSync(this.shared, { mode: 0o755 });
    [this.node, this.pod] = [this.namespaces.add('node'), this.namespaces.add('pod')];
    join([this.node, 'lxc0', ['172.20.0.1/24']], [this.pod, 'eth0', ['172.20.0.69/24']]);
    run('ip', '-n', this.pod, 'route', 'add', 'default', 'via', '172.20.0.1');
  }

  /** Starts an instance; resolves when it serves. */
  async start(options: RollingOptions): Promise<Instance> {
    const program = this.launch(options);
    await program.program.said(/^nodens-\d/m, 60_000);
    for (let tries = 0; this.rules() < 24 && tries < 500; tries++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return program;
  }

  /** The same, without waiting. */
  launch({ takeover, skipTeardown = false, base = BASE }: RollingOptions): Instance {
    const own = mkdtempSync(path.join(this.dir, 'instance-'));
    writeFileSync(path.join(own, 'Corefile.base'), base);
    const args = ['-localip', `${LOCAL},${KUBE_DNS}`, '-basecorefile', path.join(own, 'Corefile.base')];
    if (takeover) args.push('-takeover', path.join(this.shared, 'dns.sock'));
    if (skipTeardown) args.push('-skipteardown');
    const command = [...PROGRAM, 'node-cache', ...args, '-conf', path.join(own, 'Corefile')];
    const made = new Instance(new Program(alone(this.node, ...command), { KUBE_DNS_SERVICE_HOST: '192.0.2.53' }));
    this.started.push(made);
    return made;
  }

  rules(): number {
    return runIn(this.node, 'iptables-nft-save')
      .split('\n')
      .filter((line) => line.includes('NodeLocal')).length;
  }

  get hasLink(): boolean {
    return run('ip', '-n', this.node, 'link', 'show').includes('nodelocaldns');
  }

  /** As `askFrom`. */
  ask(rate: number, sockets: 'each' | 'set' = 'set', addresses?: readonly string[]): Promise<() => Promise<Counted>> {
    return askFrom(this.pod, () => ({ node: this.node }), rate, sockets, addresses);
  }

  /**
   * Starts the cluster's DNS behind the node, at `CLUSTER_DNS` and, as kube-proxy translates it, at the address of the
   * service while no link of the node holds that; resolves when it serves.
   */
  async startCluster(): Promise<void> {
    const cluster = this.namespaces.add('cluster');
    join([this.node, 'eth0', ['172.21.0.1/24']], [cluster, 'eth0', [`${CLUSTER_DNS}/24`]]);
    run('ip', '-n', cluster, 'route', 'add', 'default', 'via', '172.21.0.1');
    runIn(this.node, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    for (const over of ['udp', 'tcp']) {
      const led = ['-d', KUBE_DNS, '-p', over, '--dport', '53', '-j', 'DNAT', '--to-destination', CLUSTER_DNS];
      runIn(this.node, 'iptables-nft', '-t', 'nat', '-A', 'PREROUTING', ...led);
    }
    const corefile = path.join(this.dir, 'cluster');
    writeFileSync(corefile, `.:53 {\n    bind 0.0.0.0\n${HOSTS}}\n`);
    const program = new Program(alone(cluster, ...PROGRAM, '-conf', corefile));
    this.started.push(new Instance(program));
    await program.said(/^nodens-\d/m, 60_000);
  }

  async stop(): Promise<void> {
    for (const instance of this.started.splice(0)) await instance.end('SIGKILL');
  }

  remove(): void {
    this.namespaces.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
