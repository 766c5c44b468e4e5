import type { Octets } from '../lib/units.js';

/** Codes of the field `grpc-status`. */
export const GrpcStatus = { UNKNOWN: 2, RESOURCE_EXHAUSTED: 8, UNIMPLEMENTED: 12, INTERNAL: 13 } as const;

/** Why a call fails. */
export interface GrpcFault {
  readonly status: number;
  readonly reason: string;
}

/** A message stands behind a byte that says whether it is compressed, and its length in four. */
const PREFIX: Octets = 5;
/** A DNS message, and the tag and length of the field that it stands in. */
const LONGEST: Octets = 65_535 + 4;

/** Wire types of protocol buffers (protobuf.dev/programming-guides/encoding). */
const [VARINT, FIXED64, BYTES, FIXED32] = [0, 1, 2, 5];
/** `DnsPacket { bytes msg = 1; }`. */
const MSG = (1 << 3) | BYTES;

const malformed: GrpcFault = { status: GrpcStatus.INTERNAL, reason: 'malformed message' };

/** The DNS message that the body of a call holds, or what is wrong with it. */
export function readPacket(body: Buffer): Buffer | GrpcFault {
  if (body.length < PREFIX) return { status: GrpcStatus.INTERNAL, reason: 'message cut short' };
  const length = body.readUInt32BE(1);
  if (length > LONGEST)
    return {
      status: GrpcStatus.RESOURCE_EXHAUSTED,
      reason: `received message larger than max (${length} vs. ${LONGEST})`,
    };
  if (body[0] !== 0) return { status: GrpcStatus.UNIMPLEMENTED, reason: 'compression is not supported' };
  if (body.length !== PREFIX + length) return { status: GrpcStatus.INTERNAL, reason: 'message cut short' };
  return readFields(body.subarray(PREFIX)) ?? malformed;
}

/** The field `msg`, the last one where there are several; empty where there is none. Undefined for what is malformed. */
function readFields(bytes: Buffer): Buffer | undefined {
  let found = bytes.subarray(0, 0);
  for (let at = 0; at < bytes.length;) {
    const tag = readVarint(bytes, at);
    if (tag === undefined) return undefined;
    const wire = tag.value & 7;
    at = tag.end;
    let length: number;
    if (wire === VARINT || wire === BYTES) {
      const value = readVarint(bytes, at);
      if (value === undefined) return undefined;
      at = value.end;
      length = wire === BYTES ? value.value : 0;
    } else if (wire === FIXED64 || wire === FIXED32) length = wire === FIXED64 ? 8 : 4;
    else return undefined;
    if (at + length > bytes.length) return undefined;
    if (tag.value === MSG) found = bytes.subarray(at, at + length);
    at += length;
  }
  return found;
}

function readVarint(bytes: Buffer, start: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[start + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: start + i + 1 };
  }
  return undefined;
}

/** The body of an answer. */
export function packetOf(message: Uint8Array): Buffer {
  const sizes = message.length < 0x80 ? 1 : message.length < 0x4000 ? 2 : 3;
  const body = Buffer.allocUnsafe(PREFIX + 1 + sizes + message.length);
  body[0] = 0;
  body.writeUInt32BE(1 + sizes + message.length, 1);
  body[PREFIX] = MSG;
  for (let i = 0; i < sizes; i++)
    body[PREFIX + 1 + i] = ((message.length >> (7 * i)) & 0x7f) | (i + 1 < sizes ? 0x80 : 0);
  body.set(message, PREFIX + 1 + sizes);
  return body;
}
