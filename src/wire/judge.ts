import type { Octets } from '../lib/units.js';
import { HEADER_SIZE, Type } from './constants.js';
import { OPT_SIZE } from './edns.js';
import { WireError } from './error.js';
import { RECORD_FIXED } from './message.js';
import { copyName } from './name.js';
import { rdataLayout } from './rdata.js';

const scratch = Buffer.alloc(256);
const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

/**
 * Judges all that stands behind the question of a query, so that nobody who reads it later meets a fault. Throws a
 * WireError for what is malformed: records, their data, EDNS options, more than one OPT record.
 * Bytes after the last record are ignored, and so are counts of records that are not there when the message ends
 * exactly before them, as CoreDNS takes them.
 * @param at offset after the question
 */
export function judgeRecords(bytes: Uint8Array, at: number): void {
  if ((bytes[6]! | bytes[7]! | bytes[8]! | bytes[9]! | bytes[10]! | bytes[11]!) === 0 || isPlainOpt(bytes, at)) return;
  const count = uint16(bytes, 6) + uint16(bytes, 8) + uint16(bytes, 10);
  let opts = 0;
  let start = at;
  for (let i = 0; i < count && start < bytes.length; i++) {
    const end = copyName(bytes, start, scratch, 0);
    const data = end + RECORD_FIXED;
    if (data > bytes.length) throw new WireError('record cut short', end);
    const next = data + uint16(bytes, end + 8);
    if (next > bytes.length) throw new WireError('record data runs past the end of the message', end + 8);
    const type = uint16(bytes, end);
    if (type === Type.OPT) {
      // RFC 6891 section 6.1.1
      if (opts++ > 0) throw new WireError('more than one OPT record', start);
      judgeOptions(bytes, data, next);
    } else judgeData(type, bytes, data, next);
    start = next;
  }
}

/** The form that nearly all queries with EDNS have: one OPT record without options behind the question. */
const isPlainOpt = (bytes: Uint8Array, at: number): boolean =>
  bytes[11] === 1 &&
  (bytes[6]! | bytes[7]! | bytes[8]! | bytes[9]! | bytes[10]!) === 0 &&
  at >= HEADER_SIZE &&
  at + OPT_SIZE <= bytes.length &&
  bytes[at] === 0 &&
  uint16(bytes, at + 1) === Type.OPT &&
  uint16(bytes, at + 9) === 0;

/** Bytes that follow the names in the data of types that have no others. */
const BEHIND_NAMES: ReadonlyMap<number, Octets> = new Map([
  ...[Type.NS, Type.CNAME, Type.PTR, Type.MB, Type.MG, Type.MR, Type.MINFO, Type.MX, Type.AFSDB, Type.RT].map(
    (type) => [type, 0] as const,
  ),
  ...[Type.KX, Type.DNAME, Type.RP, Type.PX, Type.SRV, Type.NAPTR].map((type) => [type, 0] as const),
  [Type.SOA, 20],
]);

const FIXED: ReadonlyMap<number, Octets> = new Map([
  [Type.A, 4],
  [Type.AAAA, 16],
]);

function judgeData(type: number, bytes: Uint8Array, at: number, end: number): void {
  // No data stands for "no value" in updates (RFC 2136 section 2.4).
  if (at === end) return;
  const fixed = FIXED.get(type);
  if (fixed !== undefined && end - at !== fixed)
    throw new WireError(`record data of ${end - at} bytes where the type has ${fixed}`, at);
  if (type === Type.TXT || type === Type.SPF) return judgeStrings(bytes, at, end);
  const shape = rdataLayout(type);
  if (shape === undefined) return;
  let read = at + shape.skip;
  for (let i = 0; i < shape.strings; i++) read += 1 + (bytes[read] ?? 0);
  if (read > end) throw new WireError('record data ends before its names', at);
  for (let i = 0; i < shape.names; i++) read = copyName(bytes, read, scratch, 0);
  const behind = BEHIND_NAMES.get(type);
  if (read > end || (behind !== undefined && end - read !== behind))
    throw new WireError('names do not end where their record data does', at);
}

function judgeStrings(bytes: Uint8Array, start: number, end: number): void {
  let at = start;
  while (at < end) at += 1 + bytes[at]!;
  if (at !== end) throw new WireError('character-string runs past its record data', start);
}

function judgeOptions(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end;) {
    if (at + 4 > end) throw new WireError('EDNS option cut short', at);
    const next = at + 4 + uint16(bytes, at + 2);
    if (next > end) throw new WireError('EDNS option runs past its record', at);
    const judge = OPTIONS.get(uint16(bytes, at));
    if (judge !== undefined && !judge(bytes, at + 4, next))
      throw new WireError(`EDNS option ${uint16(bytes, at)} is malformed`, at);
    at = next;
  }
}

type IsOption = (bytes: Uint8Array, at: number, end: number) => boolean;

const sized =
  (...sizes: readonly Octets[]): IsOption =>
  (_bytes, at, end) =>
    sizes.includes(end - at);
const least =
  (size: Octets): IsOption =>
  (_bytes, at, end) =>
    end - at >= size;

/** Options with a form of their own; all others may hold anything. */
const OPTIONS: ReadonlyMap<number, IsOption> = new Map<number, IsOption>([
  // Long-lived queries (RFC 8764 section 3.2).
  [1, least(18)],
  // Update leases (RFC 9664 section 4).
  [2, sized(4, 8)],
  [8, isClientSubnet],
  // Expire (RFC 7314 section 2).
  [9, (_bytes, at, end) => end === at || end - at >= 4],
  // TCP keepalive (RFC 7828 section 3.1).
  [11, sized(0, 2)],
  // Extended DNS errors (RFC 8914 section 2).
  [15, least(2)],
  // Error reporting (RFC 9567 section 5).
  [18, isName],
  // Zone version (RFC 9660 section 2).
  [19, least(2)],
]);

/** RFC 7871 section 6: family, length of the prefix and of its scope, address. dig sends family 0 for no prefix. */
function isClientSubnet(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 4) return false;
  const family = uint16(bytes, at);
  const prefix = bytes[at + 2]!;
  if (family === 0) return prefix === 0;
  const longest = family === 1 ? 32 : family === 2 ? 128 : -1;
  return prefix <= longest && bytes[at + 3]! <= longest;
}

function isName(bytes: Uint8Array, at: number, end: number): boolean {
  try {
    copyName(bytes.subarray(at, end), 0, scratch, 0);
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
