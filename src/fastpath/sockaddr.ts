import os from 'node:os';
import { formatIp, parseIp } from '../lib/cidr.js';
import type { Endpoint } from '../net/network.js';
import { AF_INET, AF_INET6 } from './libc.js';

/** Length of `struct sockaddr_in` and `struct sockaddr_in6`, in octets. */
const IN = 16;
const IN6 = 28;

/**
 * An address and port as the kernel takes them. An empty address is all addresses of IPv6, which IPv4 comes in at
 * too. A link-local address has its zone
 * behind it, the name or number of an interface (RFC 4007 section 11). Throws a RangeError for anything else.
 */
export function encodeSockaddr({ address, port }: Endpoint): Uint8Array {
  const [text = '', zone] = address.split('%');
  const ip = address === '' ? new Uint8Array(16) : parseIp(text);
  if (!ip) throw new RangeError(`expected an IPv4 or IPv6 address, got '${address}'`);
  const sockaddr = Buffer.alloc(ip.length === 4 ? IN : IN6);
  // The family is in the machine's byte order; all platforms of Node's that this runs on are little-endian.
  sockaddr.writeUInt16LE(ip.length === 4 ? AF_INET : AF_INET6, 0);
  sockaddr.writeUInt16BE(port, 2);
  sockaddr.set(ip, ip.length === 4 ? 4 : 8);
  if (zone !== undefined && ip.length === 16) sockaddr.writeUInt32LE(zoneNumber(zone), 24);
  return sockaddr;
}

/** 0, which no interface has, for one that is not there. */
function zoneNumber(zone: string): number {
  if (/^\d{1,9}$/.test(zone)) return Number(zone);
  // Of the interface's addresses only link-local ones have another number than 0.
  return os.networkInterfaces()[zone]?.find(({ scopeid }) => scopeid)?.scopeid ?? 0;
}

/** First octets of an IPv4 address at a socket of both families (RFC 4291 section 2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Whether an address of IPv6 stands for one of IPv4. */
export const isMapped = (sockaddr: Uint8Array): boolean => MAPPED.every((octet, i) => sockaddr[8 + i] === octet);

/** Its address as text; one that stands for an address of IPv4 is that. */
export function addressOf(sockaddr: Uint8Array): string {
  if (sockaddr[0] === AF_INET) return `${sockaddr[4]}.${sockaddr[5]}.${sockaddr[6]}.${sockaddr[7]}`;
  const ip = sockaddr.subarray(8, 24);
  return formatIp(isMapped(sockaddr) ? ip.subarray(12) : ip);
}

/** A sender as the kernel gave it; its address is made text when somebody asks. */
export class ClientAddress implements Endpoint {
  private text: string | undefined;

  /**
   * @param thread number of the thread that took its datagram; its answer leaves from that thread's socket
   * @param control ancillary data that came with it: its answer leaves from the address that it was sent to
   */
  constructor(
    readonly sockaddr: Uint8Array,
    readonly thread: number,
    readonly control?: Uint8Array,
  ) {}

  get port(): number {
    return (this.sockaddr[2]! << 8) | this.sockaddr[3]!;
  }

  get ipVersion(): 4 | 6 {
    return this.sockaddr[0] === AF_INET || isMapped(this.sockaddr) ? 4 : 6;
  }

  get address(): string {
    return (this.text ??= addressOf(this.sockaddr));
  }
}
