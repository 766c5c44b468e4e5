import { Channel } from '../lib/channel.js';
import type { Clock } from '../lib/clock.js';
import type { Random } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import { describeCaller, hooksFor } from './caller.js';
import { checkIpam, Cluster, ipamsOf } from './cluster.js';
import type { NamespaceSpec, Place } from './cluster.js';
import { resolveConfig } from './config.js';
import type { DatapathConfig } from './config.js';
import { Delivery } from './delivery.js';
import type { Schedule } from './delivery.js';
import { podKey } from './endpoint.js';
import type { Pod, PodSpec } from './endpoint.js';
import { TopologyError } from './errors.js';
import type { DatapathEvent, FlowPeer, Outcome } from './events.js';
import type { IpamConfig } from './ipam.js';
import { addStaticRoute } from './machine.js';
import { MasqueradePolicy } from './masquerade.js';
import { Neighbours } from './neighbours.js';
import type { NetNs } from './netns.js';
import type { Node, NodeSpec, StaticRoute } from './node.js';
import { addDummyDevice } from './node-setup.js';
import type { HostSpec, OutsideHost } from './outside-host.js';
import type { Packet } from './packet.js';
import { Process } from './process.js';
import { goneBackends, replaceRedirects } from './redirects.js';
import type { RedirectSpec } from './redirects.js';
import type { Backend, BackendSpec, ServiceSpec } from './service.js';
import type { ServiceTable } from './service-table.js';
import type { Caller } from './socket-lb.js';
import { SocketLb } from './socket-lb.js';
import type { PacketDraft } from './stack.js';
import { Timers } from './timers.js';
import { Walk } from './walk.js';
import type { Attachment, EventDraft, Fabric, Latency } from './walk.js';
import { hostOutput } from './walk-host.js';
import { podOutput } from './walk-pod.js';
import { stackOutput } from './walk-stack.js';

export interface WorldOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly config?: Partial<DatapathConfig>;
  readonly ipam?: IpamConfig;
  /** Added to the times of events along a packet's way. Default: none. */
  readonly latency?: Latency;
  /** Takes over when programs see their packets. Default: at once, after the call that sent them. */
  readonly schedule?: Schedule;
}

/** Something about the cluster has changed: who derives from it may look again. */
export type WorldChange =
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string; readonly node: string }
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'node'; readonly name: string };

const DEFAULT_TTL = 64;
/** Settings that an agent can change without new devices or maps. */
const LIVE_SETTINGS: readonly (keyof DatapathConfig)[] = ['aggregation', 'ipMasqAgent', 'loadBalancing', 'loopGuard', 'masqueradeDevices', 'nativeRoutingCidr', 'neighbourProbes'];

/**
 * A cluster, the hosts around it, and what happens to every packet. It does no I/O: programs open sockets on `process` of a
 * pod, node or host, and whatever they send is walked to its end at once. `events` tells each step, in order.
 * The same options, seed and calls give the same run.
 */
export class World implements Fabric {
  readonly events = new Channel<DatapathEvent>();
  readonly changes = new Channel<WorldChange>();
  readonly random: Random;
  readonly latency: Latency;
  masquerade: MasqueradePolicy;
  readonly cluster: Cluster;
  private readonly clock: Pick<Clock, 'now'>;
  private readonly timers = new Timers();
  private readonly delivery: Delivery;
  private readonly processes = new Map<NetNs, Process>();
  private readonly walks = new Map<Process, (walk: Walk) => void>();
  private readonly neighbours = new Neighbours({ timers: this.timers, now: () => this.clock.now(), emit: (time, node, draft) => this.emit(time, node, draft) });
  private collecting: DatapathEvent[] | undefined;
  private seq = 0;
  private packets = 0;
  private cookies = 0;

  constructor(options: WorldOptions) {
    const config = resolveConfig(options.config);
    this.clock = options.clock;
    this.random = options.random;
    this.latency = options.latency ?? { local: 0, wire: 0 };
    this.masquerade = new MasqueradePolicy(config);
    this.delivery = new Delivery((netns, draft) => this.processes.get(netns)?.respond(draft), options.schedule);
    this.cluster = new Cluster({
      random: options.random,
      config,
      ipam: options.ipam ?? { mode: 'cluster-pool' },
      now: () => this.clock.now(),
      makeProcess: (netns, place) => this.makeProcess(netns, place),
    });
  }

  get config(): DatapathConfig {
    return this.cluster.settings;
  }

  /** Packets that programs have sent so far. */
  get sent(): number {
    return this.packets;
  }

  get services(): ServiceTable {
    return this.cluster.services;
  }

  addNode(spec: NodeSpec): Node {
    const node = this.cluster.addNode(spec);
    this.changes.emit({ kind: 'node', name: spec.name });
    return node;
  }

  addHost(spec: HostSpec): OutsideHost {
    return this.cluster.addHost(spec);
  }

  addNamespace(spec: NamespaceSpec): void {
    this.cluster.namespaces.set(spec.name, spec);
  }

