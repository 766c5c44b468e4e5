import { ipBytes, isIpv4 } from '../../datapath/address.js';
import type { ArpEvent, CaptureEvent, Encapsulation } from '../../datapath/events.js';
import { PROTOCOL_NUMBER, flagBits, quotedLength } from '../../datapath/packet.js';
import type { IcmpFields, Packet, TcpFields } from '../../datapath/packet.js';
import { ICMP_TYPE_AND_CODE } from '../icmp-types.js';

/** Numbers of the EtherType registry. */
export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

const MORE_FRAGMENTS = 0x2000;
const DONT_FRAGMENT = 0x4000;

/** The bytes of an Ethernet address; all zero for an empty text. */
export const macBytes = (mac: string): Uint8Array =>
  Uint8Array.from(mac.split(':').map((part) => parseInt(part, 16) || 0)).slice(0, 6);

/** EtherType of what `datagramBytes` gives for the event. */
export const etherType = (event: CaptureEvent | ArpEvent): number =>
  event.kind === 'arp'
    ? ETHERTYPE.arp
    : isIpv4(event.encapsulation?.src ?? event.packet.src)
      ? ETHERTYPE.ipv4
      : ETHERTYPE.ipv6;

/** A frame as it is on the wire, from its Ethernet header on. */
export function ethernetBytes(event: CaptureEvent | ArpEvent): Buffer {
  const [source, destination] =
    event.kind === 'arp'
      ? [event.senderMac, event.operation === 'request' ? 'ff:ff:ff:ff:ff:ff' : event.targetMac]
      : [event.sourceMac, event.destinationMac];
  const header = Buffer.concat([macBytes(destination), macBytes(source), u16(etherType(event))]);
  return Buffer.concat([header, datagramBytes(event)]);
}

/** What follows the link header: an IP datagram, or an ARP packet. All checksums are correct. */
export function datagramBytes(event: CaptureEvent | ArpEvent): Buffer {
  if (event.kind === 'arp') return arpBytes(event);
  const { packet, encapsulation, fragment } = event;
  const whole = transportBytes(packet);
  const body = fragment ? whole.subarray(fragment.offset, fragment.offset + fragment.length) : whole;
  const flags = fragment
    ? (fragment.more ? MORE_FRAGMENTS : 0) | (fragment.offset >> 3)
    : packet.tcp
      ? DONT_FRAGMENT
      : 0;
  const datagram = ipHeader(
    packet.src,
    packet.dst,
    packet.ttl,
    PROTOCOL_NUMBER[packet.protocol],
    packet.number,
    flags,
    body,
  );
  return encapsulation ? encapsulated(event, encapsulation, datagram) : datagram;
}

/** RFC 826: Ethernet and IPv4. */
function arpBytes({ operation, senderIp, senderMac, targetIp, targetMac }: ArpEvent): Buffer {
  const head = Buffer.concat([u16(1), u16(ETHERTYPE.ipv4), Buffer.from([6, 4]), u16(operation === 'request' ? 1 : 2)]);
  return Buffer.concat([head, macBytes(senderMac), ipBytes(senderIp), macBytes(targetMac), ipBytes(targetIp)]);
}

/**
 * VXLAN (RFC 7348) or Geneve (RFC 8926) around an Ethernet frame, in UDP without checksum as RFC 7348 section 4.1
 * prefers.
 */
function encapsulated(
  event: CaptureEvent,
  { type, src, dst, sport, dport, vni }: Encapsulation,
  datagram: Buffer,
): Buffer {
  const inner = Buffer.concat([
    macBytes(event.destinationMac),
    macBytes(event.sourceMac),
    u16(isIpv4(event.packet.src) ? ETHERTYPE.ipv4 : ETHERTYPE.ipv6),
    datagram,
  ]);
  const header = Buffer.alloc(8);
  if (type === 'vxlan') header[0] = 0x08;
  else header.writeUInt16BE(0x6558, 2);
  header.writeUInt32BE(vni * 256, 4);
  const body = Buffer.concat([header, inner]);
  const udp = Buffer.concat([u16(sport), u16(dport), u16(8 + body.length), u16(0), body]);
  return ipHeader(src, dst, 64, PROTOCOL_NUMBER.UDP, event.packet.number, DONT_FRAGMENT, udp);
}

/**
 * An IPv4 header (RFC 791 section 3.1) or an IPv6 one (RFC 8200 section 3) with its body. IPv6 fragments carry no
 * extension header here: the model does not make any.
 */
