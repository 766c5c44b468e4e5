import type { Octets } from '../../lib/units.js';

/** Entry: where the next one of the same key begins (0: none), its hash, lengths of key and text, key, text. */
const NEXT = 0;
const HASH = 4;
const KEY_LENGTH = 8;
const TEXT_LENGTH = 10;
const KEY = 12;
/** Before the first entry, so that no entry begins at 0. */
const START: Octets = 4;
const FIRST_BYTES: Octets = 1024;
const FIRST_PLACES = 16;
/** A name in presentation format at its longest (each byte as `\DDD`), in UTF-8. */
const LONGEST_KEY: Octets = 4 * 1024;

/** For the key that is looked for. */
const wanted = Buffer.alloc(LONGEST_KEY);

/**
 * Lists of texts by key in one buffer, with an index of open addressing: thousands of keys are two objects to the
 * garbage collector, where a map of strings has it look at each. Keys and texts are shorter than 4 KiB and 64 KiB.
 */
export class TextTable {
  private bytes = Buffer.alloc(FIRST_BYTES);
  private used: Octets = START;
  /** Where the first entry of a key begins; 0: free. Its length is a power of two. */
  private places = new Uint32Array(FIRST_PLACES);
  private keys = 0;

  /** In the order in which they were added; undefined where there are none. */
  get(key: string, hash: number): string[] | undefined {
    const texts: string[] = [];
    for (let at = this.find(hash, wanted.write(key)); at !== 0; at = this.bytes.readUInt32LE(at + NEXT)) {
      const from = at + KEY + this.bytes.readUInt16LE(at + KEY_LENGTH);
      texts.push(this.bytes.toString('utf8', from, from + this.bytes.readUInt16LE(at + TEXT_LENGTH)));
    }
    return texts.length === 0 ? undefined : texts;
  }

  has(key: string, hash: number): boolean {
    return this.find(hash, wanted.write(key)) !== 0;
  }

  /** Whether the key is new. */
  add(key: string, hash: number, text: string): boolean {
    const length = wanted.write(key);
    let last = this.find(hash, length);
    const isNew = last === 0;
    const at = this.write(hash, isNew ? length : 0, text);
    if (isNew) {
      this.places[freeOf(this.places, hash)] = at;
      if (++this.keys * 2 > this.places.length) this.grow();
      return true;
    }
    for (let next = last; next !== 0; next = this.bytes.readUInt32LE(last + NEXT)) last = next;
    this.bytes.writeUInt32LE(at, last + NEXT);
    return false;
  }

  /** Where the first entry of the key in `wanted` begins; 0 without one. */
  private find(hash: number, length: Octets): number {
    const { bytes, places } = this;
    for (let i = hash >>> 9; ; i++) {
      const at = places[i & (places.length - 1)]!;
      if (at === 0) return 0;
      if (bytes.readUInt32LE(at + HASH) !== hash || bytes.readUInt16LE(at + KEY_LENGTH) !== length) continue;
      if (wanted.compare(bytes, at + KEY, at + KEY + length, 0, length) === 0) return at;
    }
  }

  /** Appends an entry with a key of so many bytes of `wanted`. */
  private write(hash: number, length: Octets, text: string): number {
    const size = Buffer.byteLength(text);
    const at = this.used;
    const end = at + KEY + length + size;
    if (end > this.bytes.length) {
      const larger = Buffer.alloc(2 * Math.max(this.bytes.length, end));
      this.bytes.copy(larger, 0, 0, at);
      this.bytes = larger;
    }
    const { bytes } = this;
    bytes.writeUInt32LE(hash, at + HASH);
    bytes.writeUInt16LE(length, at + KEY_LENGTH);
    bytes.writeUInt16LE(size, at + TEXT_LENGTH);
    wanted.copy(bytes, at + KEY, 0, length);
    bytes.write(text, at + KEY + length);
    this.used = end;
    return at;
  }

  private grow(): void {
    const larger = new Uint32Array(2 * this.places.length);
    for (const at of this.places) if (at !== 0) larger[freeOf(larger, this.bytes.readUInt32LE(at + HASH))] = at;
    this.places = larger;
  }
}

/** The first free place for a hash. */
function freeOf(places: Uint32Array, hash: number): number {
  let i = hash >>> 9;
  while (places[i & (places.length - 1)] !== 0) i++;
  return i & (places.length - 1);
}
