import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Namespaces, join, run, runIn } from '../e2e/node-local/namespaces.js';
import { PROGRAM, Program } from './program.js';
import { Instance, KUBE_DNS, LOCAL, NAME, alone, askFrom, type Counted } from './rolling-node.js';

const CLUSTER = '172.21.0.2';
const known = `    hosts {
        192.0.2.7 ${NAME}
    }
`;

/** A node cache in a pod of its own. */
export interface CachePod extends Instance {
  readonly address: string;
}

/**
 * A node on which a CiliumLocalRedirectPolicy leads queries to the node cache, a pod without rights, while that is ready,
 * and else to the cluster's DNS; and a pod that asks all the time. The node's rules do what Cilium does: they decide for
 * each connection, and for each socket of a client, as it begins.
 */
export class RedirectNode {
  private readonly started: Instance[] = [];
  private readonly namespaces = new Namespaces();
  private readonly node: string;
  private readonly pod: string;
  private readonly dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-redirect-'));
  private pods = 0;
  /** Their networks, by role. */
  private readonly caches: Record<string, string> = {};

  /** @param lameduck how long a cache goes on after it was told to end, as its Corefile says */
  constructor(private readonly lameduck: string) {
    [this.node, this.pod] = [this.namespaces.add('policy-node'), this.namespaces.add('policy-pod')];
    runIn(this.node, 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    join([this.node, 'lxc', ['172.20.0.1/24']], [this.pod, 'eth0', ['172.20.0.69/24']]);
    run('ip', '-n', this.pod, 'route', 'add', 'default', 'via', '172.20.0.1');
  }

  /** The cluster's DNS; resolves when it serves. */
  async startCluster(): Promise<void> {
    const corefile = path.join(this.dir, 'cluster');
    writeFileSync(corefile, `.:53 {\n    bind 0.0.0.0\n${known}}\n`);
    const program = new Program(alone(this.network(), ...PROGRAM, '-conf', corefile));
    this.started.push(new Instance(program));
    await program.said(/^nodens-\d/m, 60_000);
    this.lead([]);
    // Cilium forgets connections to a pod that is gone; the kernel would lead a port that is used again there.
    for (const state of ['timeout', 'timeout_stream'])
      runIn(this.node, 'sysctl', '-qw', `net.netfilter.nf_conntrack_udp_${state}=1`);
  }

  /** A new pod of the DaemonSet; resolves when it is ready. */
  async start(): Promise<CachePod> {
    const own = mkdtempSync(path.join(this.dir, 'pod-'));
    const [base, corefile] = [path.join(own, 'Corefile.base'), path.join(own, 'Corefile')];
    const health = `    health {\n        lameduck ${this.lameduck}\n    }\n`;
    writeFileSync(base, `.:53 {\n    bind 0.0.0.0\n    cache\n${health}    prometheus :9253\n${known}}\n`);
    const nothing = ['-skipteardown=true', '-setupinterface=false', '-setupiptables=false'];
    const files = ['-basecorefile', base, '-conf', corefile];
    const command = [...PROGRAM, 'node-cache', '-localip', `${LOCAL},${KUBE_DNS}`, ...files, ...nothing];
    const network = this.network();
    const program = new Program(alone(network, ...command), { KUBE_DNS_SERVICE_HOST: CLUSTER });
    const made = Object.assign(new Instance(program), { address: `172.21.${this.pods - 1}.2` });
    this.started.push(made);
    await program.said(/^nodens-\d/m, 60_000);
    return made;
  }

  /** Queries go to these pods from now on, or to the cluster's DNS where there is none. */
  lead(to: readonly CachePod[]): void {
    const places = to.length === 0 ? [CLUSTER] : to.map(({ address }) => address);
    const which = `numgen inc mod ${places.length} map { ${places.map((place, i) => `${i} : ${place}`).join(', ')} }`;
    const rules = ['udp', 'tcp'].map((over) => `ip daddr { ${LOCAL}, ${KUBE_DNS} } ${over} dport 53 dnat to ${which}`);
    const file = path.join(this.dir, 'rules');
    const chain = 'ip local-redirect prerouting';
    // The chain stays: in the moment between two of them nothing would be translated.
    const head = `add table ip local-redirect\nadd chain ${chain} { type nat hook prerouting priority dstnat ; }`;
    const lines = [head, `flush chain ${chain}`, ...rules.map((rule) => `add rule ${chain} ${rule}`)];
    writeFileSync(file, `${lines.join('\n')}\n`);
    runIn(this.node, 'nft', '-f', file);
  }

  /** As `askFrom`. */
  ask(rate: number): Promise<() => Promise<Counted>> {
    return askFrom(this.pod, () => ({ node: this.node, ...this.caches }), rate, 'each');
  }

  async stop(): Promise<void> {
    for (const instance of this.started.splice(0)) await instance.end('SIGKILL');
  }

  remove(): void {
    this.namespaces.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** A network for one pod more. */
  private network(): string {
    const number = this.pods++;
    const name = this.namespaces.add(`cache-${number}`);
    this.caches[`cache-${number}`] = name;
    join([this.node, `cache${number}`, [`172.21.${number}.1/24`]], [name, 'eth0', [`172.21.${number}.2/24`]]);
    run('ip', '-n', name, 'route', 'add', 'default', 'via', `172.21.${number}.1`);
    return name;
  }
}
