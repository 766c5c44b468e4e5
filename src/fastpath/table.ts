/**
 * Encoded answers in memory that threads share: written by the one thread that runs the chains, read by all that take
 * queries.
 * A set-associative hash table: a key can stand in any of WAYS neighbouring slots, so that taking one out leaves
 * nothing behind. Each slot has a sequence
 * counter that is odd while the slot is written; a reader that sees it odd or changed has found nothing (a sequence
 * lock).
 */
import type { Milliseconds, Octets, Seconds } from '../lib/units.js';

/** Neighbouring slots that a key may stand in. */
const WAYS = 8;

/** Octets of a slot: its fields, then the key, then the records. What is longer is not kept; the chain answers it. */
export const SLOT: Octets = 512;

/** Fields of a slot as offsets in 32-bit words. */
const SEQUENCE = 0;
/** 0 for a free slot; else the key's hash, never 0. */
const HASH = 1;
/** Key length in the low half, records' length in the high half. */
const LENGTHS = 2;
/** Header word of the answer without RD and CD, in the low half; the listening address's number in the high half. */
const FLAGS = 3;
/** Answers in the low half, authorities in the high half. */
const COUNTS = 4;
/**
 * Additional records in the low half, how many records rotate in the high half; rcode bits above four are never kept.
 */
const ADDITIONAL = 5;
/** TTL at `STORED`, -1 for records that keep theirs. */
const TTL = 6;
/** Number of TTL fields. */
const PLACES = 7;
/** Rotation: offset of the first record in the low half, size of one in the high half. */
const ROTATION = 8;
/** Answers with rotating records so far, counted by readers: which record is first. */
const TURN = 9;
/** Times, as 64-bit floats: the slot's 6th and 7th double. */
const UNTIL = 5;
const STORED = 6;
/** Hits by queries without and with an OPT record, counted by readers. */
const HITS = 14;
const HITS_EDNS = 15;
const FIELDS: Octets = 64;

/** Bytes at the end that hold the seed of the hashes: a multiple of what the views of the memory count in. */
const SEED: Octets = 8;

/** Room for offsets of TTL fields, 16 bits each, right behind the fields. */
const MAX_PLACES = 16;
const BODY = FIELDS + 2 * MAX_PLACES;

/** Most listening addresses whose answers can be kept apart by networks of clients. */
export const MAX_NETWORKS = 256;

/** An answer to be kept. */
export interface SharedEntry {
  /** Question and variant, as `QueryKey` reads them. */
  readonly key: Uint8Array;
  readonly keyLength: Octets;
  readonly hash: number;
  /** Number of the listening address. */
  readonly server: number;
  /** Header word with rcode, without id, RD and CD. */
  readonly flags: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
  readonly records: Uint8Array;
  readonly ttls: readonly number[];
  /** Times in the shared clock of `sharedNow`. After `until` the slot is as if free. */
  readonly until: Milliseconds;
  /** TTL of all records at `stored`, from where it counts down; undefined when the records keep theirs. */
  readonly ttl: Seconds | undefined;
  readonly stored: Milliseconds;
  /** Records of one size that follow each other and are sent in turn, each first once; undefined for none. */
  readonly rotation: { readonly start: Octets; readonly size: Octets; readonly count: number } | undefined;
}

export class AnswerTable {
  readonly words: Int32Array;
  readonly halves: Uint16Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
  private readonly mask: number;
  /** Offset, in words, of what is said of listening addresses. */
  private readonly networks: number;

  /** @param memory at least `AnswerTable.size(slots)` octets, zero at first */
  constructor(
    readonly memory: SharedArrayBuffer,
    readonly slots: number,
  ) {
    this.words = new Int32Array(memory);
    this.halves = new Uint16Array(memory);
    this.doubles = new Float64Array(memory);
    this.bytes = new Uint8Array(memory);
    this.mask = slots - 1;
    this.networks = (slots + WAYS) * (SLOT / 4);
  }

  /**
   * Memory for a number of slots, which must be a power of two.
   * @param seed where hashes of its keys start from, 32 bits
   */
  static allocate(slots: number, seed = 0): SharedArrayBuffer {
    if (slots < WAYS || (slots & (slots - 1)) !== 0)
      throw new RangeError(`slots: expected a power of two from ${WAYS}, got ${slots}`);
    const memory = new SharedArrayBuffer((slots + WAYS) * SLOT + 4 * MAX_NETWORKS + SEED);
    new Int32Array(memory, memory.byteLength - SEED)[0] = seed;
    return memory;
  }

  /** Where hashes of keys start from. */
  get seed(): number {
    return this.words[this.words.length - SEED / 4]!;
  }

