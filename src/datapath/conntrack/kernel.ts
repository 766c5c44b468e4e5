import { randomBelow } from '../../lib/random.js';
import type { Random } from '../../lib/random.js';
import type { Seconds } from '../../lib/units.js';
import { tupleOf } from './cilium.js';
import { hasFlag } from '../packet.js';
import type { Packet, IpProtocol } from '../packet.js';

/** Lifetimes of nf_conntrack by protocol and state (linux nf_conntrack-sysctl). */
export const KERNEL_LIFETIME = {
  udp: 30,
  udpStream: 120,
  icmp: 30,
  SYN_SENT: 120,
  SYN_RECV: 60,
  ESTABLISHED: 432_000,
  FIN_WAIT: 120,
  CLOSE_WAIT: 60,
  LAST_ACK: 30,
  TIME_WAIT: 120,
  CLOSE: 10,
} as const;

export type KernelTcpState =
  'SYN_SENT' | 'SYN_RECV' | 'ESTABLISHED' | 'FIN_WAIT' | 'CLOSE_WAIT' | 'LAST_ACK' | 'TIME_WAIT' | 'CLOSE';

export interface KernelTuple {
  readonly src: string;
  readonly sport: number;
  readonly dst: string;
  readonly dport: number;
}

/** One line of `conntrack -L`. Times are seconds since the node's boot. */
export interface KernelEntry {
  readonly protocol: IpProtocol;
  readonly original: KernelTuple;
  /** What answers look like: differs from the mirrored original by the translations. */
  reply: KernelTuple;
  tcpState: KernelTcpState | undefined;
  unreplied: boolean;
  assured: boolean;
  expires: Seconds;
  /** A UDP flow that still answers after this moment is a stream. */
  readonly streamFrom: Seconds;
  confirmed: boolean;
}

/** Which way a packet runs along its entry. */
export interface KernelMatch {
  readonly entry: KernelEntry;
  readonly reply: boolean;
  readonly isNew: boolean;
}

/** A UDP flow counts as a stream when it is answered later than this after its start. */
const STREAM_AFTER: Seconds = 2;
/** Attempts to find a free port for a translated source. */
const PORT_ATTEMPTS = 128;
const MIN_PORT = 1024;
const MAX_PORT = 65_535;

/** How a translated source gets its port. */
export interface PortChoice {
  readonly random: Random;
  /** Even where the flow's own port is free (`--random-fully`). */
  readonly draw: boolean;
}

/** nf_conntrack of one network namespace. */
export class KernelConntrack {
  private readonly entries = new Map<string, KernelEntry>();
  private count = 0;
  /**
   * As `conntrack -S` counts: packets dropped for want of room, and entries that lost against another at
   * confirmation.
   */
  readonly statistics = { drop: 0, insertFailed: 0 };

  constructor(
    private readonly max: number,
    private readonly options: { readonly earlyDrop: boolean } = { earlyDrop: false },
  ) {}

  /** Confirmed entries that have not been found expired yet. */
  get size(): number {
    return this.count;
  }

  /**
   * Finds a packet's entry, or starts an unconfirmed one. undefined when a new flow finds the table full: it is
   * dropped.
   * With `earlyDrop` the oldest entry that is not assured makes room first, as the kernel tries in neighbouring
   * buckets.
   */
  track(packet: Packet, now: Seconds): KernelMatch | undefined {
    const about = packet.icmp?.about;
    const tuple = about ? mirror(tupleOf(about)) : tupleOf(packet);
    const found = this.find(about?.protocol ?? packet.protocol, tuple, now);
    if (found) return found;
    if (this.count >= this.max) {
      this.collect(now);
      if (this.count >= this.max && !(this.options.earlyDrop && this.dropEarly())) {
        this.statistics.drop++;
        return undefined;
      }
    }
    const entry: KernelEntry = {
      protocol: packet.protocol,
      original: { src: tuple.src, sport: tuple.sport, dst: tuple.dst, dport: tuple.dport },
      reply: mirror(tuple),
      tcpState: undefined,
      unreplied: true,
      assured: false,
      expires: now,
      streamFrom: now + STREAM_AFTER,
      confirmed: false,
    };
    return { entry, reply: false, isNew: true };
  }

  /** Writes the destination that answers will come from. */
  translateDestination(entry: KernelEntry, ip: string, port: number): void {
    entry.reply = { ...entry.reply, src: ip, sport: port || entry.reply.sport };
  }

