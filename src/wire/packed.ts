import type { Octets } from '../lib/units.js';
import type { EncodedRecords } from './encoded.js';

/** Longest records that are packed: those of most replies. */
const LONGEST: Octets = 512;
/** Counts that go before the records, a character each. */
const HEAD = 3;
/** From a TTL field to its record's end: to the data's length, and on to the data (RFC 1035 section 4.1.3). */
const TO_LENGTH = 4;
const TO_DATA = 6;
/** From the owner's end to the TTL. */
const TO_TTL = 4;

/**
 * Records that are to be kept for long, as a string of a character a byte: the least that the engine takes for them, a
 * third of what an object with a Buffer does. Longer ones stay as they are.
 */
export type PackedRecords = string | EncodedRecords;

/** @param records whose owners take over nobody's spelling */
export function packRecords(records: EncodedRecords): PackedRecords {
  const { bytes, answers, authorities, additionals, owners } = records;
  if (bytes.length > LONGEST || Math.max(answers, authorities, additionals) > 0xff || owners !== undefined)
    return records;
  const head = String.fromCharCode(answers, authorities, additionals);
  return head + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

export function unpackRecords(packed: PackedRecords): EncodedRecords {
  if (typeof packed !== 'string') return packed;
  const all = Buffer.from(packed, 'latin1');
  const bytes = all.subarray(HEAD);
  const ttls: number[] = [];
  for (let at = 0; at < bytes.length;) {
    // All names are written out.
    while (bytes[at]! > 0) at += bytes[at]! + 1;
    at += 1 + TO_TTL;
    ttls.push(at);
    at += TO_DATA + ((bytes[at + TO_LENGTH]! << 8) | bytes[at + TO_LENGTH + 1]!);
  }
  return { bytes, answers: all[0]!, authorities: all[1]!, additionals: all[2]!, ttls };
}

/** Number of answers. */
export const packedAnswers = (packed: PackedRecords): number =>
  typeof packed === 'string' ? packed.charCodeAt(0) : packed.answers;

/** Length of the records. */
export const packedLength = (packed: PackedRecords): Octets =>
  typeof packed === 'string' ? packed.length - HEAD : packed.bytes.length;