function ipHeader(
  src: string,
  dst: string,
  ttl: number,
  protocol: number,
  id: number,
  flags: number,
  body: Buffer,
): Buffer {
  if (!isIpv4(src)) {
    const header = Buffer.alloc(8);
    header[0] = 0x60;
    header.writeUInt16BE(body.length, 4);
    header[6] = protocol === PROTOCOL_NUMBER.ICMP ? 58 : protocol;
    header[7] = ttl;
    return Buffer.concat([header, ipBytes(src), ipBytes(dst), body]);
  }
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + body.length, 2);
  header.writeUInt16BE(id & 0xffff, 4);
  header.writeUInt16BE(flags, 6);
  header[8] = ttl;
  header[9] = protocol;
  header.set(ipBytes(src), 12);
  header.set(ipBytes(dst), 16);
  header.writeUInt16BE(checksum(header), 10);
  return Buffer.concat([header, body]);
}

function transportBytes(packet: Packet): Buffer {
  if (packet.tcp) return tcpBytes(packet, packet.tcp);
  if (packet.icmp) return icmpBytes(packet, packet.icmp);
  const length = 8 + packet.payload.length;
  const bytes = Buffer.concat([u16(packet.sport), u16(packet.dport), u16(length), u16(0), packet.payload]);
  // Zero means "no checksum", so a sum of zero is sent as all ones (RFC 768).
  bytes.writeUInt16BE(checksum(pseudo(packet, PROTOCOL_NUMBER.UDP, bytes), bytes) || 0xffff, 6);
  return bytes;
}

function tcpBytes(packet: Packet, tcp: TcpFields): Buffer {
  const options = tcpOptions(tcp);
  const header = Buffer.alloc(20);
  header.writeUInt16BE(packet.sport, 0);
  header.writeUInt16BE(packet.dport, 2);
  header.writeUInt32BE(tcp.seq >>> 0, 4);
  header.writeUInt32BE(tcp.ack >>> 0, 8);
  header[12] = ((20 + options.length) / 4) << 4;
  header[13] = flagBits(tcp.flags);
  header.writeUInt16BE(tcp.window, 14);
  const bytes = Buffer.concat([header, options, packet.payload]);
  bytes.writeUInt16BE(checksum(pseudo(packet, PROTOCOL_NUMBER.TCP, bytes), bytes), 16);
  return bytes;
}

/** Options as Linux lays them out: 20 bytes on a SYN, 12 on the rest (RFC 9293 section 3.2, RFC 7323). */
function tcpOptions({ options }: TcpFields): Buffer {
  const stamps = Buffer.alloc(10);
  stamps.set([8, 10]);
  stamps.writeUInt32BE(options.tsVal >>> 0, 2);
  stamps.writeUInt32BE(options.tsEcr >>> 0, 6);
  if (options.mss === undefined) return Buffer.concat([Buffer.from([1, 1]), stamps]);
  const mss = Buffer.from([2, 4, options.mss >> 8, options.mss & 0xff]);
  return Buffer.concat([
    mss,
    Buffer.from(options.sackOk ? [4, 2] : [1, 1]),
    stamps,
    Buffer.from([1, 3, 3, options.windowScale ?? 0]),
  ]);
}

function icmpBytes(packet: Packet, icmp: IcmpFields): Buffer {
  const v4 = isIpv4(packet.src);
  const header = Buffer.alloc(8);
  header.set(ICMP_TYPE_AND_CODE[icmp.kind][v4 ? 'v4' : 'v6']);
  if (icmp.about) {
    if (icmp.mtu !== undefined) header.writeUInt32BE(icmp.mtu, 4);
  } else {
    header.writeUInt16BE(icmp.id & 0xffff, 4);
    header.writeUInt16BE(icmp.seq & 0xffff, 6);
  }
  const bytes = Buffer.concat([header, icmp.about ? quoted(icmp.about) : packet.payload]);
  bytes.writeUInt16BE(v4 ? checksum(bytes) : checksum(pseudo(packet, 58, bytes), bytes), 2);
  return bytes;
}

/** What an ICMP error repeats of the packet that it is about. */
function quoted(about: Packet): Buffer {
  const body = transportBytes(about);
  return ipHeader(
    about.src,
    about.dst,
    about.ttl,
    PROTOCOL_NUMBER[about.protocol],
    about.number,
    about.tcp ? DONT_FRAGMENT : 0,
    body,
  ).subarray(0, quotedLength(about));
}

/** The pseudo header that checksums of transports cover (RFC 9293 section 3.1, RFC 8200 section 8.1). */
function pseudo({ src, dst }: Packet, protocol: number, bytes: Buffer): Buffer {
  const tail = isIpv4(src)
    ? Buffer.concat([Buffer.from([0, protocol]), u16(bytes.length)])
    : Buffer.concat([u32(bytes.length), Buffer.from([0, 0, 0, protocol])]);
  return Buffer.concat([ipBytes(src), ipBytes(dst), tail]);
}

/** The Internet checksum over all parts in a row (RFC 1071). All parts but the last have an even length. */
export function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) for (let i = 0; i < part.length; i += 2) sum += (part[i]! << 8) | (part[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function u16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}
