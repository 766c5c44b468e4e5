import { randomBelow } from '../../lib/random.js';
import type { Random } from '../../lib/random.js';
import type { NodeIpam } from '../ipam/ipam.js';
import type { NetNs } from '../netns/netns.js';
import type { Node } from './node.js';
import type { PodRef } from '../events.js';
import type { Process } from '../sockets/process.js';

/** Cilium's view of a local pod: `cilium-dbg endpoint list` and `bpf endpoint list`. */
export interface CiliumEndpoint {
  readonly id: number;
  readonly identity: number;
  readonly labels: readonly string[];
  readonly ip: string;
  /** The host side of the veth pair. */
  readonly device: string;
  readonly ifindex: number;
  /** Address of the pod's eth0. */
  readonly mac: string;
  /** Address of the host side, which answers all the pod's ARP questions. */
  readonly nodeMac: string;
}

export interface ContainerPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'UDP' | 'TCP';
}

/** What a pod is made from. Everything pinned here is drawn when left out. */
export interface PodSpec {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
  readonly hostNetwork?: boolean;
  /** Condition Ready. Default true. */
  readonly ready?: boolean;
  readonly ports?: readonly ContainerPort[];
  readonly ip?: string;
  readonly identity?: number;
  readonly endpointId?: number;
  readonly device?: string;
  readonly ifindex?: number;
  readonly mac?: string;
  readonly nodeMac?: string;
}

/** A pod in the model. Only the world changes what is not readonly. */
export class Pod {
  /** Missing for hostNetwork pods, and for pods whose address the agent does not manage any more. */
  endpoint: CiliumEndpoint | undefined;
  ref: PodRef | undefined;
  ready: boolean;
  /** Whether the agent drops what others send to the pod, as a policy without rules does. */
  denied = false;

  constructor(
    readonly spec: PodSpec,
    readonly node: Node,
    readonly netns: NetNs,
    readonly process: Process,
    readonly ip: string,
    /** Where the address came from, to give it back. */
    readonly ipam: NodeIpam | undefined,
  ) {
    this.ready = spec.ready ?? true;
  }

  get key(): string {
    return podKey(this.spec.namespace, this.spec.name);
  }

  /** A pod with an address of its own that lost its endpoint: it runs, and cannot be reached. */
  get unmanaged(): boolean {
    return !this.spec.hostNetwork && this.endpoint === undefined;
  }
}

export const podKey = (namespace: string, name: string): string => `${namespace}/${name}`;

/** Endpoint numbers that agents hand out; 1 is too often the host endpoint's to be drawn. */
const MAX_ENDPOINT_ID = 4095;

/** A number that no endpoint of the node has. */
export function drawEndpointId(taken: ReadonlySet<number>, random: Random): number {
  let id = 2 + randomBelow(random, MAX_ENDPOINT_ID - 1);
  while (taken.has(id)) id = id >= MAX_ENDPOINT_ID ? 2 : id + 1;
  return id;
}
