import type { Octets } from '../lib/units.js';
import type { SpaceSaving } from './space-saving.js';

/** A name of 255 bytes has at most 127 labels (RFC 1035 section 2.3.4), and the root's. */
const LABELS = 128;

const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte));

/**
 * One name after the other in lower case, with hashes of what its first labels make, and of what its last labels make:
 * two of 32 bits each, which together stand for a name.
 */
export class NameReader {
  /** The name in wire form. */
  readonly bytes = new Uint8Array(256);
  /** With the root's byte. */
  length: Octets = 0;
  labels = 0;
  /** Where each label begins, and behind them the root. */
  readonly starts = new Uint8Array(LABELS);
  /** Begins with a root label. */
  private readonly shortened = new Uint8Array(256);
  private readonly heads = new Int32Array(2 * LABELS);
  private readonly tails = new Int32Array(2 * LABELS);

  /** @param seed a secret, so that nobody can make many names share a place */
  constructor(private readonly seed: readonly [number, number]) {}

  /** Reads a name without pointers that is known to be well-formed. */
  read(source: Uint8Array, at: number): void {
    const { bytes, heads, starts } = this;
    let [a, b] = this.seed;
    let write = 0;
    let labels = 0;
    for (;;) {
      const label = source[at + write]!;
      starts[labels] = write;
      heads[2 * labels] = mixed(a);
      heads[2 * labels + 1] = b;
      if (label === 0) break;
      for (const end = write + label + 1; write < end; write++) {
        const byte = LOWER[source[at + write]!]!;
        bytes[write] = byte;
        a = Math.imul(a ^ byte, 0x0100_0193);
        b = Math.imul(b ^ byte, 0x5bd1_e995);
        b ^= b >>> 15;
      }
      labels++;
    }
    bytes[write] = 0;
    this.length = write + 1;
    this.labels = labels;
  }

  /** Makes the hashes of all ends of the name; those of its beginnings are there without. */
  readTails(): void {
    const { bytes, starts, tails, labels } = this;
    let [b, a] = this.seed;
    for (let label = labels - 1; label >= 0; label--) {
      for (let i = starts[label + 1]! - 1; i >= starts[label]!; i--) {
        a = Math.imul(a ^ bytes[i]!, 0x0100_0193);
        b = Math.imul(b ^ bytes[i]!, 0x5bd1_e995);
        b ^= b >>> 15;
      }
      tails[2 * label] = mixed(a);
      tails[2 * label + 1] = b;
    }
  }

  /** Whether the sketch has the whole name. */
  isIn(sketch: SpaceSaving): boolean {
    return sketch.find(this.head(this.labels), this.head2(this.labels)) >= 0;
  }

  /** Hash of the name that the first `labels` labels make; of the whole name with all of them. */
  head(labels: number): number {
    return this.heads[2 * labels]!;
  }

  head2(labels: number): number {
    return this.heads[2 * labels + 1]!;
  }

  /** Hash of the name that is left without the first `labels` labels. */
  tail(labels: number): number {
    return this.tails[2 * labels]!;
  }

  tail2(labels: number): number {
    return this.tails[2 * labels + 1]!;
  }

  /**
   * Counts the name that is left without the first `cut` labels, and returns its slot. One that is longer than the
   * sketch's keys is kept without its beginning, behind a root label.
   */
  countIn(sketch: SpaceSaving, cut: number, weight: number): number {
    const hash = cut === 0 ? this.head(this.labels) : this.tail(cut);
    const hash2 = cut === 0 ? this.head2(this.labels) : this.tail2(cut);
    const { bytes, length, starts } = this;
    const { keySize } = sketch.room;
    let first = cut;
    while (length - starts[first]! >= keySize) first++;
    const from = starts[first]!;
    if (first === cut) return sketch.add(hash, hash2, bytes, from, length - from, weight);
    this.shortened.set(bytes.subarray(from, length), 1);
    return sketch.add(hash, hash2, this.shortened, 0, length - from + 1, weight);
  }
}

/** Low bits of a product know little of the high ones. */
const mixed = (hash: number): number => {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  return once ^ (once >>> 13);
};
