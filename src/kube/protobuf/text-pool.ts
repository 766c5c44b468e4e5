import type { Octets } from '../../lib/units.js';

/** Texts of a cluster that repeat are short: kinds, protocols, names of ports and namespaces, keys of labels. */
const MAX_LENGTH: Octets = 48;
/** Places for texts, a power of two. */
const PLACES = 2048;

/**
 * Makes text of bytes, and of the same bytes soon after the same text, without making it anew. Each place holds the
 * text that came last: whatever comes, nothing grows.
 */
export class TextPool {
  private readonly places: string[] = new Array<string>(PLACES).fill('');

  /** The UTF-8 from `start` to `end`; what is none becomes U+FFFD. */
  text(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length > MAX_LENGTH) return bytes.toString('utf8', start, end);
    let hash = length;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      if (byte > 0x7f) return bytes.toString('utf8', start, end);
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const place = (hash ^ (hash >>> 11)) & (PLACES - 1);
    const known = this.places[place]!;
    if (known.length === length && isSame(known, bytes, start)) return known;
    return (this.places[place] = bytes.toString('latin1', start, end));
  }
}

function isSame(text: string, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
