/**
 * Encoded answers in memory that threads share: written by the one thread that runs the chains, read by all that take
 * queries. A hash index of sets leads to entries in a pool (table-layout.ts). Each entry has a sequence counter that
 * is odd while it is written; a reader that sees it odd or changed has found nothing (a sequence lock). The index
 * needs none: what it leads to is compared with the key.
 */
import type { Milliseconds, Octets } from '../lib/units.js';
import type { QueryKey } from './query-key.js';
import * as at from './table-layout.js';

const { HASH, LENGTHS, FLAGS, COUNTS, ADDITIONAL, PLACES, ROTATION, KEY, KEY_HEAD, SET_WORDS, VARIANT_DO } = at;
const UNIT_WORDS = at.UNIT / 4;
const INDEX = at.CONTROL_SIZE / 4;
/** Of a number of two words, what the high one counts for. */
const HIGH = 2 ** 32;

/** What an answer is looked up by. */
export type TableKey = Pick<QueryKey, 'words' | 'bytes' | 'length' | 'hash' | 'hasCapitals'>;

/** Reads answers. One instance a thread. */
export class AnswerTable {
  readonly words: Int32Array;
  readonly halves: Uint16Array;
  readonly bytes: Uint8Array;

  /** @param memory as `AnswerTableWriter.allocate` makes it */
  constructor(readonly memory: ArrayBufferLike) {
    this.words = new Int32Array(memory);
    this.halves = new Uint16Array(memory);
    this.bytes = new Uint8Array(memory);
  }

  /** Key of the hash of its keys. */
  get seed(): [number, number] {
    return [this.words[at.SEED]!, this.words[at.SEED + 1]!];
  }

  /** Whether an answer is small enough to be kept. */
  static fits(keyLength: Octets, recordsLength: Octets, ttls: number, owners = 0): boolean {
    return (
      at.entrySize(keyLength, ttls + owners, recordsLength) <= at.LARGEST &&
      ttls <= at.MAX_PLACES &&
      owners <= at.MAX_PLACES
    );
  }

  /**
   * How many bits of a client's address belong to the keys of answers of a listening address; 0 when all clients share
   * them.
   */
  networkBits(server: number, ipv6: boolean): number {
    if (server >= at.MAX_NETWORKS) return 0;
    const word = Atomics.load(this.words, at.NETWORKS + server);
    return ipv6 ? word >>> 16 : word & 0xffff;
  }

  /**
   * The entry that holds the answer at this moment, as its offset in words, or -1. The contents may be gone before
   * they are read: see `sequence`.
   */
  find(key: TableKey, now: Milliseconds): number {
    const { words } = this;
    const { hash } = key;
    const mask = words[at.MASK]!;
    // The index of n sets begins at n sets.
    let way = INDEX + ((hash & mask) + mask + 1) * SET_WORDS;
    for (const end = way + SET_WORDS; way < end; way += 2) {
      const there = words[way]!;
      if (there === 0) return -1;
      if (there !== hash) continue;
      const slot = words[way + 1]! * UNIT_WORDS;
      if (words[slot + HASH] !== hash || !this.holds(slot, key)) continue;
      if (key.hasCapitals && ((words[slot + FLAGS]! >>> 16) & at.SPELLING) === 0) return -1;
      return this.until(slot) > now ? slot : -1;
    }
    return -1;
  }

  /** Whether the entry is for this key. */
  protected holds(slot: number, key: TableKey): boolean {
    const { words } = this;
    const { length } = key;
    if ((words[slot + LENGTHS]! & 0xffff) !== length) return false;
    const from = slot + KEY / 4;
    for (let i = 0; i < length >> 2; i++) if (words[from + i] !== key.words[i]) return false;
    return true;
  }

  /** When the answer ends, in the shared clock. */
  protected until(slot: number): Milliseconds {
    return this.words[slot + at.UNTIL + 1]! * HIGH + (this.words[slot + at.UNTIL]! >>> 0);
  }

  /** The entry's sequence counter before it is read; odd while it is written. */
  sequence(slot: number): number {
    return Atomics.load(this.words, slot + at.SEQUENCE);
  }

  /** Whether what was read since the counter stood at `sequence` is whole. */
  unchanged(slot: number, sequence: number): boolean {
    // A change by zero in place of a look: where the processor may put loads off, those before this one have been
    // made when it is done.
    return Atomics.add(this.words, slot + at.SEQUENCE, 0) === sequence;
  }