  /** Creates a pod: address, identity, endpoint, devices and routes. Throws a TopologyError or IpamError, and then changes nothing. */
  addPod(spec: PodSpec): Pod {
    const pod = this.cluster.addPod(spec);
    this.podChanged(pod);
    return pod;
  }

  /** Deletes a pod. Connections that others hold to it as a backend end when the service loses it. */
  removePod(namespace: string, name: string): void {
    const pod = this.pod(namespace, name);
    this.cluster.removePod(pod);
    if (!pod.spec.hostNetwork) {
      this.delivery.closeAll(pod.netns);
      this.processes.delete(pod.netns);
    }
    this.walks.delete(pod.process);
    this.podChanged(pod);
  }

  setPodReady(namespace: string, name: string, ready: boolean): void {
    const pod = this.pod(namespace, name);
    pod.ready = ready;
    this.podChanged(pod);
  }

  /** Adds a service or replaces its spec; backends are given apart, as endpoint slices are. */
  setService(spec: ServiceSpec): void {
    this.services.set(spec);
    this.changes.emit({ kind: 'service', namespace: spec.namespace, name: spec.name });
  }

  /** Replaces the backends of a service. Connected UDP sockets of the backends that are gone are ended. */
  setBackends(namespace: string, name: string, backends: readonly BackendSpec[]): void {
    const before = this.services.frontendsOf(namespace, name);
    this.services.setBackends(namespace, name, backends);
    this.abort(goneBackends(before, this.services.frontendsOf(namespace, name)));
    this.changes.emit({ kind: 'service', namespace, name });
  }

  removeService(namespace: string, name: string): void {
    const before = this.services.frontendsOf(namespace, name);
    if (!this.services.remove(namespace, name)) throw new TopologyError(`services.${namespace}/${name}`, 'there is no such service');
    this.abort(goneBackends(before, []));
    this.changes.emit({ kind: 'service', namespace, name });
  }

  /** Replaces what local redirect policies make of addresses on one node. */
  setRedirects(node: string, redirects: readonly RedirectSpec[]): void {
    this.abort(replaceRedirects(this.node(node), this.services, redirects));
  }

  /** Adds a dummy device with host addresses, as the node cache does. */
  addDummy(node: string, name: string, addresses: readonly string[]): void {
    addDummyDevice(this.node(node), name, addresses, this.random);
  }

  removeDummy(node: string, name: string): boolean {
    return this.node(node).netns.removeInterface(name);
  }

  /** Adds a route on a node or a host, as `ip route add` does. */
  addRoute(machine: string, route: StaticRoute): void {
    addStaticRoute((this.cluster.hosts.get(machine) ?? this.node(machine)).netns, route, `${machine}.routes`);
  }

  /** Changes settings of a running cluster. Those that need other devices or maps are refused. */
  reconfigure(change: Partial<DatapathConfig>): void {
    for (const key of Object.keys(change) as (keyof DatapathConfig)[]) {
      if (!LIVE_SETTINGS.includes(key)) throw new TopologyError(`config.${key}`, `cannot change while the cluster runs; these can: ${LIVE_SETTINGS.join(', ')}`);
    }
    this.cluster.setConfig({ ...this.config, ...change });
    this.masquerade = new MasqueradePolicy(this.config);
    for (const node of this.cluster.nodes.values()) this.cluster.rules.cilium(node);
  }

  /** Changes the IPAM mode: nothing moves until a CiliumNode is deleted and its agent restarted. */
  setIpam(ipam: IpamConfig): void {
    checkIpam(ipam, this.config);
    this.cluster.ipam.setConfig(ipam, ipamsOf(this.cluster.nodes.values()));
  }

  deleteCiliumNode(name: string): void {
    this.cluster.deleteCiliumNode(this.node(name));
  }

  /** Restarts agents, of all nodes if none is named. Returns the pods that are left without an endpoint. */
  restartAgents(...names: readonly string[]): readonly Pod[] {
    const nodes = names.length > 0 ? names.map((name) => this.node(name)) : [...this.cluster.nodes.values()];
    const lost = nodes.flatMap((node) => this.cluster.restartAgent(node));
    for (const pod of lost) this.podChanged(pod);
    return lost;
  }

  node(name: string): Node {
    const node = this.cluster.nodes.get(name);
    if (!node) throw new TopologyError('node', `there is no node named ${name}`);
    return node;
  }

  pod(namespace: string, name: string): Pod {
    const pod = this.cluster.pods.get(podKey(namespace, name));
    if (!pod) throw new TopologyError('pod', `there is no pod named ${podKey(namespace, name)}`);
    return pod;
  }

  host(name: string): OutsideHost {
    const host = this.cluster.hosts.get(name);
    if (!host) throw new TopologyError('host', `there is no host named ${name}`);
    return host;
  }

  /** Moment of the next retransmission or other timer; undefined when nothing waits. */
  get nextTimer(): Milliseconds | undefined {
    return this.timers.next;
  }

