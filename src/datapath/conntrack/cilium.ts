import type { Seconds } from '../../lib/units.js';
import type { TraceReason } from '../events.js';
import { FLAG_BIT, flagBits, hasFlag } from '../packet.js';
import type { Packet, IpProtocol } from '../packet.js';

/** Lifetimes of Cilium's connection tables (daemon flags bpf-ct-timeout-*). */
export const CT_LIFETIME = {
  regularAny: 60,
  serviceAny: 60,
  regularTcp: 8000,
  serviceTcp: 8000,
  serviceTcpGrace: 60,
  syn: 60,
  close: 10,
} as const;

export type CtDirection = 'OUT' | 'IN' | 'SVC';

/**
 * One line of `cilium-dbg bpf ct list global`, in the order client to server. Times are seconds since the node's
 * boot.
 */
export interface CtEntry {
  readonly protocol: IpProtocol;
  readonly direction: CtDirection;
  readonly src: string;
  readonly sport: number;
  readonly dst: string;
  readonly dport: number;
  expires: Seconds;
  rxFlagsSeen: number;
  txFlagsSeen: number;
  lastRxReport: Seconds;
  lastTxReport: Seconds;
  rxClosing: boolean;
  txClosing: boolean;
  seenNonSyn: boolean;
  revNat: number;
  sourceIdentity: number;
  backendId: number;
  /** A pod that reached itself through a service. */
  lbLoopback: boolean;
}

export interface CtLookup {
  readonly state: Exclude<TraceReason, 'unknown'>;
  readonly entry: CtEntry | undefined;
  /** Whether monitor aggregation lets the packet be reported. */
  readonly report: boolean;
}

export interface CtSettings {
  readonly tcpMax: number;
  readonly anyMax: number;
  readonly reportInterval: Seconds;
  readonly flagMask: number;
  /**
   * The maps are LRU hashes: a full one gives up its oldest entry. `fail` refuses the new one, as plain hash maps do.
   */
  readonly whenFull: 'evict' | 'fail';
}

interface Tuple {
  readonly src: string;
  readonly sport: number;
  readonly dst: string;
  readonly dport: number;
}

/** Connection tables of one node: a TCP map and one for everything else. */
export class CiliumConntrack {
  private readonly tcp = new Map<string, CtEntry>();
  private readonly any = new Map<string, CtEntry>();

  constructor(private readonly settings: CtSettings) {}

  get size(): number {
    return this.tcp.size + this.any.size;
  }

  /** Forgets all connections, as `cilium-dbg bpf ct flush global` does. */
  flush(): void {
    this.tcp.clear();
    this.any.clear();
  }

  /** Looks a packet up, the reply direction first, and renews what it finds. `egress` is the way out of an endpoint. */
  lookup(packet: Packet, way: 'egress' | 'ingress', now: Seconds): CtLookup {
    if (packet.icmp?.about) return this.related(packet.icmp.about, way, now);
    const tuple = tupleOf(packet);
    const reply = this.find(packet.protocol, way === 'egress' ? 'IN' : 'OUT', reverse(tuple), now);
    if (reply) return this.touch(reply, packet, way, now, 'reply');
    const forward = this.find(packet.protocol, way === 'egress' ? 'OUT' : 'IN', tuple, now);
    if (forward) return this.touch(forward, packet, way, now, 'established');
    return { state: 'new', entry: undefined, report: true };
  }

  /** Enters a new connection; undefined when the map is full and set to fail. */
  create(packet: Packet, way: 'egress' | 'ingress', now: Seconds, identity: number, revNat = 0): CtEntry | undefined {
    const entry = this.insert(packet.protocol, way === 'egress' ? 'OUT' : 'IN', tupleOf(packet), identity, revNat, now);
    if (entry) this.renew(entry, packet, way, now);
    return entry;
  }

