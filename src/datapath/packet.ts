import { avalanche } from '../lib/avalanche.js';
import { fnv1a } from '../lib/fnv1a.js';
import type { Octets } from '../lib/units.js';
import { isIpv4 } from './address.js';

export type IpProtocol = 'UDP' | 'TCP' | 'ICMP';

/** Header bits in the order in which flow lines print them. */
export type TcpFlag = 'SYN' | 'ACK' | 'RST' | 'FIN' | 'PSH';

/** The fields of a TCP header that people look at (RFC 9293 section 3.1). Sequence numbers are absolute, 32 bits. */
export interface TcpFields {
  readonly flags: readonly TcpFlag[];
  readonly seq: number;
  readonly ack: number;
  /** As on the wire: not scaled. */
  readonly window: number;
  readonly options: TcpOptions;
}

/** TCP options (RFC 9293 section 3.2, RFC 7323). Those of the handshake are only on SYN segments. */
export interface TcpOptions {
  readonly mss?: number;
  readonly sackOk?: boolean;
  readonly windowScale?: number;
  readonly tsVal: number;
  readonly tsEcr: number;
}

export type IcmpKind =
  'echo-request' | 'echo-reply' | 'port-unreachable' | 'host-unreachable' | 'frag-needed' | 'time-exceeded';

export interface IcmpFields {
  readonly kind: IcmpKind;
  /** Identifier and sequence number of an echo; zero for the others. */
  readonly id: number;
  readonly seq: number;
  /** The packet an error is about, as the reporter saw it. */
  readonly about?: Packet;
  /** Next-hop MTU of frag-needed (RFC 1191 section 4). */
  readonly mtu?: Octets;
}

/** A packet at one place of its way. A change is a copy that keeps `number`. */
export interface Packet {
  /** The same from the sender's socket to the receiver's, through every translation. Unique in a world. */
  readonly number: number;
  readonly protocol: IpProtocol;
  readonly src: string;
  readonly dst: string;
  /** Zero for ICMP. */
  readonly sport: number;
  readonly dport: number;
  readonly ttl: number;
  readonly tcp?: TcpFields;
  readonly icmp?: IcmpFields;
  readonly payload: Uint8Array;
}

/** The ICMP error that tells the sender of a packet what became of it. */
export const icmpError = (
  kind: IcmpKind,
  about: Packet,
  src: string,
  mtu?: Octets,
): Omit<Packet, 'number' | 'ttl'> => ({
  protocol: 'ICMP',
  src,
  dst: about.src,
  sport: 0,
  dport: 0,
  icmp: { kind, id: 0, seq: 0, about, ...(mtu !== undefined && { mtu }) },
  payload: new Uint8Array(0),
});

export const PROTOCOL_NUMBER: Record<IpProtocol, number> = { ICMP: 1, TCP: 6, UDP: 17 };

const UDP_HEADER: Octets = 8;
const TCP_HEADER: Octets = 20;
const ICMP_HEADER: Octets = 8;

/** Size of the IP header without options: 20 for IPv4, 40 for IPv6. */
export const ipHeaderLength = (packet: Packet): Octets => (isIpv4(packet.src) ? 20 : 40);

/** Bytes of the TCP options as Linux pads them: 20 on a SYN, 12 (timestamps) on the rest. */
export const tcpOptionLength = (tcp: TcpFields): Octets => (tcp.options.mss === undefined ? 12 : 20);

/** Length of the whole IP datagram. */
export function ipLength(packet: Packet): Octets {
  const header = ipHeaderLength(packet);
  if (packet.tcp) return header + TCP_HEADER + tcpOptionLength(packet.tcp) + packet.payload.length;
  if (packet.icmp?.about) return header + ICMP_HEADER + quotedLength(packet.icmp.about);
  if (packet.icmp) return header + ICMP_HEADER + packet.payload.length;
  return header + UDP_HEADER + packet.payload.length;
}

/** Largest ICMP error of IPv4 (RFC 1812 section 4.3.2.3), and of IPv6 (RFC 4443 section 2.4). */
const MAX_ERROR_V4: Octets = 576;
const MAX_ERROR_V6: Octets = 1280;

/** How much of a packet an ICMP error about it quotes: as much as fits. */
export function quotedLength(about: Packet): Octets {
  const largest = isIpv4(about.src) ? MAX_ERROR_V4 : MAX_ERROR_V6;
  return Math.min(ipLength(about), largest - ipHeaderLength(about) - ICMP_HEADER);
}

export const hasFlag = (packet: Packet, flag: TcpFlag): boolean => packet.tcp?.flags.includes(flag) ?? false;

/** The bit of a flag in the TCP header's low byte. */
export const FLAG_BIT: Record<TcpFlag, number> = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 };

export const flagBits = (flags: readonly TcpFlag[]): number => flags.reduce((bits, flag) => bits | FLAG_BIT[flag], 0);

/** A number for a connection, the same in both directions: what `cilium-dbg monitor` prints as flow. 32 bits. */
export function flowHash(packet: Packet): number {
  const a = `${packet.src}:${packet.sport}`;
  const b = `${packet.dst}:${packet.dport}`;
  return hash32(a < b ? `${packet.protocol} ${a} ${b}` : `${packet.protocol} ${b} ${a}`);
}

/** FNV-1a with a final mix. 32 bits. */
export const hash32 = (text: string, seed?: number): number => avalanche(fnv1a(text, seed)) >>> 0;

/**
 * One IP fragment of a datagram: bytes of IP payload from `offset` on (a multiple of 8 except for the last, RFC 791
 * section 3.2).
 */
export interface Fragment {
  readonly offset: Octets;
  readonly length: Octets;
  readonly more: boolean;
}

/** How a datagram is cut for a link of `mtu`; empty when it fits. */
export function fragmentsFor(packet: Packet, mtu: Octets): readonly Fragment[] {
  const total = ipLength(packet);
  if (total <= mtu) return [];
  const header = ipHeaderLength(packet);
  const room = Math.floor((mtu - header) / 8) * 8;
  const body = total - header;
  const fragments: Fragment[] = [];
  for (let offset = 0; offset < body; offset += room) {
    const length = Math.min(room, body - offset);
    fragments.push({ offset, length, more: offset + length < body });
  }
  return fragments;
}
