import { HEADER_SIZE } from '../wire/index.js';

/**
 * Whether a message ends before the records that its header announces, and is well-formed up to there: what is left
 * of a reply that somebody on the
 * way cut to size. `records` is the offset after the question.
 */
export function isCutShort(bytes: Uint8Array, records: number): boolean {
  let count = 0;
  for (let at = 6; at < HEADER_SIZE; at += 2) count += (bytes[at]! << 8) | bytes[at + 1]!;
  let at = records;
  for (; count > 0; count--) {
    at = nameEnd(bytes, at);
    if (at < 0) return false;
    if (at + 10 > bytes.length) return true;
    at += 10 + ((bytes[at + 8]! << 8) | bytes[at + 9]!);
    if (at > bytes.length) return true;
  }
  return false;
}

/**
 * Offset after a name, perhaps past the end of the message; -1 for a label of a reserved type or a pointer that does
 * not lead back.
 */
function nameEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== 0) {
    const length = bytes[at]!;
    if (length >= 0xc0) return at + 1 < bytes.length && (((length & 0x3f) << 8) | bytes[at + 1]!) >= at ? -1 : at + 2;
    if (length > 63) return -1;
    at += length + 1;
  }
  return at + 1;
}
