import { cidrContains, formatIp, parseCidr, parseIp } from '../lib/cidr.js';
import type { Cidr, IpBytes } from '../lib/cidr.js';
import { TopologyError } from './errors.js';

/** Addresses repeat in every packet, so their bytes are kept; the bound stops a scan from filling memory. */
const MAX_KEPT = 65_536;
const kept = new Map<string, IpBytes>();

/**
 * Bytes of a textual address. Throws a RangeError when the text is none: addresses are checked where they enter the
 * model.
 */
export function ipBytes(ip: string): IpBytes {
  const known = kept.get(ip);
  if (known) return known;
  const bytes = parseIp(ip);
  if (!bytes) throw new RangeError(`"${ip}" is no IP address`);
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(ip, bytes);
  return bytes;
}

export const isIpv4 = (ip: string): boolean => !ip.includes(':');

/** Whether the block holds the address; never across families. */
export function inPrefix(prefix: Cidr, ip: string): boolean {
  return cidrContains(prefix, ipBytes(ip));
}

/** Order of addresses: IPv4 before IPv6, then numeric. Negative, zero or positive as for Array.sort. */
export function compareIps(a: string, b: string): number {
  const x = ipBytes(a);
  const y = ipBytes(b);
  if (x.length !== y.length) return x.length - y.length;
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return x[i]! - y[i]!;
  return 0;
}

/** Reads an address of a topology; `path` names the field in the error. */
export function requireIp(text: string, path: string): string {
  const bytes = parseIp(text);
  if (!bytes) throw new TopologyError(path, `"${text}" is no IP address`);
  return formatIp(bytes);
}

/** Reads an address block of a topology (`10.0.0.0/8`, or a single address); `path` names the field in the error. */
export function requireCidr(text: string, path: string): Cidr {
  const cidr = parseCidr(text);
  if (!cidr) throw new TopologyError(path, `"${text}" is no address block, want ADDRESS/LENGTH`);
  return cidr;
}

/** Reads a port number, 1 to 65535. */
export function requirePort(port: number, path: string): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new TopologyError(path, `port ${port} is not in 1 to 65535`);
  return port;
}

/** The address `offset` places after the first of the block. */
export function addressAt(cidr: Cidr, offset: number): string {
  const bytes = Uint8Array.from(cidr.bytes);
  let carry = offset;
  for (let i = bytes.length - 1; carry > 0; i--) {
    const sum = bytes[i]! + (carry % 256);
    bytes[i] = sum & 0xff;
    carry = Math.floor(carry / 256) + (sum >> 8);
  }
  return formatIp(bytes);
}

/** Place of an address inside a block counted from its first address; undefined when outside. */
export function offsetIn(cidr: Cidr, ip: string): number | undefined {
  const bytes = ipBytes(ip);
  if (!cidrContains(cidr, bytes)) return undefined;
  let offset = 0;
  for (let i = 0; i < bytes.length; i++) offset = offset * 256 + (bytes[i]! - cidr.bytes[i]!);
  return offset;
}

/** Number of addresses of a block; exact up to 2^53. */
export const cidrSize = (cidr: Cidr): number => 2 ** (cidr.bytes.length * 8 - cidr.prefix);

/** Whether two blocks have an address in common. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.prefix <= b.prefix ? cidrContains(a, b.bytes) : cidrContains(b, a.bytes);
}
