import type { Octets } from '../lib/units.js';

/** Bytes of a name that are looked for at a time. */
const WINDOW = 3;

const isCapital = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;
const isLetter = (byte: number): boolean => isCapital(byte & ~0x20);

/**
 * Whether records show nothing of how the question's name is spelt: then they are right for every spelling of it, as a
 * shared answer depends on the name in lower case and on no more. Only a name with a capital in each label that has
 * letters can tell; for any other this is false.
 *
 * @param name in wire form, as it was asked
 * @param records with the owners that repeat it already in lower case
 */
export function showsNoSpelling(name: Uint8Array, records: Uint8Array): boolean {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.length);
  for (let at = 0; name[at]! > 0; at += name[at]! + 1) {
    const label = name.subarray(at + 1, at + 1 + name[at]!);
    if (!label.some(isLetter)) continue;
    if (!label.some(isCapital) || repeats(label, bytes)) return false;
  }
  return true;
}

/** Whether a part of the label with a capital stands in the records. */
function repeats(label: Uint8Array, records: Buffer): boolean {
  const length = Math.min(WINDOW, label.length);
  for (let i = 0; i + length <= label.length; i++) {
    const part = label.subarray(i, i + length);
    if (part.some(isCapital) && records.includes(Buffer.from(part))) return true;
  }
  return false;
}

/** The records with `name` in the place of each owner that is the same name. */
export function withOwners(records: Uint8Array, owners: readonly Octets[], name: Uint8Array): Uint8Array {
  if (owners.length === 0) return records;
  const bytes = Uint8Array.prototype.slice.call(records);
  for (const owner of owners) bytes.set(name, owner);
  return bytes;
}
