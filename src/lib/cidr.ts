import type Ipaddr from 'ipaddr.js';
import { loadPackage } from './package.js';

const ipaddr = loadPackage('ipaddr.js') as typeof Ipaddr;

/** An address as its octets: 4 for IPv4, 16 for IPv6. IPv4-mapped IPv6 addresses are kept as IPv6. */
export type IpBytes = Uint8Array;

/**
 * Reads a textual IPv4 (four decimal octets) or IPv6 address; undefined when it is neither. Zone suffixes (`%eth0`)
 * are refused.
 */
export function parseIp(text: string): IpBytes | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return Uint8Array.from(ipaddr.IPv4.parse(text).toByteArray());
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text))
    return Uint8Array.from(ipaddr.IPv6.parse(text).toByteArray());
  return undefined;
}

/** 4 or 6 for a textual address, 0 for anything else. */
export function ipFamily(text: string): 0 | 4 | 6 {
  const bytes = parseIp(text);
  return bytes === undefined ? 0 : bytes.length === 4 ? 4 : 6;
}

/** Writes octets as text; IPv6 in the short form of RFC 5952. Throws a RangeError for any other length than 4 or 16. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  if (bytes.length === 16) return new ipaddr.IPv6([...bytes]).toRFC5952String();
  throw new RangeError(`an address has 4 or 16 octets, got ${bytes.length}`);
}

/** The same address in its one canonical spelling; undefined when the text is no address. */
export function canonicalIp(text: string): string | undefined {
  const bytes = parseIp(text);
  return bytes && formatIp(bytes);
}

/** Adds the brackets of an IPv6 address: `[::1]:53`. */
export function hostPort(host: string, port: number | string): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * An address block: `bytes` with all host bits zero, and the number of leading bits that count (0 to 32, or 0 to
 * 128).
 */
export interface Cidr {
  readonly bytes: IpBytes;
  readonly prefix: number;
}

/**
 * Reads `10.0.0.0/8` or `fd00::/64`; host bits are cleared. A bare address is a block of one. undefined when it is
 * neither.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [, address, length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = parseIp(address ?? '');
  if (!bytes) return undefined;
  const bits = bytes.length * 8;
  if (length === undefined) return { bytes, prefix: bits };
  if (Number(length) > bits) return undefined;
  return { bytes: maskTo(bytes, Number(length)), prefix: Number(length) };
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.bytes)}/${cidr.prefix}`;
}

/** Whether the block holds the address; never across families. */
export function cidrContains(cidr: Cidr, ip: IpBytes): boolean {
  if (ip.length !== cidr.bytes.length) return false;
  const whole = cidr.prefix >> 3;
  for (let i = 0; i < whole; i++) if (ip[i] !== cidr.bytes[i]) return false;
  const rest = cidr.prefix & 7;
  return rest === 0 || ip[whole]! >> (8 - rest) === cidr.bytes[whole]! >> (8 - rest);
}

function maskTo(bytes: IpBytes, prefix: number): IpBytes {
  return bytes.map((octet, i) => {
    const bits = Math.min(8, Math.max(0, prefix - i * 8));
    return octet & (0xff << (8 - bits));
  });
}
