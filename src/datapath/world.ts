import { Channel } from '../lib/channel.js';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import type { ClusterModel } from './cluster/cluster.js';
import { checkIpam, ipamsOf } from './cluster/pools.js';
import type { NamespaceSpec } from './cluster/pools.js';
import { resolveConfig } from './config.js';
import type { DatapathConfig } from './config.js';
import { podKey } from './cluster/endpoint.js';
import type { Pod, PodSpec } from './cluster/endpoint.js';
import { TopologyError } from './errors.js';
import type { DatapathEvent } from './events.js';
import type { IpamConfig } from './ipam/ipam.js';
import { addStaticRoute } from './cluster/interfaces.js';
import { MasqueradePolicy } from './conntrack/masquerade.js';
import type { Node, NodeSpec, StaticRoute } from './cluster/node.js';
import { addDummyDevice } from './cluster/node-setup.js';
import type { HostSpec, ExternalHost } from './cluster/external-host.js';
import { goneBackends, replaceRedirects } from './cluster/redirects.js';
import type { RedirectSpec } from './cluster/redirects.js';
import type { Backend, BackendSpec, ServiceSpec } from './loadbalancer/service.js';
import type { ServiceTable } from './loadbalancer/service-table.js';
import { Traffic } from './traffic.js';
import type { WorldOptions } from './traffic.js';

/** A change of the cluster, for those who derive something from it. */
export type WorldChange =
  | { readonly kind: 'pod'; readonly namespace: string; readonly name: string; readonly node: string }
  | { readonly kind: 'service'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'node'; readonly name: string };

/** Settings that an agent can change without new devices or maps. */
const LIVE_SETTINGS: readonly (keyof DatapathConfig)[] = [
  'aggregation',
  'ipMasqAgent',
  'loadBalancing',
  'loopGuard',
  'masqueradeDevices',
  'nativeRoutingCidr',
  'neighbourProbes',
];

/**
 * A cluster, the hosts around it, and what happens to every packet. It does no I/O: programs open sockets on
 * `process` of a
 * pod, node or host, and whatever they send is forwarded to its end at once. `events` tells each step, in order.
 * The same options, seed and calls give the same run.
 */
export class World {
  readonly changes = new Channel<WorldChange>();
  readonly cluster: ClusterModel;
  private readonly traffic: Traffic;
  private readonly clock: Pick<Clock, 'now'>;

  constructor(options: WorldOptions) {
    this.clock = options.clock;
    this.traffic = new Traffic(options, resolveConfig(options.config));
    this.cluster = this.traffic.cluster;
  }

  /** Each step of each packet, in order. */
  get events(): Channel<DatapathEvent> {
    return this.traffic.events;
  }

  get config(): DatapathConfig {
    return this.cluster.settings;
  }

  /** Packets that programs have sent so far. */
  get sent(): number {
    return this.traffic.packets;
  }

  get services(): ServiceTable {
    return this.cluster.services;
  }

  addNode(spec: NodeSpec): Node {
    const node = this.cluster.addNode(spec);
    this.changes.emit({ kind: 'node', name: spec.name });
    return node;
  }

  addHost(spec: HostSpec): ExternalHost {
    return this.cluster.addHost(spec);
  }

  addNamespace(spec: NamespaceSpec): void {
    this.cluster.namespaces.set(spec.name, spec);
  }

  /**
   * Creates a pod: address, identity, endpoint, devices and routes. Throws a TopologyError or IpamError, and then
   * changes nothing.
   */
  addPod(spec: PodSpec): Pod {
    const pod = this.cluster.addPod(spec);
    this.podChanged(pod);
    return pod;
  }

  /** Deletes a pod. Connections that others hold to it as a backend end when the service loses it. */
  removePod(namespace: string, name: string): void {
    const pod = this.pod(namespace, name);
    this.cluster.removePod(pod);
    this.traffic.forget(pod);
    this.podChanged(pod);
  }

  setPodReady(namespace: string, name: string, ready: boolean): void {
    const pod = this.pod(namespace, name);
    pod.ready = ready;
    this.podChanged(pod);
  }

  /** Drops what others send to a pod, or lets it pass again. */
  setPodDenied(namespace: string, name: string, denied: boolean): void {
    this.pod(namespace, name).denied = denied;
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
    if (!this.services.remove(namespace, name))
      throw new TopologyError(`services.${namespace}/${name}`, 'there is no such service');
    this.abort(goneBackends(before, []));
    this.changes.emit({ kind: 'service', namespace, name });
  }

  /** Replaces what local redirect policies make of addresses on one node. */
  setRedirects(node: string, redirects: readonly RedirectSpec[]): void {
    this.abort(replaceRedirects(this.node(node), this.services, redirects));
  }

  /** Adds a dummy device with host addresses, as the node cache does. */
  addDummy(node: string, name: string, addresses: readonly string[]): void {
    addDummyDevice(this.node(node), name, addresses, this.traffic.random);
  }

  removeDummy(node: string, name: string): boolean {
    return this.node(node).netns.removeInterface(name);
  }

  /** Adds a route on a node or a host, as `ip route add` does. */
  addRoute(machine: string, route: StaticRoute): void {
    addStaticRoute((this.cluster.hosts.get(machine) ?? this.node(machine)).netns, route, `${machine}.routes`, 'boot');
  }

  /** Changes settings of a running cluster. Those that need other devices or maps are refused. */
  reconfigure(change: Partial<DatapathConfig>): void {
    for (const key of Object.keys(change) as (keyof DatapathConfig)[]) {
      if (!LIVE_SETTINGS.includes(key))
        throw new TopologyError(
          `config.${key}`,
          `cannot change while the cluster runs; these can: ${LIVE_SETTINGS.join(', ')}`,
        );
    }
    this.cluster.setConfig({ ...this.config, ...change });
    this.traffic.masquerade = new MasqueradePolicy(this.config);
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

  host(name: string): ExternalHost {
    const host = this.cluster.hosts.get(name);
    if (!host) throw new TopologyError('host', `there is no host named ${name}`);
    return host;
  }

  /** Moment of the next retransmission or other timer; undefined when nothing waits. */
  get nextTimer(): Milliseconds | undefined {
    return this.traffic.timers.next;
  }

  /** Has `told` called whenever {@link nextTimer} becomes earlier. */
  onEarlierTimer(told: () => void): void {
    this.traffic.timers.onEarlier = told;
  }

  /** Runs the timers that are due by the clock; returns how many. */
  runTimers(): number {
    return this.traffic.runTimers();
  }

  /** Removes expired entries from all connection and NAT tables; returns how many. */
  collectGarbage(): number {
    let removed = 0;
    for (const node of this.cluster.nodes.values()) {
      const now = node.uptime(this.clock.now());
      removed += node.conntrack.collect(now) + node.kernel.collect(now);
      removed += node.nat.collect((m) =>
        m.protocol === 'ICMP'
          ? node.conntrack.has('ICMP', m.src, 0, m.dst, m.sport, now)
          : node.conntrack.has(m.protocol, m.src, m.sport, m.dst, m.dport, now),
      );
    }
    return removed;
  }

  private abort(backends: readonly Backend[]): void {
    for (const { ip, port } of backends) this.traffic.abort(ip, port);
  }

  private podChanged(pod: Pod): void {
    this.changes.emit({ kind: 'pod', namespace: pod.spec.namespace, name: pod.spec.name, node: pod.spec.node });
  }
}
