// In a circle with endpoint.ts: a node has pods, and each pod knows its node.
import { parseCidr } from '../../lib/cidr.js';
import type { Cidr } from '../../lib/cidr.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import type { CiliumConntrack } from '../conntrack/cilium.js';
import type { KernelConntrack } from '../conntrack/kernel.js';
import type { Pod } from './endpoint.js';
import type { NodeIpam } from '../ipam/ipam.js';
import type { NatTable } from '../conntrack/nat.js';
import type { Netfilter } from '../netfilter/tables.js';
import type { NetNs } from '../netns/netns.js';
import type { Process } from '../sockets/process.js';
import { byId, frontendKey } from '../loadbalancer/service.js';
import type { Frontend } from '../loadbalancer/service.js';
import type { SocketLb } from '../loadbalancer/socket-lb.js';

/** A network device of a node or host, as a topology gives it. */
export interface InterfaceSpec {
  readonly name: string;
  /** `192.168.10.100/24`; the first is the primary one. */
  readonly addresses: readonly string[];
  /** The link it is on. Hosts see each other only on the same link; none for dummy devices. */
  readonly segment?: string;
  readonly mac?: string;
  readonly mtu?: number;
  /** Default gateway by this device. */
  readonly gateway?: string;
  /**
   * Set when the address comes by DHCP: routes carry `proto dhcp`, the metric, and host routes to gateway and name
   * server.
   */
  readonly dhcp?: { readonly dns?: string; readonly metric?: number };
}

export interface StaticRoute {
  readonly to: string;
  readonly via?: string;
  readonly device?: string;
}

export interface NodeSpec {
  readonly name: string;
  readonly interfaces: readonly InterfaceSpec[];
  /** The address that Kubernetes knows the node by. Default: the first of the last interface. */
  readonly internalIp?: string;
  readonly externalIps?: readonly string[];
  readonly routes?: readonly StaticRoute[];
  /** Pins the node's block of pod addresses. */
  readonly podCidr?: string;
  /** Pins the address of cilium_host. */
  readonly routerIp?: string;
  /** Pins the number of the endpoint that stands for the node itself in lists. */
  readonly hostEndpointId?: number;
  /** The API server runs here: other nodes give its addresses the identity kube-apiserver. */
  readonly apiServer?: boolean;
}

/** The custom resource that ties a node to its blocks. */
export interface CiliumNode {
  readonly ipam: NodeIpam;
  readonly routerIp: string;
}

/** A node of the cluster with everything its agent and its kernel keep. */
export class Node {
  /** Pods on the node, by `namespace/name`. */
  readonly pods = new Map<string, Pod>();
  /** Managed pods by address: the endpoint map. */
  readonly endpoints = new Map<string, Pod>();
  readonly byDevice = new Map<string, Pod>();
  /** Translations of this node that lie over the cluster's services. */
  readonly redirects = new Map<string, Frontend>();
  /** Blocks of other nodes that this one has routes to, and whose they are. */
  readonly peerRoutes = new Map<string, string>();
  ciliumNode: CiliumNode | undefined;
  /** Blocks, parsed once for the questions that each packet asks. */
  podBlocks: readonly Cidr[] = [];

  constructor(
    readonly spec: NodeSpec,
    readonly netns: NetNs,
    readonly internalIp: string,
    readonly bootTime: Milliseconds,
    readonly conntrack: CiliumConntrack,
    readonly nat: NatTable,
    readonly kernel: KernelConntrack,
    private readonly rules: (node: Node) => Netfilter,
    private readonly lookup: (node: Node, ip: string, port: number, protocol: string) => Frontend | undefined,
  ) {}

  socketLb!: SocketLb;
  process!: Process;

  get name(): string {
    return this.spec.name;
  }

  get externalIps(): readonly string[] {
    return this.spec.externalIps ?? [];
  }

  /** The rules as they are now: kube-proxy's are brought up to date on the way. */
  get netfilter(): Netfilter {
    return this.rules(this);
  }

  /** Seconds since boot, the time of all connection tables. */
  uptime(now: Milliseconds): Seconds {
    return (now - this.bootTime) / 1000;
  }

  /** The translation of an address on this node; a redirect hides the service under it. */
  frontend(ip: string, port: number, protocol: string): Frontend | undefined {
    return this.redirects.get(frontendKey(ip, port, protocol)) ?? this.lookup(this, ip, port, protocol);
  }

  /** Redirects by number. */
  redirectList(): readonly Frontend[] {
    return [...this.redirects.values()].sort(byId);
  }

  setCiliumNode(ciliumNode: CiliumNode | undefined): void {
    this.ciliumNode = ciliumNode;
    this.refreshBlocks();
  }

  /** To be called when the node was given another block. */
  refreshBlocks(): void {
    const blocks = [...(this.ciliumNode?.ipam.blocks.values() ?? [])].flat();
    this.podBlocks = blocks.map((block) => block.cidr);
  }
}

/** Reads `10.0.0.1/24`: the address apart from the block it is in. */
export function splitAddress(text: string): { readonly ip: string; readonly cidr: Cidr } | undefined {
  const cidr = text.includes('/') ? parseCidr(text) : undefined;
  return cidr && { ip: text.slice(0, text.indexOf('/')), cidr };
}
