import type { Octets } from '../lib/units.js';
import { Type } from './constants.js';
import { WireError } from './error.js';
import { copied, copyName } from './name.js';

/**
 * Where the domain names lie in a type's record data: after `skip` octets and `strings` character-strings come
 * `names` names, then the rest.
 */
export interface Layout {
  readonly skip: number;
  readonly strings: number;
  readonly names: number;
  /** Whether a writer may compress those names: the types of RFC 1035 only (RFC 3597 section 4). */
  readonly compress: boolean;
}

const layout = (skip: number, names: number, compress = false, strings = 0): Layout => ({
  skip,
  strings,
  names,
  compress,
});

const LAYOUTS = new Map<number, Layout>([
  ...[Type.NS, Type.MD, Type.MF, Type.CNAME, Type.PTR, Type.MB, Type.MG, Type.MR].map(
    (type) => [type, layout(0, 1, true)] as const,
  ),
  [Type.SOA, layout(0, 2, true)],
  [Type.MINFO, layout(0, 2, true)],
  [Type.MX, layout(2, 1, true)],
  ...[Type.AFSDB, Type.RT, Type.KX, Type.LP, Type.SVCB, Type.HTTPS].map((type) => [type, layout(2, 1)] as const),
  ...[Type['NSAP-PTR'], Type.DNAME, Type.NSEC, Type.NXT].map((type) => [type, layout(0, 1)] as const),
  ...[Type.RP, Type.TALINK].map((type) => [type, layout(0, 2)] as const),
  [Type.PX, layout(2, 2)],
  [Type.SRV, layout(6, 1)],
  [Type.NAPTR, layout(4, 1, false, 3)],
  [Type.SIG, layout(18, 1)],
  [Type.RRSIG, layout(18, 1)],
]);

/** The layout of a type whose data holds names; undefined for all others. */
export const rdataLayout = (type: number): Layout | undefined => LAYOUTS.get(type);

/** Octets that data may grow by when its names are written out: at most two names of 255 in place of pointers. */
export const MAX_RDATA_GROWTH: Octets = 2 * 255;

/** Lengths that a type's data must have, in octets. */
const FIXED = new Map<number, number>([
  [Type.A, 4],
  [Type.AAAA, 16],
]);

/**
 * Copies record data of `length` octets at `offset`, its names uncompressed, to `target` at `at`; returns the offset
 * after the copy.
 * Throws a WireError when the data does not fit its type or its length.
 */
export function copyRdata(
  type: number,
  bytes: Uint8Array,
  offset: number,
  length: number,
  target: Uint8Array,
  at: number,
): number {
  const end = offset + length;
  const shape = LAYOUTS.get(type);
  if (shape === undefined) {
    const fixed = FIXED.get(type);
    // Empty data stands for "no value" in updates (RFC 2136 section 2.4); there is no record type for which it is
    // harmful.
    if (fixed !== undefined && length !== fixed && length !== 0)
      throw new WireError(`record data of ${length} octets where the type has ${fixed}`, offset);
    return copyOctets(bytes, offset, end, target, at);
  }
  if (length === 0) return at;
  let read = offset + shape.skip;
  for (let i = 0; i < shape.strings; i++) read += 1 + (bytes[read] ?? 0);
  if (read > end) throw new WireError('record data ends before its names', offset);
  let write = copyOctets(bytes, offset, read, target, at);
  for (let i = 0; i < shape.names; i++) {
    read = copyName(bytes, read, target, write);
    write += copied.length;
    if (read > end) throw new WireError('name runs past its record data', offset);
  }
  return copyOctets(bytes, read, end, target, write);
}

function copyOctets(bytes: Uint8Array, from: number, to: number, target: Uint8Array, at: number): number {
  for (let i = from; i < to; i++) target[at++] = bytes[i]!;
  return at;
}
