import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { NetNs } from '../../../src/datapath/netns/netns.js';
import { formatRoute } from '../../../src/datapath/netns/route.js';
import type { World } from '../../../src/datapath/world.js';
import { iptablesSave } from '../../../src/observe/host-lists.js';
import { Program } from '../../support/program.js';
import { Namespaces, inside, join, run, runIn } from '../node-local/namespaces.js';
import { CACHE_IP, CACHE_NODE, CLUSTER_DNS, PORT, SERVERS, namespacesOf } from './cluster.js';
import { onlyAcks, type Seen } from './lines.js';
import type { Row } from './rows.js';

export const NAME = 'webpod.default.svc.cluster.local';
const ADDRESS = '10.96.152.212';
/** What a capture has of packets that come late, once all that are expected are there. */
const SETTLED = 30;
const PATIENCE = 2_000;

/** A cluster's namespaces, links, addresses and routes in the kernel, with servers, and a capture in each namespace. */
export class KernelCluster {
  private readonly namespaces = new Namespaces();
  private readonly names = new Map<string, string>();
  private readonly captures = new Map<string, Capture>();
  private readonly servers: Program[] = [];
  private readonly loaded = new Map<string, string>();
  private links = 0;

  constructor(private readonly world: World) {}

  /** Makes it, and starts what answers and what captures; resolves when all of it is ready. */
  async start(): Promise<void> {
    this.build();
    for (const id of SERVERS) this.serve(id);
    this.serve(`node/${CACHE_NODE}`, CACHE_IP, CLUSTER_DNS);
    // Nothing comes back from this port: as of a program that hangs.
    const near = this.at('pod/kube-system/near');
    runIn(near, 'iptables', '-A', 'INPUT', '-p', 'udp', '--dport', String(PORT.silent), '-j', 'DROP');
    for (const [id, name] of this.names) this.captures.set(id, new Capture(name));
    await Promise.all(this.servers.map((server) => server.said(/started, version/)));
    await Promise.all([...this.captures.values()].map((capture) => capture.ready));
  }

  /** Loads the rules that a model's nodes print, and forgets all connections. */
  load(world: World): void {
    for (const node of world.cluster.nodes.values()) {
      const name = this.at(node.netns.id);
      // These words only count, in an object of the kernel that another tool makes.
      const rules = iptablesSave(node, { now: 0 }).map((line) => line.replace(/-m nfacct --nfacct-name \S+ /, ''));
      const input = `${rules.join('\n')}\n`;
      if (this.loaded.get(name) !== input) restore(name, input);
      this.loaded.set(name, input);
      runIn(name, 'conntrack', '-F');
    }
  }

  /** Runs a flow, and waits until as many packets as `expected` tells have been seen, or none comes any more. */
  async run(row: Row, expected: Seen): Promise<Seen> {
    for (const capture of this.captures.values()) capture.begin();
    await new Program(inside(this.at(row.from), ...clientOf(row))).ended();
    const missing = (): boolean =>
      [...this.captures].some(
        ([id, capture]) => capture.count < (expected.packets[id] ?? []).filter((line) => !onlyAcks(line)).length,
      );
    for (const end = performance.now() + PATIENCE; missing() && performance.now() < end;) await pause(10);
    await pause(SETTLED);
    const nodes = [...this.world.cluster.nodes.values()];
    return {
      packets: Object.fromEntries([...this.captures].map(([id, capture]) => [id, capture.lines()])),
      entries: Object.fromEntries(
        nodes.map(({ name, netns }) => [name, connections(runIn(this.at(netns.id), 'conntrack', '-L'))]),
      ),
    };
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.stop('SIGKILL');
    for (const capture of this.captures.values()) await capture.stop();
    this.namespaces.remove();
  }

  private at(id: string): string {
    return this.names.get(id)!;
  }

  private build(): void {
    const { world } = this;
    const all = namespacesOf(world);
    for (const [i, id] of [...all.keys()].entries()) this.names.set(id, this.namespaces.add(`mk-${i}`));
    const middle = this.namespaces.add('mk-links');
    const segments = [...all.values()].flatMap(({ interfaces }) => interfaces.map(({ segment }) => segment));
    const bridges = [...new Set(segments.filter((segment) => segment !== undefined))];
    for (const [i] of bridges.entries()) {
      run('ip', '-n', middle, 'link', 'add', `br${i}`, 'type', 'bridge');
      run('ip', '-n', middle, 'link', 'set', `br${i}`, 'up');
    }
    for (const netns of all.values()) this.addDevices(netns, middle, bridges);
    for (const { model, endpoint } of this.pods())
      join([this.at(model.node.netns.id), endpoint, []], [this.at(model.netns.id), 'eth0', [`${model.ip}/32`]]);
    for (const netns of all.values()) this.addRoutes(netns);
  }

  private *pods() {
    for (const model of this.world.cluster.pods.values())
      if (model.endpoint) yield { model, endpoint: model.endpoint.device };
  }