  /**
   * The entry of a connection to a service address, which remembers the backend; only per-packet translation has
   * them.
   */
  service(packet: Packet, now: Seconds): CtEntry | undefined {
    const entry = this.find(packet.protocol, 'SVC', tupleOf(packet), now);
    // A SYN to a service whose connection is closing starts afresh, so that it may get another backend.
    if (entry && hasFlag(packet, 'SYN') && (entry.rxClosing || entry.txClosing)) return undefined;
    if (entry) {
      if (hasFlag(packet, 'FIN') || hasFlag(packet, 'RST')) entry.txClosing = true;
      entry.expires =
        now +
        (entry.txClosing
          ? CT_LIFETIME.serviceTcpGrace
          : packet.protocol === 'TCP'
            ? CT_LIFETIME.serviceTcp
            : CT_LIFETIME.serviceAny);
    }
    return entry;
  }

  createService(packet: Packet, now: Seconds, revNat: number, backendId: number): CtEntry | undefined {
    const entry = this.insert(packet.protocol, 'SVC', tupleOf(packet), 0, revNat, now);
    if (entry) {
      entry.backendId = backendId;
      entry.expires = now + (packet.protocol === 'TCP' ? CT_LIFETIME.syn : CT_LIFETIME.serviceAny);
    }
    return entry;
  }

  /** Whether the connection of an egress tuple is still known: its NAT mapping lives as long. */
  has(protocol: IpProtocol, src: string, sport: number, dst: string, dport: number, now: Seconds): boolean {
    return this.find(protocol, 'OUT', { src, sport, dst, dport }, now) !== undefined;
  }

  /** Removes what has expired and returns how many entries that were. */
  collect(now: Seconds): number {
    const before = this.size;
    for (const map of [this.tcp, this.any]) for (const [key, entry] of map) if (entry.expires <= now) map.delete(key);
    return before - this.size;
  }

  /** Removes all entries with the address, as the agent does for an endpoint that is gone. */
  forget(ip: string): void {
    for (const map of [this.tcp, this.any])
      for (const [key, entry] of map) if (entry.src === ip || entry.dst === ip) map.delete(key);
  }

  /** Live entries in the order of their creation. */
  list(now: Seconds): readonly Readonly<CtEntry>[] {
    return [...this.tcp.values(), ...this.any.values()].filter((entry) => entry.expires > now);
  }

  private map(protocol: IpProtocol): Map<string, CtEntry> {
    return protocol === 'TCP' ? this.tcp : this.any;
  }

  private find(protocol: IpProtocol, direction: CtDirection, tuple: Tuple, now: Seconds): CtEntry | undefined {
    const map = this.map(protocol);
    const key = keyOf(protocol, direction, tuple);
    const entry = map.get(key);
    if (!entry) return undefined;
    if (entry.expires > now) return entry;
    map.delete(key);
    return undefined;
  }

  private insert(
    protocol: IpProtocol,
    direction: CtDirection,
    tuple: Tuple,
    identity: number,
    revNat: number,
    now: Seconds,
  ): CtEntry | undefined {
    const map = this.map(protocol);
    const max = protocol === 'TCP' ? this.settings.tcpMax : this.settings.anyMax;
    if (map.size >= max) {
      this.collect(now);
      if (map.size >= max && this.settings.whenFull === 'fail') return undefined;
      if (map.size >= max) map.delete(map.keys().next().value!);
    }
    const entry: CtEntry = {
      protocol,
      direction,
      ...tuple,
      expires: now,
      rxFlagsSeen: 0,
      txFlagsSeen: 0,
      lastRxReport: 0,
      lastTxReport: 0,
      rxClosing: false,
      txClosing: false,
      seenNonSyn: false,
      revNat,
      sourceIdentity: identity,
      backendId: 0,
      lbLoopback: false,
    };
    map.set(keyOf(protocol, direction, tuple), entry);
    return entry;
  }

