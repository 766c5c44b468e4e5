import type { Octets, Seconds } from '../lib/units.js';
import {
  Class,
  HEADER_SIZE,
  RECORD_FIXED,
  Type,
  WireError,
  copyName,
  encodeName,
  lowerName,
  nameLength,
  readName,
  type Name,
} from '../wire/index.js';

/** What a TSIG record says (RFC 8945 section 4.2). Names are in lower case. */
export interface TsigData {
  readonly key: Name;
  readonly algorithm: Name;
  /** Since 1970, 48 bits. */
  readonly time: Seconds;
  /** How far clocks may be apart. */
  readonly fudge: Seconds;
  readonly mac: Uint8Array;
  readonly originalId: number;
  readonly error: number;
  readonly other: Uint8Array;
}

/** A record and where in its message it begins: there the message ended before it was signed. */
export interface TsigRecord extends TsigData {
  readonly start: number;
}

const NO_BYTES = new Uint8Array();
const ARCOUNT = 10;
const scratch = Buffer.alloc(256);

/**
 * The TSIG record of a message; undefined where there is none. Throws a WireError for one
 * that is malformed, stands elsewhere than at the end, or is one of several (RFC 8945 section 5.2).
 */
export function findTsig(bytes: Buffer): TsigRecord | undefined {
  const additional = bytes.readUInt16BE(ARCOUNT);
  const count = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + additional;
  let start = HEADER_SIZE;
  for (let i = bytes.readUInt16BE(4); i > 0; i--) start = copyName(bytes, start, scratch, 0) + 4;
  for (let i = 0; i < count && start < bytes.length; i++) {
    const end = copyName(bytes, start, scratch, 0);
    const data = end + RECORD_FIXED;
    if (data > bytes.length) throw new WireError('record cut short', end);
    const next = data + bytes.readUInt16BE(end + 8);
    if (next > bytes.length) throw new WireError('record data runs past the end of the message', end + 8);
    if (bytes.readUInt16BE(end) === Type.TSIG) {
      if (i + 1 !== count || additional === 0) throw new WireError('TSIG record that is not the last one', start);
      if (next !== bytes.length) throw new WireError('bytes behind the TSIG record', next);
      return readTsig(bytes, start, end, next);
    }
    start = next;
  }
  return undefined;
}

/** Reads the record from `start` to `end`; the name ends at `fixed`. */
function readTsig(bytes: Buffer, start: number, fixed: number, end: number): TsigRecord {
  if (bytes.readUInt16BE(fixed + 2) !== Class.ANY || bytes.readUInt32BE(fixed + 4) !== 0)
    throw new WireError('TSIG record of another class than ANY, or with a TTL', fixed);
  let at = fixed + RECORD_FIXED;
  const algorithm = readName(bytes, at);
  const name = lowerName(algorithm.name);
  // The data of later types holds no pointers (RFC 3597 section 4).
  if (algorithm.end - at !== nameLength(name)) throw new WireError('compressed name in a TSIG record', at);
  at = algorithm.end;
  const need = (length: Octets): void => {
    if (at + length > end) throw new WireError('TSIG record cut short', at);
  };
  const octets = (): Buffer => {
    need(2);
    const length = bytes.readUInt16BE(at);
    at += 2;
    need(length);
    return bytes.subarray(at, (at += length));
  };
  need(8);
  const [time, fudge] = [bytes.readUIntBE(at, 6), bytes.readUInt16BE(at + 6)];
  at += 8;
  const mac = octets();
  need(4);
  const [originalId, error] = [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2)];
  at += 4;
  const other = octets();
  if (at !== end) throw new WireError('bytes behind the fields of a TSIG record', at);
  const key = lowerName(readName(bytes, start).name);
  return { key, algorithm: name, time, fudge, mac, originalId, error, other, start };
}

/** The message without its TSIG record: a copy. */
export function withoutTsig(bytes: Buffer, { start }: TsigRecord): Buffer {
  const copy = Buffer.from(bytes.subarray(0, start));
  copy.writeUInt16BE(copy.readUInt16BE(ARCOUNT) - 1, ARCOUNT);
  return copy;
}

/** Length of the record, in bytes. */
export const tsigLength = ({ key, algorithm, mac, other }: TsigData): Octets =>
  nameLength(key) + RECORD_FIXED + nameLength(algorithm) + 16 + mac.length + other.length;

/** The message with the record at its end: a copy. `prefix` bytes before the message are kept. */
export function appendTsig(bytes: Buffer, data: TsigData, prefix: Octets = 0): Buffer {
  const signed = Buffer.alloc(bytes.length + tsigLength(data));
  bytes.copy(signed);
  signed.writeUInt16BE(signed.readUInt16BE(prefix + ARCOUNT) + 1, prefix + ARCOUNT);
  let at = bytes.length;
  const put = (part: Uint8Array): void => {
    signed.set(part, at);
    at += part.length;
  };
  const put16 = (value: number): void => {
    at = signed.writeUInt16BE(value, at);
  };
  put(encodeName(data.key));
  put16(Type.TSIG);
  put16(Class.ANY);
  at = signed.writeUInt32BE(0, at);
  put16(tsigLength(data) - nameLength(data.key) - RECORD_FIXED);
  put(encodeName(data.algorithm));
  put(timers(data));
  put16(data.mac.length);
  put(data.mac);
  put16(data.originalId);
  put16(data.error);
  put16(data.other.length);
  put(data.other);
  return signed;
}

/** Time and fudge in wire form. */
export function timers({ time, fudge }: Pick<TsigData, 'time' | 'fudge'>): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUIntBE(time, 0, 6);
  bytes.writeUInt16BE(fudge, 6);
  return bytes;
}

/** What of the record is signed beside the message (RFC 8945 section 4.3.3). */
export function variables(data: Omit<TsigData, 'mac' | 'originalId'>): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(Class.ANY, 0);
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(data.error, 0);
  tail.writeUInt16BE(data.other.length, 2);
  return Buffer.concat([encodeName(data.key), head, encodeName(data.algorithm), timers(data), tail, data.other]);
}

/** A record before it is signed. */
export const unsigned = (data: Pick<TsigData, 'key' | 'algorithm' | 'time' | 'originalId'>): TsigData => ({
  ...data,
  fudge: FUDGE,
  mac: NO_BYTES,
  error: 0,
  other: NO_BYTES,
});

/** How far clocks may be apart, in seconds (RFC 8945 section 10). */
const FUDGE: Seconds = 300;
