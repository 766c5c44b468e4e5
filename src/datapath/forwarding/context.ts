import type { Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import { AGGREGATION_LEVEL } from '../config.js';
import type { DatapathConfig } from '../config.js';
import type { CtLookup } from '../conntrack/cilium.js';
import { DROP_REASON } from '../events.js';
import type { DatapathEvent, DropReason, Encapsulation, FlowPeer, TracePoint, Verdict } from '../events.js';
import type { Pod } from '../cluster/endpoint.js';
import type { Interface } from '../netns/interface.js';
import type { MasqueradePolicy } from '../conntrack/masquerade.js';
import type { NetNs } from '../netns/netns.js';
import type { Node } from '../cluster/node.js';
import type { Attachment } from '../cluster/ipcache.js';
import { flowHash } from '../packet.js';
import type { Fragment, Packet } from '../packet.js';
import type { PacketDraft } from '../sockets/stack.js';

/** An event before it has its number, time and place. */
export type EventDraft = DatapathEvent extends infer Event
  ? Event extends DatapathEvent
    ? Omit<Event, 'seq' | 'time' | 'node'>
    : never
  : never;

/** How long a packet takes, for the times of its events: inside a machine, and over a link. */
export interface Latency {
  readonly local: Milliseconds;
  readonly wire: Milliseconds;
}

/** What forwarding a packet needs of the world. */
export interface NetworkModel {
  readonly config: DatapathConfig;
  readonly random: Random;
  readonly latency: Latency;
  readonly masquerade: MasqueradePolicy;
  emit(time: Milliseconds, node: string, draft: EventDraft): void;
  /** An address as the agent of `view` knows it; without one as a host outside does. */
  peer(ip: string, port: number, view: Node | undefined): FlowPeer;
  isNodeAddress(ip: string): boolean;
  /** The node behind whose tunnel an address is: a pod's, or that of a router address. */
  tunnelEndpoint(ip: string): Node | undefined;
  attached(segment: string, ip: string): Attachment | undefined;
  /** Hands a packet to the socket it is for; false when there is none. */
  deliver(netns: NetNs, packet: Packet, at: Milliseconds): boolean;
  /** Lets the kernel of a namespace answer by itself, after this packet has been forwarded. */
  respond(netns: NetNs, draft: PacketDraft): void;
  /** A pod sends something to its router. */
  neighbourUsed(pod: Pod): void;
  frontendById(node: Node, id: number): { readonly ip: string; readonly port: number } | undefined;
}

export interface TraceDetail {
  readonly lookup?: CtLookup;
  readonly device?: { readonly name: string; readonly index: number };
  readonly endpointId?: number;
  readonly originalSource?: string;
  /** Set where no lookup decides: whether aggregation lets it through. */
  readonly report?: boolean;
}

const NO_DEVICE = { name: '', index: 0 };

/** One packet on its way. The other files of this folder forward it until `verdict` is set. */
export class PacketContext {
  encapsulation: Encapsulation | undefined;
  /** The skb mark that rules read and write. */
  mark = 0;
  verdict: Verdict | undefined;
  reason: string | undefined;
  /** Pieces of a datagram that did not fit the sender's link. */
  fragments: readonly Fragment[] = [];

  constructor(
    readonly network: NetworkModel,
    public packet: Packet,
    public time: Milliseconds,
  ) {}

  get done(): boolean {
    return this.verdict !== undefined;
  }

  /** The address that routers look at. */
  get routedTo(): string {
    return this.encapsulation?.dst ?? this.packet.dst;
  }

  capture(
    owner: string,
    netns: NetNs,
    device: Interface,
    direction: 'In' | 'Out',
    sourceMac: string,
    destinationMac: string,
  ): void {
    const base = {
      kind: 'capture' as const,
      netns: netns.id,
      device: device.name,
      deviceIndex: device.index,
      direction,
      packet: this.packet,
      sourceMac,
      destinationMac,
      ...(this.encapsulation && { encapsulation: this.encapsulation }),
    };
    if (this.fragments.length === 0) this.network.emit(this.time, owner, base);
    for (const fragment of this.fragments) this.network.emit(this.time, owner, { ...base, fragment });
  }

  /** Tells of an observation point, unless monitor aggregation keeps it back. */
  trace(node: Node, point: TracePoint, detail: TraceDetail): void {
    const level = AGGREGATION_LEVEL[this.network.config.aggregation];
    if (level >= AGGREGATION_LEVEL.lowest && point.startsWith('from-')) return;
    if (level >= AGGREGATION_LEVEL.medium && !(detail.lookup?.report ?? detail.report)) return;
    const state = detail.lookup?.state;
    this.network.emit(this.time, node.name, {
      kind: 'trace',
      point,
      reason: state ?? 'unknown',
      isReply: state === undefined ? undefined : state === 'reply',
      source: this.network.peer(this.packet.src, this.packet.sport, node),
      destination: this.network.peer(this.packet.dst, this.packet.dport, node),
      packet: this.packet,
      originalSource: detail.originalSource ?? this.packet.src,
      interface: detail.device ?? NO_DEVICE,
      endpointId: detail.endpointId ?? 0,
      flow: flowHash(this.packet),
    });
  }

  /** Cilium drops the packet and says why. */
  drop(node: Node, reason: DropReason): void {
    this.network.emit(this.time, node.name, {
      kind: 'drop',
      reason,
      source: this.network.peer(this.packet.src, this.packet.sport, node),
      destination: this.network.peer(this.packet.dst, this.packet.dport, node),
      packet: this.packet,
    });
    this.verdict = 'dropped';
    this.reason = DROP_REASON[reason];
  }

  /** The packet is lost outside Cilium, without a drop event. */
  lose(place: string, reason: string): void {
    this.network.emit(this.time, place, { kind: 'loss', packet: this.packet, reason });
    this.verdict = 'lost';
    this.reason = reason;
  }

  /** One hop less to go; false when that was the last. */
  decrementTtl(): boolean {
    this.packet = { ...this.packet, ttl: this.packet.ttl - 1 };
    return this.packet.ttl > 0;
  }

  /** Delivers the packet to a socket of the namespace. Without one, the kernel refuses it. */
  deliver(place: string, netns: NetNs): void {
    if (this.network.deliver(netns, this.packet, this.time)) {
      this.verdict = 'delivered';
      return;
    }
    this.verdict = 'refused';
    this.reason = `${place}: nothing listens on ${this.packet.dst}:${this.packet.dport}/${this.packet.protocol}`;
  }
}

export interface AddressRewrite {
  readonly src?: string;
  readonly sport?: number;
  readonly dst?: string;
  readonly dport?: number;
}

/**
 * A translated copy. An echo's identifier is its port; an ICMP error's inner packet is translated the other way
 * round.
 */
export function rewrite(packet: Packet, change: AddressRewrite): Packet {
  const src = change.src ?? packet.src;
  const dst = change.dst ?? packet.dst;
  const { icmp } = packet;
  if (!icmp) return { ...packet, src, dst, sport: change.sport ?? packet.sport, dport: change.dport ?? packet.dport };
  if (icmp.about) {
    const inner: AddressRewrite = { src: change.dst, sport: change.dport, dst: change.src, dport: change.sport };
    return { ...packet, src, dst, icmp: { ...icmp, about: rewrite(icmp.about, inner) } };
  }
  return { ...packet, src, dst, icmp: { ...icmp, id: change.sport ?? change.dport ?? icmp.id } };
}