  private touch(
    entry: CtEntry,
    packet: Packet,
    way: 'egress' | 'ingress',
    now: Seconds,
    state: 'reply' | 'established',
  ): CtLookup {
    const map = this.map(entry.protocol);
    const key = keyOf(entry.protocol, entry.direction, entry);
    // Moving the entry to the end keeps the map in order of use, which is what LRU eviction goes by.
    map.delete(key);
    map.set(key, entry);
    const alive = !entry.rxClosing || !entry.txClosing;
    let report = alive ? this.renew(entry, packet, way, now) : true;
    if (hasFlag(packet, 'FIN') || hasFlag(packet, 'RST')) {
      close(entry, packet, way);
      report = true;
      if (entry.rxClosing && entry.txClosing) entry.expires = now + CT_LIFETIME.close;
    } else if (hasFlag(packet, 'SYN') && (entry.rxClosing || entry.txClosing)) {
      Object.assign(entry, { rxClosing: false, txClosing: false, rxFlagsSeen: 0, txFlagsSeen: 0, seenNonSyn: false });
      report = this.renew(entry, packet, way, now);
      if (state === 'established') return { state: 'reopened', entry, report };
    }
    return { state, entry, report };
  }

  /** Sets the expiry and tells whether the packet is news: new flags in its direction, or the interval has passed. */
  private renew(entry: CtEntry, packet: Packet, way: 'egress' | 'ingress', now: Seconds): boolean {
    entry.expires = now + lifetime(entry, packet);
    const seen = way === 'ingress' ? entry.rxFlagsSeen : entry.txFlagsSeen;
    const last = way === 'ingress' ? entry.lastRxReport : entry.lastTxReport;
    const flags = seen | (packet.tcp ? flagBits(packet.tcp.flags) & this.settings.flagMask : 0);
    // Zero stands for "never"; a node's clock starts above the interval.
    if (flags === seen && last !== 0 && last + this.settings.reportInterval >= now) return false;
    if (way === 'ingress') Object.assign(entry, { rxFlagsSeen: flags, lastRxReport: now });
    else Object.assign(entry, { txFlagsSeen: flags, lastTxReport: now });
    return true;
  }

  private related(about: Packet, way: 'egress' | 'ingress', now: Seconds): CtLookup {
    const tuple = tupleOf(about);
    const entry =
      this.find(about.protocol, way === 'egress' ? 'IN' : 'OUT', tuple, now) ??
      this.find(about.protocol, way === 'egress' ? 'OUT' : 'IN', reverse(tuple), now);
    return { state: entry ? 'related' : 'new', entry, report: true };
  }
}

function lifetime(entry: CtEntry, packet: Packet): Seconds {
  if (entry.protocol !== 'TCP') return CT_LIFETIME.regularAny;
  if (!hasFlag(packet, 'SYN')) entry.seenNonSyn = true;
  return entry.seenNonSyn ? CT_LIFETIME.regularTcp : CT_LIFETIME.syn;
}

function close(entry: CtEntry, packet: Packet, way: 'egress' | 'ingress'): void {
  const bothSyns = (entry.rxFlagsSeen & entry.txFlagsSeen & FLAG_BIT.SYN) !== 0;
  if (hasFlag(packet, 'RST') && !bothSyns) Object.assign(entry, { rxClosing: true, txClosing: true });
  else if (way === 'ingress') entry.rxClosing = true;
  else entry.txClosing = true;
}

/** Ports of a packet; an echo's identifier stands on the server's side. */
export function tupleOf(packet: Packet): Tuple {
  if (!packet.icmp) return packet;
  const reply = packet.icmp.kind === 'echo-reply';
  return { src: packet.src, sport: reply ? packet.icmp.id : 0, dst: packet.dst, dport: reply ? 0 : packet.icmp.id };
}

const reverse = (tuple: Tuple): Tuple => ({ src: tuple.dst, sport: tuple.dport, dst: tuple.src, dport: tuple.sport });

const keyOf = (protocol: IpProtocol, direction: CtDirection, tuple: Tuple): string =>
  `${protocol}|${direction}|${tuple.src}|${tuple.sport}|${tuple.dst}|${tuple.dport}`;
