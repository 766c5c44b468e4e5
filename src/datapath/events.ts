import type { Milliseconds } from '../lib/units.js';
import type { Fragment, Packet, IpProtocol } from './packet.js';

/** The pod behind an address at the moment of the event. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly endpointId: number;
  /** Security labels, `source:key=value`, sorted. */
  readonly labels: readonly string[];
}

/** One end of a flow as the agent on the event's node knows it. */
export interface FlowPeer {
  readonly ip: string;
  /** Zero when the event does not know it (socket events know no client port) and for ICMP. */
  readonly port: number;
  readonly identity: number;
  readonly pod?: PodRef;
}

interface EventBase {
  /** Wall-clock time of the event. */
  readonly time: Milliseconds;
  /** Rises by one with each event of a world; orders events of the same time. */
  readonly seq: number;
  /** Name of the node or of the host outside the cluster on which it happened. */
  readonly node: string;
}

export type SockPoint = 'pre-xlate-fwd' | 'post-xlate-fwd' | 'pre-xlate-rev' | 'post-xlate-rev';

/**
 * The socket hook looked at, or changed, an address. In the rev points `source` is the peer and `destination` the
 * caller.
 */
export interface SockEvent extends EventBase {
  readonly kind: 'sock';
  readonly point: SockPoint;
  readonly protocol: IpProtocol;
  readonly source: FlowPeer;
  readonly destination: FlowPeer;
  readonly cookie: number;
  readonly cgroupId: number;
  /**
   * True for a process in the node's own network namespace; Hubble leaves those out (their cgroup belongs to no pod
   * address).
   */
  readonly hostNamespace: boolean;
}

export type TracePoint =
  | 'to-endpoint'
  | 'to-host'
  | 'to-stack'
  | 'to-overlay'
  | 'to-network'
  | 'from-endpoint'
  | 'from-host'
  | 'from-stack'
  | 'from-overlay'
  | 'from-network';

/** Numbers of the points on the wire (monitor message type 4). */
export const TRACE_POINT_NUMBER: Record<TracePoint, number> = {
  'to-endpoint': 0,
  'to-host': 2,
  'to-stack': 3,
  'to-overlay': 4,
  'from-endpoint': 5,
  'from-host': 7,
  'from-stack': 8,
  'from-overlay': 9,
  'from-network': 10,
  'to-network': 11,
};

/** Conntrack's word for the packet; `unknown` where no connection table was asked. */
export type TraceReason = 'new' | 'established' | 'reply' | 'related' | 'reopened' | 'unknown';

/** A packet passed an observation point and monitor aggregation let it be told. */
export interface TraceEvent extends EventBase {
  readonly kind: 'trace';
  readonly point: TracePoint;
  readonly reason: TraceReason;
  /** undefined where unknown. */
  readonly isReply: boolean | undefined;
  readonly source: FlowPeer;
  readonly destination: FlowPeer;
  readonly packet: Packet;
  /** Address before translation, zero-valued when there was none. */
  readonly originalSource: string;
  readonly interface: { readonly name: string; readonly index: number };
  /** Endpoint that the packet goes to (to-endpoint) or comes from; 0 for none. */
  readonly endpointId: number;
  readonly flow: number;
}

/** Cilium's drop reasons that the model can come to. */
export const DROP_REASON = {
  133: 'Policy denied',
  155: 'CT: Map insertion failed',
  158: 'Service backend not found',
  160: 'No tunnel/encapsulation endpoint (datapath BUG!)',
  134: 'Invalid packet',
  167: 'No mapping for NAT masquerade',
  168: 'Unsupported protocol for NAT masquerade',
  169: 'FIB lookup failed',
  196: 'TTL exceeded',
} as const;
export type DropReason = keyof typeof DROP_REASON;

/** Cilium dropped a packet. */
export interface DropEvent extends EventBase {
  readonly kind: 'drop';
  readonly reason: DropReason;
  readonly source: FlowPeer;
  readonly destination: FlowPeer;
  readonly packet: Packet;
}

/** Outer headers of an encapsulated packet. */
export interface Encapsulation {
  readonly type: 'vxlan' | 'geneve';
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
  /** The sender's security identity, carried as network identifier. */
  readonly vni: number;
}

/** A packet as a capture on one device sees it. */
export interface CaptureEvent extends EventBase {
  readonly kind: 'capture';
  /** Network namespace of the device: `node/NAME`, `pod/NAMESPACE/NAME` or `host/NAME`. */
  readonly netns: string;
  readonly device: string;
  readonly deviceIndex: number;
  readonly direction: 'In' | 'Out';
  readonly packet: Packet;
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly encapsulation?: Encapsulation;
  /** Set for each piece of a datagram longer than the MTU. */
  readonly fragment?: Fragment;
}

/** A question or an answer about the hardware address of a neighbour, as a capture on one device sees it (RFC 826). */
export interface ArpEvent extends EventBase {
  readonly kind: 'arp';
  /** As in `CaptureEvent`. */
  readonly netns: string;
  readonly device: string;
  readonly deviceIndex: number;
  readonly direction: 'In' | 'Out';
  readonly operation: 'request' | 'reply';
  readonly senderIp: string;
  readonly senderMac: string;
  readonly targetIp: string;
  readonly targetMac: string;
}

/** A line of the kernel log. */
export interface KernelEvent extends EventBase {
  readonly kind: 'kernel';
  readonly text: string;
}

/**
 * A packet ended on its way without Cilium saying so: no route, no host with that address, netfilter, a full kernel
 * table.
 */
export interface LossEvent extends EventBase {
  readonly kind: 'loss';
  readonly packet: Packet;
  readonly reason: string;
}

/** A redirect that would hand a backend its own question. */
export interface LoopEvent extends EventBase {
  readonly kind: 'loop';
  /** `namespace/name` of the policy. */
  readonly policy: string;
  readonly frontend: string;
  readonly backend: string;
  readonly caller: FlowPeer;
}

export type DatapathEvent =
  SockEvent | TraceEvent | DropEvent | CaptureEvent | ArpEvent | KernelEvent | LossEvent | LoopEvent;

/** Where a packet ended. `lost` covers all ends that are neither a socket nor a drop by Cilium. */
export type Verdict = 'delivered' | 'dropped' | 'lost' | 'refused';

/** What became of one packet. Events are in the order in which they happened. */
export interface PacketOutcome {
  readonly verdict: Verdict;
  /** Why, for anything but `delivered`. */
  readonly reason?: string;
  readonly events: readonly DatapathEvent[];
  /** The packet as the last place saw it. */
  readonly packet: Packet;
}