  /**
   * Gives the flow another source, with the same port if that is free and none has to be drawn. False when no port is
   * found.
   */
  translateSource(entry: KernelEntry, ip: string, { random, draw }: PortChoice): boolean {
    const icmp = entry.protocol === 'ICMP';
    const drawn = (): number => MIN_PORT + randomBelow(random, MAX_PORT - MIN_PORT + 1);
    let port = icmp ? entry.reply.dport : draw ? drawn() : entry.original.sport;
    for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
      const reply = { ...entry.reply, dst: ip, dport: port };
      if (!this.entries.has(keyOf(entry.protocol, reply))) {
        entry.reply = reply;
        return true;
      }
      port = drawn();
    }
    return false;
  }

  /** Enters a new flow once its packet has passed all hooks. False when another flow took its place meanwhile. */
  confirm(match: KernelMatch, packet: Packet, now: Seconds): boolean {
    const { entry } = match;
    if (!entry.confirmed) {
      if (
        this.entries.has(keyOf(entry.protocol, entry.original)) ||
        this.entries.has(keyOf(entry.protocol, entry.reply))
      ) {
        this.statistics.insertFailed++;
        return false;
      }
      entry.confirmed = true;
      this.entries.set(keyOf(entry.protocol, entry.original), entry);
      this.entries.set(keyOf(entry.protocol, entry.reply), entry);
      this.count++;
    }
    // Where a RST is all that came back there was no connection, and its entry goes at once.
    if (entry.unreplied && match.reply && hasFlag(packet, 'RST')) this.remove(entry);
    else refresh(entry, packet, match.reply, now);
    return true;
  }

  collect(now: Seconds): number {
    const before = this.count;
    for (const entry of new Set(this.entries.values())) if (entry.expires <= now) this.remove(entry);
    return before - this.count;
  }

  /** Forgets everything, as `conntrack -F` does. */
  flush(): void {
    for (const entry of new Set(this.entries.values())) this.remove(entry);
  }

  /** Live entries in the order of their creation. */
  list(now: Seconds): readonly Readonly<KernelEntry>[] {
    return [...new Set(this.entries.values())].filter((entry) => entry.expires > now);
  }

  private find(protocol: IpProtocol, tuple: KernelTuple, now: Seconds): KernelMatch | undefined {
    const entry = this.entries.get(keyOf(protocol, tuple));
    if (!entry) return undefined;
    if (entry.expires <= now) {
      this.remove(entry);
      return undefined;
    }
    return { entry, reply: !sameTuple(entry.original, tuple), isNew: false };
  }

  private dropEarly(): boolean {
    for (const entry of this.entries.values()) {
      if (entry.assured) continue;
      this.remove(entry);
      return true;
    }
    return false;
  }

  private remove(entry: KernelEntry): void {
    this.entries.delete(keyOf(entry.protocol, entry.original));
    this.entries.delete(keyOf(entry.protocol, entry.reply));
    this.count--;
  }
}

function refresh(entry: KernelEntry, packet: Packet, reply: boolean, now: Seconds): void {
  // An error about a flow is no answer of it.
  if (packet.icmp?.about) return;
  if (reply) entry.unreplied = false;
  if (entry.protocol === 'TCP') {
    entry.tcpState = nextState(entry.tcpState, packet, reply);
    if (entry.tcpState === 'ESTABLISHED') entry.assured = true;
    entry.expires = now + KERNEL_LIFETIME[entry.tcpState];
    return;
  }
  const stream = entry.protocol === 'UDP' && !entry.unreplied && now > entry.streamFrom;
  if (stream) entry.assured = true;
  entry.expires =
    now + (entry.protocol === 'ICMP' ? KERNEL_LIFETIME.icmp : stream ? KERNEL_LIFETIME.udpStream : KERNEL_LIFETIME.udp);
}

/** The path of the connection through its states as a bystander sees it. */
function nextState(state: KernelTcpState | undefined, packet: Packet, reply: boolean): KernelTcpState {
  if (hasFlag(packet, 'RST')) return 'CLOSE';
  if (hasFlag(packet, 'SYN'))
    return reply ? 'SYN_RECV' : state === undefined || state === 'TIME_WAIT' || state === 'CLOSE' ? 'SYN_SENT' : state;
  if (hasFlag(packet, 'FIN')) return state === 'FIN_WAIT' || state === 'CLOSE_WAIT' ? 'LAST_ACK' : 'FIN_WAIT';
  if (state === undefined || state === 'SYN_RECV') return 'ESTABLISHED';
  if (state === 'FIN_WAIT') return 'CLOSE_WAIT';
  return state === 'LAST_ACK' ? 'TIME_WAIT' : state;
}

const mirror = (tuple: KernelTuple): KernelTuple => ({
  src: tuple.dst,
  sport: tuple.dport,
  dst: tuple.src,
  dport: tuple.sport,
});
const sameTuple = (a: KernelTuple, b: KernelTuple): boolean =>
  a.src === b.src && a.sport === b.sport && a.dst === b.dst && a.dport === b.dport;
const keyOf = (protocol: IpProtocol, tuple: KernelTuple): string =>
  `${protocol}|${tuple.src}|${tuple.sport}|${tuple.dst}|${tuple.dport}`;
