import { FrameReader } from '../../wire/index.js';
import type { CapturedPacket } from './capture.js';
import { isQuery, type RecordedQuery } from './recorded-query.js';

/** What an IP packet carries. */
interface CapturedSegment {
  readonly tcp: boolean;
  /** Addresses and ports of both ends, as a key. */
  readonly flow: string;
  readonly toPort: number;
  readonly payload: Buffer;
  /** Of TCP. */
  readonly sequence: number;
  readonly syn: boolean;
  readonly end: boolean;
}

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const VLANS = new Set([0x8100, 0x88a8, 0x9100]);
const TCP = 6;
const UDP = 17;

/** Where the IP packet begins, by LINKTYPE; undefined for links that are not known. */
function ipOffset(link: number, bytes: Buffer): number | 'no IP' | undefined {
  const typed = (at: number, next: number): number | 'no IP' => {
    if (bytes.length < next) return 'no IP';
    const type = bytes.readUInt16BE(at);
    if (VLANS.has(type)) return typed(next + 2, next + 4);
    return type === IPV4 || type === IPV6 ? next : 'no IP';
  };
  switch (link) {
    case 1: // Ethernet
      return typed(12, 14);
    case 113: // Linux cooked
      return typed(14, 16);
    case 276: // Linux cooked, version 2
      return typed(0, 20);
    case 0: // BSD loopback
    case 108:
      return 4;
    case 12: // raw IP, by systems
    case 14:
    case 101:
    case 228:
    case 229:
      return 0;
    default:
      return undefined;
  }
}

/** IPv6 extension headers that may stand before the transport's (RFC 8200 section 4.1). */
const EXTENSIONS = new Set([0, 43, 60, 135, 139, 140]);

/** The segment of an IP packet; undefined for fragments, other protocols, and what is cut off. */
function segmentOf(bytes: Buffer): CapturedSegment | undefined {
  if (bytes.length < 20) return undefined;
  const version = bytes[0]! >> 4;
  if (version === 4) {
    const header = (bytes[0]! & 15) * 4;
    const total = Math.min(bytes.readUInt16BE(2) || bytes.length, bytes.length);
    // A fragment, the first one too: the rest of the message is in another packet.
    if ((bytes.readUInt16BE(6) & 0x3fff) !== 0 || header < 20) return undefined;
    return transport(bytes[9]!, bytes.subarray(header, total), bytes.subarray(12, 20).toString('hex'));
  }
  if (version !== 6 || bytes.length < 40) return undefined;
  let next = bytes[6]!;
  let at = 40;
  while (EXTENSIONS.has(next) && at + 2 <= bytes.length) {
    next = bytes[at]!;
    at += (bytes[at + 1]! + 1) * 8;
  }
  const end = Math.min(40 + bytes.readUInt16BE(4), bytes.length);
  return transport(next, bytes.subarray(at, end), bytes.subarray(8, 40).toString('hex'));
}

function transport(protocol: number, bytes: Buffer, addresses: string): CapturedSegment | undefined {
  if (bytes.length < 8) return undefined;
  const ports = { from: bytes.readUInt16BE(0), to: bytes.readUInt16BE(2) };
  const flow = `${addresses} ${ports.from} ${ports.to}`;
  if (protocol === UDP)
    return { tcp: false, flow, toPort: ports.to, payload: bytes.subarray(8), sequence: 0, syn: false, end: false };
  if (protocol !== TCP || bytes.length < 20) return undefined;
  const flags = bytes[13]!;
  return {
    tcp: true,
    flow,
    toPort: ports.to,
    payload: bytes.subarray((bytes[12]! >> 4) * 4),
    sequence: bytes.readUInt32BE(4),
    syn: (flags & 2) !== 0,
    end: (flags & 5) !== 0,
  };
}

/** Most connections, and segments of one that wait for an earlier one, that are held at once. */
const MAX_STREAMS = 10_000;
const MAX_WAITING = 64;

/** One direction of a TCP connection, put together in order. */
class Stream {
  private readonly frames = new FrameReader();
  private readonly waiting = new Map<number, Buffer>();

  constructor(private next: number) {}

  /** The messages that are complete with this segment. */
  *take(sequence: number, payload: Buffer): Iterable<Buffer> {
    if (payload.length > 0 && this.waiting.size < MAX_WAITING) this.waiting.set(sequence, payload);
    for (let [at, bytes] = this.ready(); bytes !== undefined; [at, bytes] = this.ready()) {
      const known = (this.next - at) >>> 0;
      if (known >= bytes.length) continue;
      this.next = (at + bytes.length) >>> 0;
      this.frames.push(bytes.subarray(known));
      for (let message = this.frames.next(); message !== undefined; message = this.frames.next()) yield message;
    }
  }

  /** Takes out a segment that begins where the stream has come to, or before. */
  private ready(): [number, Buffer | undefined] {
    for (const [at, bytes] of this.waiting) {
      // Sequence numbers wrap around: what is less than half of them away lies behind.
      if ((this.next - at) >>> 0 > 0x7fffffff) continue;
      this.waiting.delete(at);
      return [at, bytes];
    }
    return [0, undefined];
  }
}

/** What of a capture is no query that can be read. */
export interface Skipped {
  /** By LINKTYPE. */
  readonly links: Set<number>;
  packets: number;
}

/**
 * The queries to `port` in captured packets. Messages over TCP are put together from their segments; fragments of IP
 * are passed over.
 */
export function* queriesIn(packets: Iterable<CapturedPacket>, port: number, skipped: Skipped): Iterable<RecordedQuery> {
  const streams = new Map<string, Stream>();
  for (const { at, link, bytes } of packets) {
    const offset = ipOffset(link, bytes);
    if (offset === undefined) skipped.links.add(link);
    const segment = typeof offset === 'number' ? segmentOf(bytes.subarray(offset)) : undefined;
    if (segment === undefined) {
      skipped.packets++;
      continue;
    }
    if (segment.toPort !== port) continue;
    if (!segment.tcp) {
      if (isQuery(segment.payload)) yield { at, transport: 'udp', bytes: segment.payload };
      continue;
    }
    for (const message of messages(streams, segment))
      if (isQuery(message)) yield { at, transport: 'tcp', bytes: Buffer.from(message) };
  }
}

function* messages(streams: Map<string, Stream>, segment: CapturedSegment): Iterable<Buffer> {
  const { flow, sequence, syn, payload, end } = segment;
  let stream = syn ? undefined : streams.get(flow);
  if (stream === undefined) {
    if (streams.size >= MAX_STREAMS) streams.delete(streams.keys().next().value!);
    stream = new Stream((sequence + (syn ? 1 : 0)) >>> 0);
    streams.set(flow, stream);
  }
  yield* stream.take(syn ? (sequence + 1) >>> 0 : sequence, payload);
  if (end) streams.delete(flow);
}
