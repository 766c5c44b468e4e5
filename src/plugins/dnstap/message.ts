import { parseIp } from '../../lib/cidr.js';
import type { Milliseconds, Octets } from '../../lib/units.js';

/** What was seen, by the numbers of dnstap.proto (dnstap.info). */
export const Seen = { CLIENT_QUERY: 5, CLIENT_RESPONSE: 6, FORWARDER_QUERY: 7, FORWARDER_RESPONSE: 8 } as const;

interface End {
  readonly address: string;
  readonly port: number;
}

/** One message to or from this server. Times are those of the wall clock. */
export interface TapEvent {
  readonly seen: (typeof Seen)[keyof typeof Seen];
  readonly protocol: 'udp' | 'tcp';
  /** Who asked. */
  readonly from: End | undefined;
  /** Who was asked; left out for clients' messages, as CoreDNS does. */
  readonly to?: End | undefined;
  readonly queried: Milliseconds;
  readonly responded?: Milliseconds | undefined;
  /** The query's bytes, or the response's. */
  readonly message?: Uint8Array | undefined;
}

/** Who tells, and what it has to add. */
export interface TapTeller {
  readonly identity: Uint8Array;
  readonly version: Uint8Array;
  readonly extra: Uint8Array | undefined;
}

/** Wire types of protocol buffers (protobuf.dev/programming-guides/encoding). */
const [VARINT, BYTES, FIXED32] = [0, 2, 5];

/** Longest form of all but the bytes that are copied: far below this. */
const HEADS: Octets = 256;

/** Writes protocol buffers front to back. */
class Writer {
  private readonly bytes: Buffer;
  private at = 0;

  constructor(size: Octets) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  get written(): Buffer {
    return this.bytes.subarray(0, this.at);
  }

  varint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) this.bytes[this.at++] = (rest & 0x7f) | 0x80;
    this.bytes[this.at++] = rest;
  }

  number(field: number, value: number): void {
    this.varint((field << 3) | VARINT);
    this.varint(value);
  }

  fixed32(field: number, value: number): void {
    this.varint((field << 3) | FIXED32);
    this.at = this.bytes.writeUInt32LE(value, this.at);
  }

  data(field: number, value: Uint8Array | undefined): void {
    if (value === undefined) return;
    this.varint((field << 3) | BYTES);
    this.varint(value.length);
    this.bytes.set(value, this.at);
    this.at += value.length;
  }

  /** Seconds and nanoseconds, in two fields. */
  time(seconds: number, nanoseconds: number, time: Milliseconds | undefined): void {
    if (time === undefined) return;
    this.number(seconds, Math.floor(time / 1000));
    this.fixed32(nanoseconds, Math.round((time % 1000) * 1e6));
  }
}

/** A `Dnstap` payload that holds one `Message`. */
export function encodeTap(event: TapEvent, { identity, version, extra }: TapTeller): Buffer {
  const message = encodeMessageOf(event);
  const whole = new Writer(HEADS + identity.length + version.length + (extra?.length ?? 0) + message.length);
  whole.data(1, identity);
  whole.data(2, version);
  whole.data(3, extra);
  whole.data(14, message);
  whole.number(15, 1);
  return whole.written;
}

function encodeMessageOf({ seen, protocol, from, to, queried, responded, message }: TapEvent): Buffer {
  const response = seen === Seen.CLIENT_RESPONSE || seen === Seen.FORWARDER_RESPONSE;
  const source = from && addressOf(from);
  const target = to && addressOf(to);
  const out = new Writer(HEADS + (message?.length ?? 0));
  out.number(1, seen);
  out.number(2, (target ?? source)?.length === 16 ? 2 : 1);
  out.number(3, protocol === 'udp' ? 1 : 2);
  out.data(4, source);
  out.data(5, target);
  if (from) out.number(6, from.port);
  if (to) out.number(7, to.port);
  out.time(8, 9, queried);
  if (!response) out.data(10, message);
  out.time(12, 13, responded);
  if (response) out.data(14, message);
  return out.written;
}

/** Without the zone index, which no other host understands; an IPv4 address in 4 bytes in whatever form it is written. */
function addressOf({ address }: End): Uint8Array | undefined {
  const bytes = parseIp(address.split('%', 1)[0]!);
  const mapped = bytes?.length === 16 && bytes.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  return mapped ? bytes.subarray(12) : bytes;
}
