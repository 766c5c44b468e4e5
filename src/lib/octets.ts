import type { Octets } from './units.js';

/** Up to this length, copying by hand is quicker than making the view that a copy by a call needs. */
const SHORT: Octets = 128;

/** A copy of the octets from `start` to before `end`. */
export function copyOctets(source: Uint8Array, start: Octets, end: Octets): Buffer {
  const length = end - start;
  const copy = Buffer.allocUnsafe(length);
  if (length > SHORT) copy.set(source.subarray(start, end));
  else for (let i = 0; i < length; i++) copy[i] = source[start + i]!;
  return copy;
}
