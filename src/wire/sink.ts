import type { Octets } from '../lib/units.js';
import { MAX_RDATA } from './message.js';
import { MAX_NAME, encodeName, writeName } from './name.js';
import { RrTextError } from './words.js';

const ROOT = encodeName('.');

/** Takes record data while it is made from words. */
export class Sink {
  /** Room for the longest data, and for what is written past its end before that is refused. */
  readonly bytes: Buffer = Buffer.alloc(MAX_RDATA + 0x10000);
  /** What was written. */
  length: Octets = 0;
  /** What names without a closing dot are completed with, in wire form. */
  origin: Uint8Array = ROOT;

  clear(): void {
    this.length = 0;
  }

  /** A number of `width` octets, 1 to 4. */
  uint(value: number, width: number): void {
    for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) this.bytes[this.length++] = value >>> shift;
  }

  /** Throws an RrTextError for more than any record may hold. */
  put(octets: Uint8Array): void {
    if (this.length + octets.length > MAX_RDATA) throw new RrTextError(`record data of more than ${MAX_RDATA} octets`);
    this.bytes.set(octets, this.length);
    this.length += octets.length;
  }

  /** A name, `@` for the origin. Throws a WireError where it breaks the limits of names. */
  name(text: string): void {
    this.length = putName(text, this.origin, this.bytes, this.length);
    if (this.length > MAX_RDATA) throw new RrTextError(`record data of more than ${MAX_RDATA} octets`);
  }

  /** A character-string: at most 255 octets (RFC 1035 section 3.3). */
  string(octets: Uint8Array): void {
    if (octets.length > 255)
      throw new RrTextError(`character-string of ${octets.length} octets, at most 255 are allowed`);
    this.bytes[this.length++] = octets.length;
    this.put(octets);
  }
}

/**
 * Writes a name of a master file in wire form at `at`, completed with `origin` where it has no closing dot, and
 * returns the offset after it. `@` is the origin. Throws a WireError where the name breaks its limits.
 */
export function putName(text: string, origin: Uint8Array, target: Uint8Array, at: number): number {
  if (text === '@') {
    target.set(origin, at);
    return at + origin.length;
  }
  if (text === '') throw new RrTextError('expected a name, got an empty word');
  const end = writeName(text, target, at);
  if (origin.length === 1 || isAbsolute(text)) return end;
  if (end - 1 + origin.length - at > MAX_NAME)
    throw new RrTextError(`name ${text} has more than ${MAX_NAME} octets with its origin`);
  target.set(origin, end - 1);
  return end - 1 + origin.length;
}

function isAbsolute(text: string): boolean {
  if (!text.endsWith('.')) return false;
  let backslashes = 0;
  for (let i = text.length - 2; i >= 0 && text[i] === '\\'; i--) backslashes++;
  return backslashes % 2 === 0;
}