  /** Whether an answer is small enough to be kept. */
  static fits(keyLength: Octets, recordsLength: Octets, ttls: number): boolean {
    return BODY + keyLength + recordsLength <= SLOT && ttls <= MAX_PLACES;
  }

  /**
   * How many bits of a client's address belong to the keys of answers of a listening address; 0 when all clients share
   * them.
   */
  networkBits(server: number, ipv6: boolean): number {
    if (server >= MAX_NETWORKS) return 0;
    const word = Atomics.load(this.words, this.networks + server);
    return ipv6 ? word >>> 16 : word & 0xffff;
  }

  /** Says by which networks of clients the answers of a listening address are kept apart from now on. */
  setNetworkBits(server: number, ipv4: number, ipv6: number): void {
    Atomics.store(this.words, this.networks + server, ipv4 | (ipv6 << 16));
  }

  /**
   * The slot that holds the key at this moment, or -1. The contents may be gone before they are read: see `sequence`.
   */
  find(key: Uint8Array, keyLength: Octets, hash: number, server: number, now: Milliseconds): number {
    const { words, bytes } = this;
    let slot = (hash & this.mask) * (SLOT / 4);
    for (let way = 0; way < WAYS; way++, slot += SLOT / 4) {
      if (
        words[slot + HASH] !== hash ||
        (words[slot + LENGTHS]! & 0xffff) !== keyLength ||
        words[slot + FLAGS]! >>> 16 !== server
      )
        continue;
      let at = slot * 4 + BODY;
      let i = 0;
      while (i < keyLength && bytes[at] === key[i]) {
        i++;
        at++;
      }
      if (i === keyLength && this.doubles[(slot >> 1) + UNTIL]! > now) return slot;
    }
    return -1;
  }

  /** The slot's sequence counter before it is read; odd while it is written. */
  sequence(slot: number): number {
    return Atomics.load(this.words, slot + SEQUENCE);
  }

  /** Whether what was read since the counter stood at `sequence` is whole. */
  unchanged(slot: number, sequence: number): boolean {
    // A change by zero in place of a look: where the processor may put loads off, those before this one have been
    // made when it is done.
    return Atomics.add(this.words, slot + SEQUENCE, 0) === sequence;
  }

  /**
   * Writes header counts, question and records of an answer behind the id and flags to `target`.
   * Returns the length, without OPT record. The caller makes sure that the slot is `unchanged` after it.
   */
  copy(
    slot: number,
    target: Uint8Array,
    at: Octets,
    query: Uint8Array,
    question: Octets,
    questionEnd: Octets,
    now: Milliseconds,
  ): Octets {
    const { words, halves, bytes } = this;
    const lengths = words[slot + LENGTHS]!;
    const counts = words[slot + COUNTS]!;
    const additional = words[slot + ADDITIONAL]! & 0xffff;
    target[at + 4] = 0;
    target[at + 5] = 1;
    target[at + 6] = (counts >> 8) & 0xff;
    target[at + 7] = counts & 0xff;
    target[at + 8] = counts >>> 24;
    target[at + 9] = (counts >> 16) & 0xff;
    target[at + 10] = additional >> 8;
    target[at + 11] = additional & 0xff;
    let write = at + 12;
    for (let i = question; i < questionEnd; i++) target[write++] = query[i]!;
    const records = write;
    const length = lengths >>> 16;
    const from = slot * 4 + BODY + (lengths & 0xffff);
    const rotate = words[slot + ADDITIONAL]! >>> 16;
    if (rotate > 1) this.copyRotated(slot, from, length, target, records, rotate);
    else for (let i = 0; i < length; i++) target[write++] = bytes[from + i]!;
    const places = words[slot + PLACES]!;
    const first = slot * 2 + FIELDS / 2;
    const stored = words[slot + TTL]!;
    if (stored >= 0) {
      const age = now - this.doubles[(slot >> 1) + STORED]!;
      // What was stored while the query waited is no younger than new.
      const ttl = age > 0 ? stored - Math.floor(age / 1000) : stored;
      for (let i = 0; i < places; i++) {
        const field = records + halves[first + i]!;
        target[field] = ttl >>> 24;
        target[field + 1] = ttl >> 16;
        target[field + 2] = ttl >> 8;
        target[field + 3] = ttl;
      }
    }
    return 12 + questionEnd - question + length;
  }

  flags(slot: number): number {
    return this.words[slot + FLAGS]! & 0xffff;
  }

  /** Adds one to the slot's hits. Several threads may do so at once. */
  count(slot: number, edns: boolean): void {
    Atomics.add(this.words, slot + (edns ? HITS_EDNS : HITS), 1);
  }