  /** Has `told` called whenever {@link nextTimer} becomes earlier. */
  onEarlierTimer(told: () => void): void {
    this.timers.onEarlier = told;
  }

  /** Runs the timers that are due by the clock; returns how many. */
  runTimers(): number {
    return this.delivery.call(() => this.timers.runUntil(this.clock.now()));
  }

  /** Removes expired entries from all connection and NAT tables; returns how many. */
  collectGarbage(): number {
    let removed = 0;
    for (const node of this.cluster.nodes.values()) {
      const now = node.uptime(this.clock.now());
      removed += node.conntrack.collect(now) + node.kernel.collect(now);
      removed += node.nat.collect((m) => (m.protocol === 'ICMP' ? node.conntrack.has('ICMP', m.src, 0, m.dst, m.sport, now) : node.conntrack.has(m.protocol, m.src, m.sport, m.dst, m.dport, now)));
    }
    return removed;
  }

  emit(time: Milliseconds, node: string, draft: EventDraft): void {
    // A draft is made for this call alone, so it may become the event: a copy of each would be the dearest step of a packet.
    const event = draft as { seq?: number; time?: Milliseconds; node?: string };
    event.seq = this.seq++;
    event.time = time;
    event.node = node;
    this.collecting?.push(event as DatapathEvent);
    this.events.emit(event as DatapathEvent);
  }

  peer(ip: string, port: number, view: Node | undefined): FlowPeer {
    return this.cluster.directory.peer(ip, port, view);
  }

  tunnelEndpoint(ip: string): Node | undefined {
    const node = this.cluster.directory.nodeByAddress(ip);
    return this.cluster.directory.podByIp(ip)?.node ?? (node?.ciliumNode?.routerIp === ip ? node : undefined);
  }

  isNodeAddress(ip: string): boolean {
    return this.cluster.directory.nodeByAddress(ip) !== undefined;
  }

  attached(segment: string, ip: string): Attachment | undefined {
    return this.cluster.directory.attached(segment, ip);
  }

  deliver(netns: NetNs, packet: Packet, at: Milliseconds): boolean {
    return this.delivery.deliver(netns, packet, at);
  }

  respond(netns: NetNs, draft: PacketDraft): void {
    this.delivery.later(() => this.processes.get(netns)?.respond(draft), this.clock.now());
  }

  neighbourUsed(pod: Pod): void {
    if (this.config.neighbourProbes) this.neighbours.used(pod);
  }

  frontendById(node: Node, id: number): { readonly ip: string; readonly port: number } | undefined {
    return this.services.frontendById(id) ?? node.redirectList().find((frontend) => frontend.id === id);
  }

  private output(process: Process, draft: PacketDraft): Outcome {
    return this.delivery.call(() => {
      const events: DatapathEvent[] = [];
      const outer = this.collecting;
      this.collecting = events;
      const walk = new Walk(this, { ...draft, number: ++this.packets, ttl: DEFAULT_TTL }, this.clock.now());
      try {
        this.walks.get(process)?.(walk);
      } finally {
        this.collecting = outer;
      }
      return { verdict: walk.verdict ?? 'lost', reason: walk.reason, events, packet: walk.packet };
    });
  }

  private makeProcess(netns: NetNs, place: Place): Process {
    const port = {
      random: this.random,
      timers: this.timers,
      delivery: this.delivery,
      now: () => this.clock.now(),
      nextCookie: () => ++this.cookies,
      output: (process: Process, draft: PacketDraft) => this.output(process, draft),
    };
    const describe = (): Caller => describeCaller(netns, place, (ip, view) => this.peer(ip, 0, view));
    const process = new Process(netns, port, describe, () => hooksFor(place, this.config));
    if ('host' in place) this.walks.set(process, (walk) => hostOutput(walk, place.host()));
    else if (netns.kind === 'node') this.walks.set(process, (walk) => stackOutput(walk, place.node));
    else this.walks.set(process, (walk) => podOutput(walk, place.pod!()));
    if (!this.processes.has(netns)) this.processes.set(netns, process);
    if ('node' in place && !place.pod) place.node.socketLb = this.makeSocketLb(place.node);
    return process;
  }

  private makeSocketLb(node: Node): SocketLb {
    const settings = (): DatapathConfig => this.config;
    return new SocketLb({
      frontend: (ip, port, protocol) => node.frontend(ip, port, protocol),
      peer: (ip, port) => this.peer(ip, port, node),
      emit: (draft) => this.emit(this.clock.now(), node.name, draft),
      now: () => node.uptime(this.clock.now()),
      random: this.random,
      node: node.name,
      get loopGuard() {
        return settings().loopGuard;
      },
      revNatMax: this.config.sockRevNatMax,
    });
  }

  private abort(backends: readonly Backend[]): void {
    for (const { ip, port } of backends) this.delivery.call(() => this.delivery.abortBackend(ip, port));
  }

  private podChanged(pod: Pod): void {
    this.changes.emit({ kind: 'pod', namespace: pod.spec.namespace, name: pod.spec.name, node: pod.spec.node });
  }
}
