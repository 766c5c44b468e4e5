import { randomBelow, type Random } from '../../src/lib/random.js';
import { parseIp } from '../../src/lib/cidr.js';

/** Where a frame goes, and from where: addresses of devices as `02:00:00:00:00:01`. */
export interface FrameEnds {
  readonly from: { readonly mac: string; readonly ip4: string; readonly ip6: string };
  readonly to: { readonly mac: string; readonly ip4: string; readonly ip6: string };
}

/** What is wrong or rare with a frame. */
export const ODDITIES = [
  'none',
  'ip options',
  'vlan',
  'more fragments',
  'later fragment',
  'ip checksum',
  'udp checksum',
  'udp checksum of addresses',
  'no udp checksum',
  'udp length',
  'longer ip length',
  'padding',
  'another address',
  'another port',
  'to all devices',
  'from a group',
  'from nowhere',
  'extension header',
  'ttl 1',
] as const;
export type Oddity = (typeof ODDITIES)[number];

const macOf = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');
const be16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);

/** The Internet checksum's sum (RFC 1071), folded: 0xffff over what has its checksum in it. */
export function sumOf(...parts: readonly Uint8Array[]): number {
  const bytes = Buffer.concat(
    parts.map((part) => (part.length % 2 === 0 ? part : Buffer.concat([part, Buffer.alloc(1)]))),
  );
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** A frame with a datagram in it, correct but for what is asked for. */
export function frameOf(
  { from, to }: FrameEnds,
  payload: Uint8Array,
  port: number,
  version: 4 | 6,
  oddity: Oddity,
  random: Random,
): Buffer {
  const source = Buffer.from(parseIp(version === 4 ? from.ip4 : from.ip6)!);
  const target = Buffer.from(parseIp(version === 4 ? to.ip4 : to.ip6)!);
  if (oddity === 'another address') target[target.length - 1]! ^= 0x40;
  if (oddity === 'from a group') source[0] = version === 4 ? 224 : 0xff;
  if (oddity === 'from nowhere') source.fill(0);
  const length = 8 + payload.length;
  const claimed = oddity === 'udp length' ? length - 3 + randomBelow(random, 7) : length;
  const udp = Buffer.concat([be16(port), be16(oddity === 'another port' ? 54 : 53), be16(claimed), be16(0), payload]);
  const sum = ~sumOf(source, target, be16(17), be16(claimed), udp.subarray(0, Math.min(udp.length, claimed))) & 0xffff;
  if (oddity !== 'no udp checksum') udp.writeUInt16BE(sum === 0 ? 0xffff : sum, 6);
  if (oddity === 'udp checksum') udp.writeUInt16BE(udp.readUInt16BE(6) ^ (1 << randomBelow(random, 16)), 6);
  // What a sender's kernel leaves to the network card, which here is none.
  if (oddity === 'udp checksum of addresses') udp.writeUInt16BE(sumOf(source, target, be16(17), be16(claimed)), 6);
  const ip = version === 4 ? ip4(source, target, udp.length, oddity, random) : ip6(source, target, udp.length, oddity);
  const macs = Buffer.concat([oddity === 'to all devices' ? Buffer.alloc(6, 0xff) : macOf(to.mac), macOf(from.mac)]);
  const vlan = oddity === 'vlan' ? Buffer.from('81000007', 'hex') : Buffer.alloc(0);
  const padding = oddity === 'padding' ? Buffer.alloc(1 + randomBelow(random, 40), 0xaa) : Buffer.alloc(0);
  return Buffer.concat([macs, vlan, be16(version === 4 ? 0x0800 : 0x86dd), ip, udp, padding]);
}

function ip4(source: Buffer, target: Buffer, length: number, oddity: Oddity, random: Random): Buffer {
  const options = oddity === 'ip options' ? Buffer.from('01010100', 'hex') : Buffer.alloc(0);
  const head = Buffer.alloc(20);
  head[0] = 0x45 + options.length / 4;
  head.writeUInt16BE(20 + options.length + length + (oddity === 'longer ip length' ? 2 : 0), 2);
  head.writeUInt16BE(randomBelow(random, 65_536), 4);
  if (oddity === 'more fragments') head.writeUInt16BE(0x2000, 6);
  if (oddity === 'later fragment') head.writeUInt16BE(0x0003, 6);
  head[8] = oddity === 'ttl 1' ? 1 : 64;
  head[9] = 17;
  head.set(source, 12);
  head.set(target, 16);
  head.writeUInt16BE(~sumOf(head, options) & 0xffff, 10);
  if (oddity === 'ip checksum') head.writeUInt16BE(head.readUInt16BE(10) ^ (1 << randomBelow(random, 16)), 10);
  return Buffer.concat([head, options]);
}

function ip6(source: Buffer, target: Buffer, length: number, oddity: Oddity): Buffer {
  const extension = oddity === 'extension header' ? Buffer.from('1100010400000000', 'hex') : Buffer.alloc(0);
  const head = Buffer.alloc(8);
  head[0] = 0x60;
  head.writeUInt16BE(extension.length + length + (oddity === 'longer ip length' ? 2 : 0), 4);
  head[6] = extension.length > 0 ? 60 : 17;
  head[7] = oddity === 'ttl 1' ? 1 : 64;
  return Buffer.concat([head, source, target, extension]);
}

/** A datagram out of a frame; undefined for anything else. */
export interface Datagram {
  /** Addresses, ports and payload, as one text to compare. */
  readonly text: string;
  readonly port: number;
  readonly payload: Buffer;
  /** Whether all lengths and checksums are right. */
  readonly sound: boolean;
}

export function datagramOf(frame: Buffer): Datagram | undefined {
  const v6 = frame.readUInt16BE(12) === 0x86dd;
  if ((!v6 && frame.readUInt16BE(12) !== 0x0800) || frame[v6 ? 20 : 23] !== 17) return undefined;
  const at = v6 ? 54 : 34;
  const addresses = frame.subarray(v6 ? 22 : 26, at);
  const udp = frame.subarray(at);
  const length = udp.readUInt16BE(4);
  const lengths = length === udp.length && frame.readUInt16BE(v6 ? 18 : 16) === length + (v6 ? 0 : 20);
  const sums =
    (v6 || sumOf(frame.subarray(14, 34)) === 0xffff) &&
    ((!v6 && udp.readUInt16BE(6) === 0) || sumOf(addresses, be16(17), be16(length), udp) === 0xffff);
  const payload = udp.subarray(8);
  return {
    text: `${addresses.toString('hex')} ${udp.readUInt16BE(0)} ${payload.toString('hex')}`,
    port: udp.readUInt16BE(2),
    payload,
    sound: lengths && sums,
  };
}
