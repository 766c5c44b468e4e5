import type { Octets } from '../lib/units.js';
import { WireError } from './error.js';

/** Pointers reach the first 16 KiB of a message (RFC 1035 section 4.1.4). */
const POINTER_REACH: Octets = 0x4000;
const MAX_LABELS = 128;
/** A tail takes two bytes of a message's first 16 KiB at least, so that half of the table is never used. */
const SLOTS = POINTER_REACH;

/**
 * Names that are written into a message with pointers to what stands before (RFC 1035 section 4.1.4): each tail of a
 * name is found by its hash and then compared, in the letter case that it has. One instance is used over and over.
 */
export class Compressor {
  /** Message that a slot was filled for; hash of a tail, and its place in the message. */
  private readonly epochs = new Uint32Array(SLOTS);
  private readonly hashes = new Int32Array(SLOTS);
  private readonly places = new Uint16Array(SLOTS);
  private readonly labels = new Int32Array(MAX_LABELS);
  private readonly labelHashes = new Int32Array(MAX_LABELS);
  private epoch = 0;

  /** @param target the message; it begins at 0 */
  constructor(private readonly target: Uint8Array) {}

  /** Forgets all names: another message begins. */
  reset(): void {
    this.epoch = (this.epoch + 1) >>> 0;
    if (this.epoch > 0) return;
    this.epochs.fill(0);
    this.epoch = 1;
  }

  /**
   * Writes the uncompressed name that stands at `from` of `source` to `at`; returns the offset after it. Throws a
   * WireError when it does not end before `end`.
   */
  write(source: Uint8Array, from: number, end: number, at: number): number {
    const { labels, labelHashes, target } = this;
    const count = this.readLabels(source, from, end);
    let write = at;
    for (let i = 0; i < count; i++) {
      const place = this.place(source, labels[i]!, labelHashes[i]!, write);
      if (place >= 0) {
        target[write] = 0xc0 | (place >> 8);
        target[write + 1] = place;
        return write + 2;
      }
      const stop = labels[i]! + 1 + source[labels[i]!]!;
      for (let k = labels[i]!; k < stop; k++) target[write++] = source[k]!;
    }
    target[write] = 0;
    return write + 1;
  }

  /**
   * Lets later names point to the uncompressed name at `from` of the message, which stays as it is. RFC 3597 section 4
   * forbids to compress names in the data of newer types, not to point to them, and CoreDNS does. Data that does not
   * hold a whole name before `end` is left alone; returns the offset after the name, `end` then.
   */
  offer(from: number, end: number): number {
    const { target } = this;
    let after = from;
    while (after < end && target[after] !== 0) after += 1 + target[after]!;
    if (after >= end) return end;
    const count = this.readLabels(target, from, end);
    for (let i = 0; i < count; i++) this.place(target, this.labels[i]!, this.labelHashes[i]!, this.labels[i]!);
    return after + 1;
  }

  /** Where each label of the name stands, and the hash of the tail that begins there; their number. */
  private readLabels(source: Uint8Array, from: number, end: number): number {
    const { labels, labelHashes } = this;
    let count = 0;
    let at = from;
    for (; at < end && source[at] !== 0; at += 1 + source[at]!) {
      if (count === MAX_LABELS) throw new WireError('name of too many labels', from);
      labels[count++] = at;
    }
    if (at >= end) throw new WireError('record data ends inside a name', from);
    // From the last label on, so that each tail's hash goes on from that of the tail behind it.
    for (let i = count - 1, hash = 0x811c9dc5 | 0; i >= 0; i--) {
      const stop = labels[i]! + 1 + source[labels[i]!]!;
      for (let k = labels[i]!; k < stop; k++) hash = Math.imul(hash ^ source[k]!, 0x01000193);
      labelHashes[i] = hash;
    }
    return count;
  }

  /** Where the tail stands already, or -1; it is remembered as lease at `at` then, if a pointer can lead there. */
  private place(source: Uint8Array, from: number, hash: number, at: number): number {
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    while (this.epochs[slot] === this.epoch) {
      if (this.hashes[slot] === hash && this.isAt(source, from, this.places[slot]!)) return this.places[slot]!;
      slot = (slot + 1) & (SLOTS - 1);
    }
    if (at >= POINTER_REACH) return -1;
    this.epochs[slot] = this.epoch;
    this.hashes[slot] = hash;
    this.places[slot] = at;
    return -1;
  }

  /** Whether the message has the tail at `place`, pointers followed: they lead back, as they were written here. */
  private isAt(source: Uint8Array, from: number, place: number): boolean {
    const { target } = this;
    let read = place;
    for (let at = from; ;) {
      while (target[read]! >= 0xc0) read = ((target[read]! & 0x3f) << 8) | target[read + 1]!;
      const length = source[at]!;
      if (target[read] !== length) return false;
      if (length === 0) return true;
      for (let k = 1; k <= length; k++) if (target[read + k] !== source[at + k]) return false;
      at += 1 + length;
      read += 1 + length;
    }
  }
}