  /**
   * Writes header counts, question and records of an answer behind the id and flags to `target`.
   * Returns the length, without OPT record. The caller makes sure that the entry is `unchanged` after it.
   * @param respelt the question is not in lower case
   */
  copy(
    slot: number,
    target: Uint8Array,
    to: Octets,
    query: Uint8Array,
    question: Octets,
    questionEnd: Octets,
    now: Milliseconds,
    respelt = false,
  ): Octets {
    const { words, bytes } = this;
    const lengths = words[slot + LENGTHS]!;
    const counts = words[slot + COUNTS]!;
    const additional = words[slot + ADDITIONAL]! & 0xffff;
    target[to + 4] = 0;
    target[to + 5] = 1;
    target[to + 6] = (counts >> 8) & 0xff;
    target[to + 7] = counts & 0xff;
    target[to + 8] = counts >>> 24;
    target[to + 9] = (counts >> 16) & 0xff;
    target[to + 10] = additional >> 8;
    target[to + 11] = additional & 0xff;
    let write = to + 12;
    for (let i = question; i < questionEnd; i++) target[write++] = query[i]!;
    const records = write;
    const length = lengths >>> 16;
    const places = words[slot + PLACES]!;
    const first = slot * 2 + (KEY + (lengths & 0xffff)) / 2;
    const from = first * 2 + 2 * ((places & 0xffff) + (places >>> 16));
    const rotate = words[slot + ADDITIONAL]! >>> 16;
    if (rotate > 1) this.copyRotated(slot, from, length, target, records, rotate);
    else for (let i = 0; i < length; i++) target[write++] = bytes[from + i]!;
    const ttl = words[slot + at.TTL]!;
    if (ttl >= 0) this.countDown(slot, ttl, target, records, first, now);
    if (respelt) this.respell(first + (places & 0xffff), places >>> 16, target, records, query, question, questionEnd);
    return 12 + questionEnd - question + length;
  }

  /** Of the entry's question: where in `bytes` its name begins, in lower case, its type, and DO. */
  questionOf(slot: number): { name: number; type: number; signed: boolean } {
    const at = 4 * slot + KEY;
    const type = (this.bytes[at]! << 8) | this.bytes[at + 1]!;
    return { name: at + KEY_HEAD, type, signed: (this.bytes[at + 4]! & VARIANT_DO) !== 0 };
  }

  flags(slot: number): number {
    return this.words[slot + FLAGS]! & 0xffff;
  }

  /** Whether each query that it is given to has to be noted. */
  isNoted(slot: number): boolean {
    return ((this.words[slot + FLAGS]! >>> 16) & at.NOTED) !== 0;
  }

  /** Adds one to the entry's hits. Several threads may do so at once. */
  count(slot: number, edns: boolean): void {
    const { words } = this;
    Atomics.add(words, slot + (edns ? at.HITS_EDNS : at.HITS), 1);
    const touched = slot | at.TOUCHED;
    if (words[touched] === 0) words[touched] = 1;
  }

  private countDown(
    slot: number,
    stored: number,
    target: Uint8Array,
    records: Octets,
    first: number,
    now: Milliseconds,
  ): void {
    const { words, halves } = this;
    const age = now - (words[slot + at.STORED + 1]! * HIGH + (words[slot + at.STORED]! >>> 0));
    // What was stored while the query waited is no younger than new.
    const ttl = age > 0 ? stored - Math.floor(age / 1000) : stored;
    const places = words[slot + PLACES]! & 0xffff;
    for (let i = 0; i < places; i++) {
      const field = records + halves[first + i]!;
      target[field] = ttl >>> 24;
      target[field + 1] = ttl >> 16;
      target[field + 2] = ttl >> 8;
      target[field + 3] = ttl;
    }
  }

  /** Writes the question's name, as it is spelt in it, to each owner that is the same name. */
  private respell(
    first: number,
    owners: number,
    target: Uint8Array,
    records: Octets,
    query: Uint8Array,
    question: Octets,
    questionEnd: Octets,
  ): void {
    for (let i = 0; i < owners; i++) {
      let write = records + this.halves[first + i]!;
      for (let read = question; read < questionEnd - 4; read++) target[write++] = query[read]!;
    }
  }

  /** The records with the rotating ones starting at another one each time (RFC 1794 section 3). */
  private copyRotated(slot: number, from: number, length: number, target: Uint8Array, to: number, count: number): void {
    const { words, bytes } = this;
    const start = words[slot + ROTATION]! & 0xffff;
    const size = words[slot + ROTATION]! >>> 16;
    const turn = (Atomics.add(words, slot + at.TURN, 1) >>> 0) % count;
    const block = count * size;
    for (let i = 0; i < start; i++) target[to + i] = bytes[from + i]!;
    for (let i = 0; i < block; i++) target[to + start + i] = bytes[from + start + ((i + turn * size) % block)]!;
    for (let i = start + block; i < length; i++) target[to + i] = bytes[from + i]!;
  }
}
