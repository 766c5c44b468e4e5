import type { Octets } from '../lib/units.js';
import { Class, Flag, HEADER_SIZE, OPCODE_MASK, Opcode, RCODE_MASK, Type } from './constants.js';
import { WireError } from './error.js';
import { copied, copyName, readLowerName, writeName, type Name } from './name.js';

/** Types of DNS Stateful Operations (RFC 8490 section 10.3) and of Push Notifications (RFC 8765 section 8.3). */
export const DsoType = {
  KeepAlive: 1,
  RetryDelay: 2,
  Push: 0x41,
  /** Asks for the changes of all names of a zone: one of those that are for local use (F800 to FBFF). */
  SubscribeZone: 0xf800,
} as const;

/** One operation, or something that is said beside it. */
export interface DsoTlv {
  readonly type: number;
  readonly data: Uint8Array;
}

/** A message of DNS Stateful Operations. */
export interface DsoMessage {
  /** 0 where nothing is to be answered. */
  readonly id: number;
  readonly response: boolean;
  readonly rcode: number;
  /** The first one says what is asked or told. */
  readonly tlvs: readonly DsoTlv[];
}

const TLV_HEADER: Octets = 4;
/** Bytes of names in one message: what all who read it can take. */
const LARGEST_PUSH: Octets = 16_000;
/** In place of a TTL: all records of the name, or of a type, are gone (RFC 8765 section 6.3.1). */
const COLLECTIVE_REMOVE = 0xfffffffe;
/** Type, class, TTL and the length of no data. */
const REMOVE_SIZE: Octets = 10;

/** Whether a message, of any length, is one of DNS Stateful Operations. */
export const isDso = (bytes: Uint8Array): boolean =>
  bytes.length >= HEADER_SIZE && ((bytes[2]! << 8) & OPCODE_MASK) >> 11 === Opcode.DSO;

/** Throws a WireError for counts other than 0 and for what does not fit (RFC 8490 section 5.4). */
export function decodeDso(bytes: Buffer): DsoMessage {
  if (bytes.length < HEADER_SIZE) throw new WireError('message shorter than a header', 0);
  for (let at = 4; at < HEADER_SIZE; at++)
    if (bytes[at] !== 0) throw new WireError('count other than 0 in a stateful operation', at);
  const flags = bytes.readUInt16BE(2);
  const tlvs: DsoTlv[] = [];
  for (let at = HEADER_SIZE; at < bytes.length;) {
    if (at + TLV_HEADER > bytes.length) throw new WireError('half of a header of a stateful operation', at);
    const end = at + TLV_HEADER + bytes.readUInt16BE(at + 2);
    if (end > bytes.length) throw new WireError('stateful operation runs past the end of the message', at);
    tlvs.push({ type: bytes.readUInt16BE(at), data: bytes.subarray(at + TLV_HEADER, end) });
    at = end;
  }
  return { id: bytes.readUInt16BE(0), response: (flags & Flag.QR) !== 0, rcode: flags & RCODE_MASK, tlvs };
}

/** @param prefix bytes to leave free in front */
export function encodeDso({ id, response, rcode, tlvs }: DsoMessage, prefix: 0 | 2): Buffer {
  const size = tlvs.reduce((sum, { data }) => sum + TLV_HEADER + data.length, prefix + HEADER_SIZE);
  const bytes = Buffer.alloc(size);
  bytes.writeUInt16BE(id, prefix);
  bytes.writeUInt16BE((response ? Flag.QR : 0) | (Opcode.DSO << 11) | rcode, prefix + 2);
  let at = prefix + HEADER_SIZE;
  for (const { type, data } of tlvs) {
    bytes.writeUInt16BE(type, at);
    bytes.writeUInt16BE(data.length, at + 2);
    bytes.set(data, at + TLV_HEADER);
    at += TLV_HEADER + data.length;
  }
  return bytes;
}

/** A time as stateful operations have it. */
export const dsoTime = (time: number): Uint8Array =>
  Uint8Array.of(time >>> 24, (time >>> 16) & 255, (time >>> 8) & 255, time & 255);

/** What a Keepalive TLV holds: the inactivity timeout and the interval between keepalives (RFC 8490 section 7.1). */
export const dsoKeepAlive = (time: number): Buffer => Buffer.concat([dsoTime(time), dsoTime(time)]);

/** Messages that say that all records of names, in lower case, are others now; each with `prefix` bytes free in front. */
export function pushMessages(names: Iterable<Name>, prefix: 0 | 2): Buffer[] {
  const messages: Buffer[] = [];
  let at = 0;
  const flush = (): void => {
    const tlvs = [{ type: DsoType.Push, data: scratch.subarray(0, at) }];
    if (at > 0) messages.push(encodeDso({ id: 0, response: false, rcode: 0, tlvs }, prefix));
    at = 0;
  };
  for (const name of names) {
    at = writeName(name, scratch, at);
    scratch.writeUInt16BE(Type.ANY, at);
    scratch.writeUInt16BE(Class.IN, at + 2);
    scratch.writeUInt32BE(COLLECTIVE_REMOVE, at + 4);
    scratch.writeUInt16BE(0, at + 8);
    at += REMOVE_SIZE;
    if (at > LARGEST_PUSH) flush();
  }
  flush();
  return messages;
}

const scratch = Buffer.alloc(LARGEST_PUSH + 1024);

/**
 * The names of the records in a push, in lower case, whatever is said of them. Throws a WireError for names that are
 * compressed and for what does not fit.
 */
export function namesOfPush(data: Uint8Array): Name[] {
  const names: Name[] = [];
  for (let at = 0; at < data.length;) {
    const end = copyName(data, at, name, 0);
    if (end - at !== copied.length) throw new WireError('compressed name in a push', at);
    if (end + REMOVE_SIZE > data.length) throw new WireError('record runs past the end of a push', at);
    names.push(readLowerName(data, at));
    at = end + REMOVE_SIZE + ((data[end + 8]! << 8) | data[end + 9]!);
    if (at > data.length) throw new WireError('record runs past the end of a push', end);
  }
  return names;
}

const name = Buffer.alloc(256);

/** The only name in the data of an operation, in lower case. Throws a WireError where there is something else. */
export function nameIn(data: Uint8Array): Name {
  const end = copyName(data, 0, name, 0);
  if (end !== data.length || end !== copied.length) throw new WireError('something other than one name', 0);
  return readLowerName(data, 0);
}
