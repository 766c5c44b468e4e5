import type { Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import { requireIp } from '../address.js';
import { resolveConfig } from '../config.js';
import type { DatapathConfig } from '../config.js';
import { CiliumConntrack } from '../conntrack/cilium.js';
import { KernelConntrack } from '../conntrack/kernel.js';
import { IpCache } from './ipcache.js';
import { Pod, podKey } from './endpoint.js';
import type { PodSpec } from './endpoint.js';
import { TopologyError } from '../errors.js';
import { IdentityAllocator, securityLabels } from './identity.js';
import { Ipam } from '../ipam/ipam.js';
import type { IpamConfig } from '../ipam/ipam.js';
import { addStaticRoute, buildInterfaces } from './interfaces.js';
import { checkIpam, poolOf } from './pools.js';
import type { NamespaceSpec } from './pools.js';
import { NatTable } from '../conntrack/nat.js';
import { NetNs } from '../netns/netns.js';
import type { NetNsKind } from '../netns/netns.js';
import { Node } from './node.js';
import type { NodeSpec } from './node.js';
import { addCiliumDevices, routeTo, setRouterAddress } from './node-setup.js';
import type { HostSpec, ExternalHost } from './external-host.js';
import { buildEndpoint, plugIn, refOf, unplug } from './pod-setup.js';
import type { Process } from '../sockets/process.js';
import { NetfilterRulesets } from './rulesets.js';
import type { Frontend } from '../loadbalancer/service.js';
import { ServiceTable } from '../loadbalancer/service-table.js';

export interface ClusterOptions {
  readonly random: Random;
  readonly config: DatapathConfig;
  readonly ipam: IpamConfig;
  readonly now: () => Milliseconds;
  /** Makes the process of a namespace; `pod` is set for pods with a namespace of their own or of their node. */
  readonly makeProcess: (netns: NetNs, place: ProcessPlace) => Process;
}

/** Whose namespace a process runs in. */
export type ProcessPlace = { readonly node: Node; readonly pod?: () => Pod } | { readonly host: () => ExternalHost };

/** How long a node has been up when it joins: connection tables count from boot. */
const UPTIME: Milliseconds = 3_600_000;
const NODE_PORTS = { first: 30_000, last: 32_767 };

/** Nodes, pods, hosts, services and their addresses, and what changes when one of them comes or goes. */
export class ClusterModel {
  readonly nodes = new Map<string, Node>();
  readonly hosts = new Map<string, ExternalHost>();
  readonly pods = new Map<string, Pod>();
  readonly namespaces = new Map<string, NamespaceSpec>();
  readonly services = new ServiceTable();
  readonly ipcache = new IpCache();
  readonly identities = new IdentityAllocator();
  readonly ipam: Ipam;
  readonly rules: NetfilterRulesets;
  private nextNetns = 1;
  private readonly config: () => DatapathConfig;

  constructor(private readonly options: ClusterOptions) {
    checkIpam(options.ipam, options.config);
    this.ipam = new Ipam(options.ipam, options.random);

    let { config } = options;
    this.config = () => config;
    this.setConfig = (next) => {
      config = resolveConfig(next);
    };
    this.rules = new NetfilterRulesets(this.services, this.config);
  }

  /** Changes settings that take effect at once. */
  readonly setConfig: (config: DatapathConfig) => void;

  get settings(): DatapathConfig {
    return this.config();
  }

  addNode(spec: NodeSpec, path = `nodes.${spec.name}`): Node {
    if (!spec.name) throw new TopologyError(`${path}.name`, 'a node needs a name');
    if (this.nodes.has(spec.name)) throw new TopologyError(`${path}.name`, `there are two nodes named ${spec.name}`);
    if (spec.interfaces.length === 0) throw new TopologyError(`${path}.interfaces`, 'a node needs a device');
    const config = this.config();
    const { random } = this.options;
    const netns = this.newNetns(`node/${spec.name}`, 'node');
    const devices = buildInterfaces(netns, spec.interfaces, config.mtu, random, `${path}.interfaces`);
    const internalIp =
      spec.internalIp === undefined
        ? devices.at(-1)?.addresses[0]?.ip
        : requireIp(spec.internalIp, `${path}.internalIp`);
    if (internalIp === undefined || !netns.ownerOf(internalIp))
      throw new TopologyError(`${path}.internalIp`, `${internalIp ?? 'nothing'} is no address of the node`);
    const node = new Node(
      spec,
      netns,
      internalIp,
      this.options.now() - UPTIME,
      new CiliumConntrack({
        tcpMax: config.ctTcpMax,
        anyMax: config.ctAnyMax,
        reportInterval: config.reportInterval,
        flagMask: config.monitorFlags === 'all' ? 0xff : 0x07,
        whenFull: config.ctWhenFull,
      }),
      new NatTable(config.natMax, random),
      new KernelConntrack(config.kernelConntrackMax, { earlyDrop: config.kernelEarlyDrop }),
      (owner) => this.rules.of(owner),
      (owner, ip, port, protocol) => this.lookup(owner, ip, port, protocol),
    );
    for (const [i, device] of devices.entries()) this.ipcache.attach(node, device, `${path}.interfaces[${i}]`);
    for (const [i, route] of (spec.routes ?? []).entries()) addStaticRoute(netns, route, `${path}.routes[${i}]`);
    addCiliumDevices(node, config, random);
    node.process = this.options.makeProcess(netns, { node });
    this.nodes.set(spec.name, node);
    for (const ip of [internalIp, ...node.externalIps]) this.ipcache.addNodeAddress(ip, node);
    this.join(node, path);
    return node;
  }

  addHost(spec: HostSpec, path = `hosts.${spec.name}`): ExternalHost {
    if (!spec.name) throw new TopologyError(`${path}.name`, 'a host needs a name');
    if (this.hosts.has(spec.name)) throw new TopologyError(`${path}.name`, `there are two hosts named ${spec.name}`);
    const netns = this.newNetns(`host/${spec.name}`, 'host');
    const devices = buildInterfaces(
      netns,
      spec.interfaces,
      this.config().mtu,
      this.options.random,
      `${path}.interfaces`,
    );
    const host: ExternalHost = {
      spec,
      name: spec.name,
      netns,
      process: this.options.makeProcess(netns, { host: () => host }),
    };
    for (const [i, device] of devices.entries()) this.ipcache.attach(host, device, `${path}.interfaces[${i}]`);
    for (const [i, route] of (spec.routes ?? []).entries()) addStaticRoute(netns, route, `${path}.routes[${i}]`);
    this.hosts.set(spec.name, host);
    return host;
  }

  addPod(spec: PodSpec, path = `pods.${spec.namespace}/${spec.name}`): Pod {
    const key = podKey(spec.namespace, spec.name);
    if (!spec.namespace || !spec.name) throw new TopologyError(path, 'a pod needs a namespace and a name');
    if (this.pods.has(key)) throw new TopologyError(`${path}.name`, `there are two pods named ${key}`);
    const node = this.nodes.get(spec.node);
    if (!node) throw new TopologyError(`${path}.node`, `there is no node named ${spec.node}`);
    const pod = spec.hostNetwork ? this.hostPod(spec, node) : this.ownPod(spec, node, path);
    this.pods.set(key, pod);
    node.pods.set(key, pod);
    return pod;
  }

  removePod(pod: Pod): void {
    this.release(pod);
    if (pod.ipam) this.ipam.release(pod.ipam, pod.ip);
    this.pods.delete(pod.key);
    pod.node.pods.delete(pod.key);
  }

  /**
   * Deletes a CiliumNode: its blocks go back, and the other nodes lose their routes to them. Pods keep their
   * addresses.
   */
  deleteCiliumNode(node: Node): void {
    if (!node.ciliumNode) throw new TopologyError(`ciliumNodes.${node.name}`, 'there is no such CiliumNode');
    this.ipam.dismiss(node.ciliumNode.ipam);
    this.ipcache.removeNodeAddress(node.ciliumNode.routerIp);
    node.setCiliumNode(undefined);
    for (const other of this.nodes.values()) routeTo(other, node, this.config());
  }

  /**
   * The agent starts anew: without a CiliumNode it gets one in the mode that is set now. Endpoints whose address is
   * not in
   * the node's blocks cannot be restored. Returns the pods that are unmanaged from now on.
   */
  restartAgent(node: Node): readonly Pod[] {
    if (!node.ciliumNode) this.join(node, `ciliumNodes.${node.name}`, false);
    const blocks = [...node.ciliumNode!.ipam.blocks.values()].flat();
    const lost = [...node.endpoints.values()].filter((pod) => !blocks.some((block) => block.contains(pod.ip)));
    for (const pod of lost) this.release(pod);
    return lost;
  }

  /** An address as the translations of a node have it: a service address, or a node port on any node's address. */
  private lookup(node: Node, ip: string, port: number, protocol: string): Frontend | undefined {
    const frontend = this.services.lookup(ip, port, protocol);
    if (frontend || port < NODE_PORTS.first || port > NODE_PORTS.last) return frontend;
    return this.ipcache.nodeByAddress(ip) || node.netns.hasAddress(ip)
      ? this.services.lookupNodePort(port, protocol)
      : undefined;
  }

  /** Gives a node its CiliumNode with blocks and a router address, and tells the other nodes. */
  private join(node: Node, path: string, pinned = true): void {
    const ipam = this.ipam.admit(node.name, pinned ? node.spec.podCidr : undefined, `${path}.podCidr`);
    const routerIp = this.ipam.allocate(ipam, `router of ${node.name}`, pinned ? node.spec.routerIp : undefined);
    node.setCiliumNode({ ipam, routerIp });
    this.ipcache.addNodeAddress(routerIp, node);
    const config = this.config();
    setRouterAddress(node, config);
    for (const other of this.nodes.values()) {
      routeTo(other, node, config);
      routeTo(node, other, config);
    }
    this.rules.cilium(node);
  }

  private hostPod(spec: PodSpec, node: Node): Pod {
    const pod: Pod = new Pod(
      spec,
      node,
      node.netns,
      this.options.makeProcess(node.netns, { node, pod: () => pod }),
      node.internalIp,
      undefined,
    );
    return pod;
  }

  private ownPod(spec: PodSpec, node: Node, path: string): Pod {
    if (!node.ciliumNode)
      throw new TopologyError(`${path}.node`, `${node.name} has no CiliumNode: its agent must be restarted first`);
    const { ipam } = node.ciliumNode;
    const key = podKey(spec.namespace, spec.name);
    const blocks = node.podBlocks.length;
    const pinned = spec.ip === undefined ? undefined : requireIp(spec.ip, `${path}.ip`);
    const ip = this.ipam.allocate(ipam, key, pinned, poolOf(spec, this.namespaces.get(spec.namespace), this.ipam.mode));
    node.refreshBlocks();
    if (node.podBlocks.length > blocks) this.spread(node);
    const netns = this.newNetns(`pod/${key}`, 'pod');
    const pod: Pod = new Pod(spec, node, netns, this.options.makeProcess(netns, { node, pod: () => pod }), ip, ipam);
    const labels = securityLabels({
      namespace: spec.namespace,
      labels: spec.labels ?? {},
      serviceAccount: spec.serviceAccount ?? 'default',
      namespaceLabels: this.namespaces.get(spec.namespace)?.labels ?? {},
      clusterName: this.config().clusterName,
    });
    try {
      pod.endpoint = buildEndpoint({
        spec,
        node,
        ip,
        labels,
        identities: this.identities,
        random: this.options.random,
        path,
      });
    } catch (error) {
      this.ipam.release(ipam, ip);
      throw error;
    }
    pod.ref = refOf(spec, pod.endpoint);
    plugIn(netns, node, pod.endpoint, this.config());
    node.endpoints.set(ip, pod);
    node.byDevice.set(pod.endpoint.device, pod);
    this.ipcache.addPod(pod);
    return pod;
  }

  private spread(node: Node): void {
    for (const other of this.nodes.values()) routeTo(other, node, this.config());
    this.rules.cilium(node);
  }

  /** Takes a pod's endpoint away; its namespace and address stay as they are. */
  private release(pod: Pod): void {
    unplug(pod);
    this.ipcache.removePod(pod);
    pod.node.conntrack.forget(pod.ip);
    pod.endpoint = undefined;
  }

  private newNetns(id: string, kind: NetNsKind): NetNs {
    return new NetNs(id, kind, this.nextNetns++);
  }
}