  /**
   * Puts an answer in place, in a free or expired slot or else in the least asked of its set. Returns the slot; when
   * another answer has to leave it,
   * `evicted` is told before. A hit that is counted late is then one of the new answer's: none is lost.
   */
  put(entry: SharedEntry, now: Milliseconds, evicted: (slot: number) => void): number {
    const slot = this.room(entry, now);
    const { words, halves, doubles, bytes } = this;
    const taken = words[slot + HASH] !== 0;
    this.begin(slot);
    if (taken) evicted(slot);
    words[slot + HASH] = entry.hash;
    words[slot + LENGTHS] = entry.keyLength | (entry.records.length << 16);
    words[slot + FLAGS] = (entry.flags & 0xffff) | (entry.server << 16);
    words[slot + COUNTS] = entry.answers | (entry.authorities << 16);
    words[slot + ADDITIONAL] = entry.additionals | ((entry.rotation?.count ?? 0) << 16);
    words[slot + TTL] = entry.ttl ?? -1;
    words[slot + PLACES] = entry.ttls.length;
    words[slot + ROTATION] = entry.rotation ? entry.rotation.start | (entry.rotation.size << 16) : 0;
    doubles[(slot >> 1) + UNTIL] = entry.until;
    doubles[(slot >> 1) + STORED] = entry.stored;
    entry.ttls.forEach((place, i) => (halves[slot * 2 + FIELDS / 2 + i] = place));
    bytes.set(entry.key.subarray(0, entry.keyLength), slot * 4 + BODY);
    bytes.set(entry.records, slot * 4 + BODY + entry.keyLength);
    this.end(slot);
    return slot;
  }

  /** Takes what is in a slot out. */
  clear(slot: number): void {
    this.begin(slot);
    this.words[slot + HASH] = 0;
    this.end(slot);
  }

  /** The hits since the last call: without and with an OPT record. */
  takeHits(slot: number): { plain: number; edns: number } {
    return {
      plain: Atomics.exchange(this.words, slot + HITS, 0),
      edns: Atomics.exchange(this.words, slot + HITS_EDNS, 0),
    };
  }

  private begin(slot: number): void {
    Atomics.add(this.words, slot + SEQUENCE, 1);
    // Where the processor may put stores off, those behind this load come after the counter's.
    Atomics.load(this.words, slot + SEQUENCE);
  }

  private end(slot: number): void {
    Atomics.add(this.words, slot + SEQUENCE, 1);
  }

  private room(entry: SharedEntry, now: Milliseconds): number {
    const { words } = this;
    const first = (entry.hash & this.mask) * (SLOT / 4);
    const same = this.find(entry.key, entry.keyLength, entry.hash, entry.server, -Infinity);
    if (same >= 0) return same;
    let best = first;
    let fewest = Infinity;
    for (let way = 0, slot = first; way < WAYS; way++, slot += SLOT / 4) {
      if (words[slot + HASH] === 0 || this.doubles[(slot >> 1) + UNTIL]! <= now) return slot;
      const hits = words[slot + HITS]! + words[slot + HITS_EDNS]!;
      if (hits < fewest) {
        fewest = hits;
        best = slot;
      }
    }
    return best;
  }

  /** The records with the rotating ones starting at another one each time (RFC 1794 section 3). */
  private copyRotated(slot: number, from: number, length: number, target: Uint8Array, at: number, count: number): void {
    const { words, bytes } = this;
    const start = words[slot + ROTATION]! & 0xffff;
    const size = words[slot + ROTATION]! >>> 16;
    const turn = (Atomics.add(words, slot + TURN, 1) >>> 0) % count;
    const block = count * size;
    for (let i = 0; i < start; i++) target[at + i] = bytes[from + i]!;
    for (let i = 0; i < block; i++) target[at + start + i] = bytes[from + start + ((i + turn * size) % block)]!;
    for (let i = start + block; i < length; i++) target[at + i] = bytes[from + i]!;
  }
}

/** Milliseconds since the system started, the same in all threads of the process; never goes back. */
export const sharedNow = (): Milliseconds => performance.now() + ORIGIN;

/**
 * Each thread's performance.now() starts at its own time. A thread may lose its core between two looks at clocks, so
 * the closest of some is taken.
 */
const ORIGIN: Milliseconds = origin();

function origin(): Milliseconds {
  let best = 0;
  let closest = Infinity;
  for (let i = 0; i < 10; i++) {
    const before = performance.now();
    const since = Number(process.hrtime.bigint()) / 1e6;
    const apart = performance.now() - before;
    if (apart >= closest) continue;
    closest = apart;
    best = since - before - apart / 2;
  }
  return best;
}
