import type { Octets } from '../lib/units.js';

/** What a sketch has room for. */
export interface SpaceSavingSize {
  /** Keys that are counted at once: a power of two, at least WAYS. */
  readonly capacity: number;
  /** Longest key. */
  readonly keySize: Octets;
  /** Sums that are kept beside each count. */
  readonly sums: number;
}

/** Keys of a set. Their hashes, and their counts, lie in one line of the processor's cache each. */
export const WAYS = 8;

/**
 * The heaviest keys of a stream, in memory of fixed size: Space-Saving (Metwally, Agrawal and El Abbadi, "Efficient
 * computation of frequent and top-k elements in data streams", 2005), with weights, and in sets: a key that is new
 * takes the place of the lightest in its set, and that one's count as its error. So whatever comes, a count is too high
 * by at most its error, and a key that makes more than an eighth of what comes to its set is there. One heap for all
 * would do with less room, and costs three times as much for a name that is asked once.
 */
export class SpaceSaving {
  private readonly hashes: Int32Array;
  private readonly counts: Float64Array;
  private readonly errors: Float64Array;
  private readonly sums: readonly Float64Array[];
  private readonly keys: Uint8Array;
  private readonly lengths: Uint8Array;
  private readonly mask: number;

  constructor(readonly room: SpaceSavingSize) {
    const { capacity, keySize, sums } = room;
    this.hashes = new Int32Array(2 * capacity);
    this.counts = new Float64Array(capacity);
    this.errors = new Float64Array(capacity);
    this.sums = Array.from({ length: sums }, () => new Float64Array(capacity));
    this.keys = new Uint8Array(capacity * keySize);
    this.lengths = new Uint8Array(capacity);
    this.mask = capacity / WAYS - 1;
  }

  /** Memory that it takes. */
  get memory(): Octets {
    const { hashes, counts, errors, sums, keys, lengths } = this;
    return [hashes, counts, errors, ...sums, keys, lengths].reduce((all, { byteLength }) => all + byteLength, 0);
  }

  /** The slot of a key by its two hashes, which stand for it; negative where it is not there. */
  find(hash: number, hash2: number): number {
    const { hashes, counts } = this;
    const first = (hash & this.mask) * WAYS;
    for (let slot = first; slot < first + WAYS; slot++)
      if (hashes[2 * slot] === hash && hashes[2 * slot + 1] === hash2 && counts[slot]! > 0) return slot;
    return -1;
  }

  /**
   * Adds `weight`, above 0, to the count of a key and returns its slot.
   *
   * @param bytes where the key lies, from `at` on, `length` bytes, at most the sketch's key size
   */
  add(hash: number, hash2: number, bytes: Uint8Array, at: number, length: Octets, weight: number): number {
    const found = this.find(hash, hash2);
    const slot = found < 0 ? this.enter(hash, hash2, bytes, at, length) : found;
    this.counts[slot]! += weight;
    return slot;
  }

  /** Adds to one of the sums of a key. */
  addTo(sum: number, slot: number, value: number): void {
    this.sums[sum]![slot]! += value;
  }

  count(slot: number): number {
    return this.counts[slot]!;
  }

  /** By how much the count may be too high. */
  error(slot: number): number {
    return this.errors[slot]!;
  }

  /** What the key was counted while it was there. */
  sure(slot: number): number {
    return this.counts[slot]! - this.errors[slot]!;
  }

  sum(sum: number, slot: number): number {
    return this.sums[sum]![slot]!;
  }

  /** The key; a view that holds until the next `add`. */
  key(slot: number): Uint8Array {
    const from = slot * this.room.keySize;
    return this.keys.subarray(from, from + this.lengths[slot]!);
  }

  /** All slots with a key in falling order of `value`; by default of what the key was surely counted. */
  heaviest(value: (slot: number) => number = (slot) => this.sure(slot)): number[] {
    const slots = [...this.counts.keys()].filter((slot) => this.counts[slot]! > 0);
    const values = Float64Array.from(this.counts, (_, slot) => value(slot));
    return slots.sort((a, b) => values[b]! - values[a]! || a - b);
  }

  /** Multiplies all counts, errors and sums. */
  scale(factor: number): void {
    for (const array of [this.counts, this.errors, ...this.sums])
      for (let i = 0; i < array.length; i++) array[i]! *= factor;
  }

  /** Gives a new key the place of the lightest in its set. */
  private enter(hash: number, hash2: number, bytes: Uint8Array, at: number, length: Octets): number {
    const { counts, hashes, keys } = this;
    const first = (hash & this.mask) * WAYS;
    let slot = first;
    for (let other = first + 1; other < first + WAYS; other++) if (counts[other]! < counts[slot]!) slot = other;
    this.errors[slot] = counts[slot]!;
    for (const sum of this.sums) sum[slot] = 0;
    hashes[2 * slot] = hash;
    hashes[2 * slot + 1] = hash2;
    this.lengths[slot] = length;
    const from = slot * this.room.keySize;
    for (let i = 0; i < length; i++) keys[from + i] = bytes[at + i]!;
    return slot;
  }
}