  private addDevices(netns: NetNs, middle: string, bridges: readonly string[]): void {
    const name = this.at(netns.id);
    if (netns.kind === 'pod') return;
    for (const { name: device, segment, addresses } of netns.interfaces) {
      const texts = addresses.map(({ ip, prefixLength }) => `${ip}/${prefixLength}`);
      if (segment !== undefined) {
        const port = `p${this.links++}`;
        join([name, device, texts], [middle, port, []]);
        run('ip', '-n', middle, 'link', 'set', port, 'master', `br${bridges.indexOf(segment)}`);
      } else if (device !== 'lo' && !device.startsWith('lxc')) {
        // A device that only has addresses: dummy ones are not there in each kernel.
        run('ip', '-n', name, 'link', 'add', device, 'type', 'bridge');
        for (const text of texts) run('ip', '-n', name, 'addr', 'add', text, 'dev', device);
        run('ip', '-n', name, 'link', 'set', device, 'up');
      }
    }
    runIn(name, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.send_redirects=0');
  }

  /** Those to a link come first, which the others go by. */
  private addRoutes({ id, routes }: NetNs): void {
    const list = routes
      .list()
      .filter(({ protocol, scope, source }) => protocol !== 'kernel' || scope === undefined || source === undefined);
    for (const route of [...list].sort((a, b) => Number(a.via !== undefined) - Number(b.via !== undefined)))
      run('ip', '-n', this.at(id), 'route', 'replace', ...formatRoute(route).split(' '));
  }

  private serve(id: string, ...addresses: string[]): void {
    const own = addresses.length > 0 ? [`--listen-address=${addresses.join(',')}`, '--bind-interfaces'] : [];
    const fixed = ['--no-hosts', '--no-resolv', '--conf-file=/dev/null', '--pid-file=', '--user=root'];
    const command = ['dnsmasq', '--keep-in-foreground', '--log-facility=-', ...fixed, ...own];
    this.servers.push(new Program(inside(this.at(id), ...command, `--host-record=${NAME},${ADDRESS}`)));
  }
}

function restore(name: string, input: string): void {
  const { status, stderr } = spawnSync('ip', ['netns', 'exec', name, 'iptables-restore'], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name}: the kernel refuses the rules: ${stderr}`);
}

function clientOf({ to, port = 53, by = 'UDP', source }: Row): string[] {
  if (by === 'ICMP') return ['busybox', 'ping', '-c', '1', '-W', '1', to];
  const options = ['+noedns', '+noad', '+tries=1', '+time=1', ...(by === 'TCP' ? ['+tcp'] : [])];
  return ['dig', `@${to}`, '-p', String(port), NAME, ...options, ...(source === undefined ? [] : ['-b', source])];
}

const pause = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time));
/** Those of flows; bridges of the kernel have some of their own. */
const connections = (text: string): string[] => textLines(text).filter((line) => /^(?:udp|tcp|icmp) /.test(line));
const textLines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** The header that a capture on all devices has before the IP header. */
const SLL2_HEADER = 20;
const IP = { totalLength: 2, ttl: 8, protocol: 9, header: 20 } as const;
const TCP = { number: 6, dataOffset: 12, flags: 13, ack: 0x10 } as const;

/** tcpdump on all devices of a namespace, as it runs. */
class Capture {
  private readonly child: ChildProcess;
  private bytes = Buffer.alloc(0);
  private start = FILE_HEADER;
  readonly ready: Promise<void>;

  constructor(private readonly namespace: string) {
    // Without -s the buffer has room for eight packets only, and others are lost.
    const args = ['-i', 'any', '-n', '-s', '2000', '-U', '--immediate-mode', '-w', '-', 'udp or tcp or icmp'];
    const [program = '', ...rest] = inside(namespace, 'tcpdump', ...args);
    this.child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout!.on('data', (chunk: Buffer) => (this.bytes = Buffer.concat([this.bytes, chunk])));
    this.ready = new Promise((resolve, reject) => {
      let said = '';
      this.child.stderr!.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('listening on')) resolve();
      });
      this.child.once('exit', () => reject(new Error(`tcpdump ended: ${said}`)));
    });
  }

  /** Leaves out what was captured until now. */
  begin(): void {
    this.start = Math.max(FILE_HEADER, this.bytes.length);
  }

  /** Packets since `begin`, without segments that only acknowledge. */
  get count(): number {
    return this.datagrams().filter((bytes) => !isOnlyAck(bytes)).length;
  }

  /** What tcpdump prints of the packets since `begin`, each after its time to live. */
  lines(): string[] {
    const datagrams = this.datagrams();
    if (datagrams.length === 0) return [];
    const [program = '', ...args] = inside(this.namespace, 'tcpdump', '-nn', '-t', '-r', '-');
    const input = Buffer.concat([this.bytes.subarray(0, FILE_HEADER), this.bytes.subarray(this.start)]);
    const { stdout } = spawnSync(program, args, { input, encoding: 'utf8' });
    return textLines(stdout).map((line, i) => `ttl ${datagrams[i]![IP.ttl]} ${line}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  /** From the IP header on. */
  private datagrams(): Buffer[] {
    const found: Buffer[] = [];
    for (let at = this.start; at + RECORD_HEADER <= this.bytes.length;) {
      const length = this.bytes.readUInt32LE(at + 8);
      if (at + RECORD_HEADER + length > this.bytes.length) break;
      found.push(this.bytes.subarray(at + RECORD_HEADER + SLL2_HEADER, at + RECORD_HEADER + length));
      at += RECORD_HEADER + length;
    }
    return found;
  }
}

function isOnlyAck(ip: Buffer): boolean {
  if (ip[IP.protocol] !== TCP.number) return false;
  const header = IP.header + (ip[IP.header + TCP.dataOffset]! >> 4) * 4;
  return ip[IP.header + TCP.flags] === TCP.ack && ip.readUInt16BE(IP.totalLength) === header;
}
