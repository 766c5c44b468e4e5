import { formatIp, parseIp } from '../lib/cidr.js';
import type { Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';

/** What stands in front of a proxy's connection or datagram. */
export interface ProxyHeader {
  /** How long it is. */
  readonly length: Octets;
  readonly version: 1 | 2;
  /** What the proxy passes on; undefined for what it says itself, or of which it does not know the addresses. */
  readonly proxied:
    { readonly protocol: 'stream' | 'datagram'; readonly source: Endpoint; readonly destination: Endpoint } | undefined;
}

/** `more`: too little has come to tell; `none`: no header. */
export type ProxyFinding = ProxyHeader | 'more' | 'none' | 'malformed';

const V1 = Buffer.from('PROXY ');
/** Longest line of version 1 with its end (proxy-protocol.txt section 2.1). */
const V1_LONGEST: Octets = 107;
const V2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const V2_HEAD: Octets = 16;
/** Longest header of version 2 that is taken: addresses, and what proxies tell beside them. */
const V2_LONGEST: Octets = 4096;

/** Finds the header at the start of what has come (haproxy's proxy-protocol.txt section 2). */
export function findProxyHeader(bytes: Buffer): ProxyFinding {
  if (startsAlike(bytes, V2)) return bytes.length < V2_HEAD ? 'more' : binary(bytes);
  if (startsAlike(bytes, V1)) return line(bytes);
  return 'none';
}

/** Whether all bytes that are there agree. */
const startsAlike = (bytes: Buffer, start: Buffer): boolean =>
  bytes.length > 0 && bytes.subarray(0, start.length).equals(start.subarray(0, bytes.length));

function line(bytes: Buffer): ProxyFinding {
  const end = bytes.subarray(0, V1_LONGEST).indexOf('\r\n');
  if (end < 0) return bytes.length < V1_LONGEST ? 'more' : 'malformed';
  const [, family, ...words] = bytes.toString('latin1', 0, end).split(' ');
  const head = { length: end + 2, version: 1 } as const;
  if (family === 'UNKNOWN') return { ...head, proxied: undefined };
  const size = family === 'TCP4' ? 4 : family === 'TCP6' ? 16 : 0;
  const [from = '', to = '', fromPort = '', toPort = ''] = words;
  const source = endpoint(parseIp(from), fromPort, size);
  const destination = endpoint(parseIp(to), toPort, size);
  if (words.length !== 4 || source === undefined || destination === undefined) return 'malformed';
  return { ...head, proxied: { protocol: 'stream', source, destination } };
}

function endpoint(ip: Uint8Array | undefined, port: string, size: number): Endpoint | undefined {
  if (ip?.length !== size || !/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return undefined;
  return { address: formatIp(ip), port: Number(port) };
}

function binary(bytes: Buffer): ProxyFinding {
  const command = bytes[12]!;
  const length = V2_HEAD + bytes.readUInt16BE(14);
  if (command >> 4 !== 2 || (command & 15) > 1 || length > V2_LONGEST) return 'malformed';
  if (bytes.length < length) return 'more';
  const head = { length, version: 2 } as const;
  const family = bytes[13]! >> 4;
  const transport = bytes[13]! & 15;
  // LOCAL, and what is neither IPv4 nor IPv6, says nothing of who asks (section 2.2).
  if ((command & 15) === 0 || (family !== 1 && family !== 2) || (transport !== 1 && transport !== 2))
    return { ...head, proxied: undefined };
  const size = family === 1 ? 4 : 16;
  if (length < V2_HEAD + 2 * size + 4) return 'malformed';
  const at = V2_HEAD;
  const address = (start: number): string => formatIp(bytes.subarray(start, start + size));
  return {
    ...head,
    proxied: {
      protocol: transport === 1 ? 'stream' : 'datagram',
      source: { address: address(at), port: bytes.readUInt16BE(at + 2 * size) },
      destination: { address: address(at + size), port: bytes.readUInt16BE(at + 2 * size + 2) },
    },
  };
}
