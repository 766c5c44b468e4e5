import type { Octets } from '../lib/units.js';

/** Bytes before each entry: its length. */
const HEAD: Octets = 4;

/** Texts in memory of fixed size: a new one takes the place of the oldest ones. */
export class ByteRing {
  private readonly bytes: Buffer;
  /** Where the oldest begins, and how many bytes from there are taken. */
  private start = 0;
  private used = 0;
  private entries = 0;

  /** @param size of all of it, in bytes */
  constructor(size: Octets) {
    this.bytes = Buffer.alloc(size);
  }

  get count(): number {
    return this.entries;
  }

  /** False for a text that does not fit at all. */
  push(text: string): boolean {
    const entry = Buffer.allocUnsafe(HEAD + Buffer.byteLength(text));
    entry.writeUInt32BE(entry.length - HEAD, 0);
    entry.write(text, HEAD);
    if (entry.length > this.bytes.length) return false;
    while (this.bytes.length - this.used < entry.length) this.drop();
    const at = (this.start + this.used) % this.bytes.length;
    const first = Math.min(entry.length, this.bytes.length - at);
    entry.copy(this.bytes, at, 0, first);
    entry.copy(this.bytes, 0, first);
    this.used += entry.length;
    this.entries++;
    return true;
  }

  /** All texts, oldest first. */
  all(): string[] {
    const texts: string[] = [];
    for (let offset = 0; offset < this.used;) {
      const length = this.lengthAt(offset);
      texts.push(this.read(offset + HEAD, length).toString('utf8'));
      offset += HEAD + length;
    }
    return texts;
  }

  private drop(): void {
    const length = HEAD + this.lengthAt(0);
    this.start = (this.start + length) % this.bytes.length;
    this.used -= length;
    this.entries--;
  }

  private lengthAt(offset: number): number {
    return this.read(offset, HEAD).readUInt32BE(0);
  }

  private read(offset: number, length: Octets): Buffer {
    const at = (this.start + offset) % this.bytes.length;
    const first = this.bytes.subarray(at, at + length);
    if (first.length === length) return first;
    return Buffer.concat([first, this.bytes.subarray(0, length - first.length)]);
  }
}
