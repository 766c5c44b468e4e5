import { randomBelow } from '../../lib/random.js';
import type { Random } from '../../lib/random.js';
import type { Seconds } from '../../lib/units.js';
import { tupleOf } from './cilium.js';
import type { Packet, IpProtocol } from '../packet.js';

/** A source translation: two lines (OUT and IN) of `cilium-dbg bpf nat list`. */
export interface NatMapping {
  readonly protocol: IpProtocol;
  readonly src: string;
  readonly sport: number;
  readonly dst: string;
  readonly dport: number;
  readonly toIp: string;
  readonly toPort: number;
  /** Seconds since the node's boot. */
  readonly created: Seconds;
}

/** Ports below are left alone by source translation. */
const MIN_PORT = 1024;
const MAX_PORT = 65_535;
/** Draws before the datapath gives up: it searches with a bounded loop. */
const PORT_DRAWS = 128;

/** Source translations of one node. The port is kept where it is free, else drawn. */
export class NatTable {
  private readonly out = new Map<string, NatMapping>();
  private readonly back = new Map<string, NatMapping>();

  constructor(
    private readonly max: number,
    private readonly random: Random,
  ) {}

  get size(): number {
    return this.out.size;
  }

  /** Forgets all translations, as `cilium-dbg bpf nat flush` does. */
  flush(): void {
    this.out.clear();
    this.back.clear();
  }

  /**
   * The mapping of an outgoing packet, made when there is none. undefined when no port can be had (drop reason 167).
   */
  translate(packet: Packet, toIp: string, now: Seconds): NatMapping | undefined {
    const tuple = tupleOf(packet);
    const key = outKey(packet.protocol, tuple.src, tuple.sport, tuple.dst, tuple.dport);
    const known = this.out.get(key);
    if (known?.toIp === toIp) return known;
    if (known) this.remove(known);
    const own = packet.icmp ? tuple.dport : tuple.sport;
    let port = own >= MIN_PORT || packet.icmp ? own : this.drawPort();
    for (
      let draw = 0;
      this.back.has(backKey(packet.protocol, tuple.dst, packet.icmp ? 0 : tuple.dport, toIp, port));
      draw++
    ) {
      if (draw >= PORT_DRAWS) return undefined;
      port = this.drawPort();
    }
    if (this.out.size >= this.max) this.remove(this.out.values().next().value!);
    const mapping: NatMapping = {
      protocol: packet.protocol,
      src: tuple.src,
      sport: own,
      dst: tuple.dst,
      dport: packet.icmp ? 0 : tuple.dport,
      toIp,
      toPort: port,
      created: now,
    };
    this.out.set(key, mapping);
    this.back.set(backKey(mapping.protocol, mapping.dst, mapping.dport, toIp, port), mapping);
    return mapping;
  }

  private drawPort(): number {
    return MIN_PORT + randomBelow(this.random, MAX_PORT - MIN_PORT + 1);
  }

  /** The mapping that a packet from outside answers; undefined when it belongs to the node itself. */
  reverse(packet: Packet): NatMapping | undefined {
    if (packet.icmp?.about) {
      const about = packet.icmp.about;
      return this.back.get(
        backKey(
          about.protocol,
          about.dst,
          about.icmp ? 0 : about.dport,
          about.src,
          about.icmp ? about.icmp.id : about.sport,
        ),
      );
    }
    if (packet.icmp) return this.back.get(backKey('ICMP', packet.src, 0, packet.dst, packet.icmp.id));
    return this.back.get(backKey(packet.protocol, packet.src, packet.sport, packet.dst, packet.dport));
  }

  /** Whether the node port is free towards a destination: host sockets and translations share it. */
  inUse(protocol: IpProtocol, dst: string, dport: number, ip: string, port: number): boolean {
    return this.mappingOf(protocol, dst, dport, ip, port) !== undefined;
  }

  /** The mapping that led from the node's address and port to a destination; undefined when it was the node itself. */
  mappingOf(protocol: IpProtocol, dst: string, dport: number, ip: string, port: number): NatMapping | undefined {
    return this.back.get(backKey(protocol, dst, dport, ip, port));
  }

  /** Drops mappings whose connection is no longer known; returns how many. */
  collect(alive: (mapping: NatMapping) => boolean): number {
    const before = this.size;
    for (const mapping of this.out.values()) if (!alive(mapping)) this.remove(mapping);
    return before - this.size;
  }

  list(): readonly NatMapping[] {
    return [...this.out.values()];
  }

  private remove(mapping: NatMapping): void {
    const icmp = mapping.protocol === 'ICMP';
    this.out.delete(
      outKey(
        mapping.protocol,
        mapping.src,
        icmp ? 0 : mapping.sport,
        mapping.dst,
        icmp ? mapping.sport : mapping.dport,
      ),
    );
    this.back.delete(backKey(mapping.protocol, mapping.dst, mapping.dport, mapping.toIp, mapping.toPort));
  }
}

const outKey = (protocol: IpProtocol, src: string, sport: number, dst: string, dport: number): string =>
  `${protocol}|${src}|${sport}|${dst}|${dport}`;
/** The key of the answer: from the outside address to the translated one. */
const backKey = outKey;
