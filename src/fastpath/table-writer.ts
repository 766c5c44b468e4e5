import type { Milliseconds, Octets, Seconds } from '../lib/units.js';
import { SlabPool, type Slab } from './slab-pool.js';
import * as at from './table-layout.js';
import type { TableMemory } from './table-memory.js';
import { AnswerTable, type TableKey } from './table.js';

const { HASH, SET_WORDS, WAYS } = at;
const INDEX = at.CONTROL_SIZE / 4;
const UNIT_WORDS = at.UNIT / 4;
const HIGH = 2 ** 32;
/** For an answer without an end. */
const NEVER_HIGH = 0x7fff_ffff;

/** An answer to be kept. */
export interface SharedEntry {
  /** Question, listening address and variant, as `QueryKey` reads them. */
  readonly key: TableKey;
  /** Header word with rcode, without id, RD and CD. */
  readonly flags: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
  readonly records: Uint8Array;
  readonly ttls: readonly number[];
  /** Offsets of owners that are the question's name, and take over its spelling. */
  readonly owners: readonly number[];
  /** Whether it is right for every spelling of the question's name. */
  readonly everySpelling: boolean;
  /** Whether somebody wants to know of each query that it is given to. */
  readonly noted: boolean;
  /** Times in the shared clock of `sharedNow`. After `until` the entry is as if free. */
  readonly until: Milliseconds;
  /** TTL of all records at `stored`, from where it counts down; undefined when the records keep theirs. */
  readonly ttl: Seconds | undefined;
  readonly stored: Milliseconds;
  /** Records of one size that follow each other and are sent in turn, each first once; undefined for none. */
  readonly rotation: { readonly start: Octets; readonly size: Octets; readonly count: number } | undefined;
}

/** Writes answers; one in a process, as only one thread may. */
export class AnswerTableWriter extends AnswerTable {
  private readonly pool: SlabPool;
  private entries = 0;
  /** Where the next sweep begins. */
  private swept = 0;

  constructor(private readonly place: TableMemory) {
    super(place.buffer);
    this.pool = new SlabPool(place);
    if (!place.makeIndex(at.MIN_SETS)) throw new Error('answer table: no memory for an index');
    this.words[at.MASK] = at.MIN_SETS - 1;
  }

  /** Number of answers. */
  get size(): number {
    return this.entries;
  }

  /** The slab of an answer. */
  slabOf(slot: number): Slab {
    return this.pool.slabOf(slot);
  }

  /** Slab number `i`. */
  slab(i: number): Slab {
    return this.pool.slab(i);
  }

  /** Says by which networks of clients the answers of a listening address are kept apart from now on. */
  setNetworkBits(server: number, ipv4: number, ipv6: number): void {
    Atomics.store(this.words, at.NETWORKS + server, ipv4 | (ipv6 << 16));
  }

  /**
   * Puts an answer in place: that of an older one to the same question, a free one, or else that of the least asked of
   * some. Returns it; -1 where there is no room. When another answer has to leave, `evicted` is told before. A hit that
   * is counted late is then one of the new answer's: none is lost.
   */
  put(entry: SharedEntry, now: Milliseconds, evicted: (slot: number) => void): number {
    const size = at.entrySize(entry.key.length, entry.ttls.length + entry.owners.length, entry.records.length);
    const leave = (slot: number): void => this.remove(slot, evicted);
    const same = this.lookUp(entry.key);
    if (same >= 0) {
      if (this.pool.sizeOf(same) >= size) {
        this.begin(same);
        evicted(same);
        this.write(same, entry);
        this.end(same);
        return same;
      }
      leave(same);
    }
    const slot = this.pool.take(size) ?? this.freed(size, now, leave);
    if (slot === undefined) return -1;
    this.begin(slot);
    this.write(slot, entry);
    this.end(slot);
    this.enter(entry.key.hash, slot, now, leave);
    return slot;
  }

  /** Takes an answer out. */
  clear(slot: number): void {
    this.remove(slot, () => undefined);
  }

  /** Lets an entry be over by now: it is found no more, and is among those that have ended. */
  expire(slot: number): void {
    this.begin(slot);
    this.writeTime(slot + at.UNTIL, 0);
    this.end(slot);
  }

  /** The hits since the last call: without and with an OPT record. */
  takeHits(slot: number): { plain: number; edns: number } {
    return { plain: this.take(slot + at.HITS), edns: this.take(slot + at.HITS_EDNS) };
  }

  private take(word: number): number {
    return this.words[word] === 0 ? 0 : Atomics.exchange(this.words, word, 0);
  }

  /** Visits the entries that were given since the last call. */
  visitHit(visit: (slot: number) => void): void {
    const { words } = this;
    for (let i = 0; i < this.pool.slabs; i++) {
      const { first, step, count } = this.pool.slab(i);
      const touched = first + at.TOUCHED;
      // Before the look at the hits: one that is counted after it says so again.
      if (words[touched] === 0 || Atomics.exchange(words, touched, 0) === 0) continue;
      for (let slot = first, n = 0; n < count; n++, slot += step)
        if ((words[slot + at.HITS]! | words[slot + at.HITS_EDNS]!) !== 0) visit(slot);
    }
  }

  /** Visits the answers of some slabs that have ended; all slabs get their turn, so many a call. */
  visitEnded(slabs: number, now: Milliseconds, visit: (slot: number) => void): void {
    for (let n = Math.min(slabs, this.pool.slabs); n > 0; n--) {
      this.swept = (this.swept + 1) % this.pool.slabs;
      const { first, step, count } = this.pool.slab(this.swept);
      for (let slot = first, k = 0; k < count; k++, slot += step)
        if (this.words[slot + HASH] !== 0 && this.until(slot) <= now) visit(slot);
    }
  }

  /** The entry of the key, whatever its time and spelling; -1 without one. */
  private lookUp(key: TableKey): number {
    return this.find(
      { words: key.words, bytes: key.bytes, length: key.length, hash: key.hash, hasCapitals: false },
      -1,
    );
  }

  private write(slot: number, entry: SharedEntry): void {
    const { words, halves, bytes } = this;
    const { key, ttls, owners } = entry;
    words[slot + HASH] = key.hash;
    words[slot + at.LENGTHS] = key.length | (entry.records.length << 16);
    const marks = (entry.everySpelling ? at.SPELLING : 0) | (entry.noted ? at.NOTED : 0);
    words[slot + at.FLAGS] = (entry.flags & 0xffff) | (marks << 16);
    words[slot + at.COUNTS] = entry.answers | (entry.authorities << 16);
    words[slot + at.ADDITIONAL] = entry.additionals | ((entry.rotation?.count ?? 0) << 16);
    words[slot + at.TTL] = entry.ttl ?? -1;
    words[slot + at.PLACES] = ttls.length | (owners.length << 16);
    words[slot + at.ROTATION] = entry.rotation ? entry.rotation.start | (entry.rotation.size << 16) : 0;
    this.writeTime(slot + at.UNTIL, entry.until);
    this.writeTime(slot + at.STORED, entry.stored);
    for (let i = 0; i < key.length >> 2; i++) words[slot + at.KEY / 4 + i] = key.words[i]!;
    let half = slot * 2 + (at.KEY + key.length) / 2;
    for (const place of ttls) halves[half++] = place;
    for (const place of owners) halves[half++] = place;
    bytes.set(entry.records, half * 2);
  }

  private writeTime(word: number, time: Milliseconds): void {
    const whole = Math.floor(time);
    this.words[word] = time === Infinity ? -1 : whole % HIGH;
    this.words[word + 1] = time === Infinity ? NEVER_HIGH : whole / HIGH;
  }

  /** The place of an answer that leaves to make room: one that has ended, or the least asked of some. */
  private freed(size: Octets, now: Milliseconds, leave: (slot: number) => void): number | undefined {
    const used = this.pool.candidates(size).filter((slot) => this.words[slot + HASH] !== 0);
    const slot = this.leastAsked(used, now);
    if (slot === undefined) return undefined;
    leave(slot);
    return this.pool.take(size);
  }

  private leastAsked(slots: readonly number[], now: Milliseconds): number | undefined {
    const { words } = this;
    let best: number | undefined;
    let fewest = Infinity;
    for (const slot of slots) {
      if (this.until(slot) <= now) return slot;
      const hits = words[slot + at.HITS]! + words[slot + at.HITS_EDNS]!;
      if (hits < fewest) {
        fewest = hits;
        best = slot;
      }
    }
    return best;
  }

  private remove(slot: number, evicted: (slot: number) => void): void {
    this.leaveIndex(slot);
    this.begin(slot);
    evicted(slot);
    this.words[slot + HASH] = 0;
    this.end(slot);
    this.pool.giveBack(slot);
  }

  private set(hash: number): number {
    const mask = this.words[at.MASK]!;
    return INDEX + ((hash & mask) + mask + 1) * SET_WORDS;
  }

  /** Lets the index lead to an entry. It grows before its sets are half full; in a full one the least asked leaves. */
  private enter(hash: number, slot: number, now: Milliseconds, leave: (slot: number) => void): void {
    const { words } = this;
    if (this.entries >= ((words[at.MASK]! + 1) * WAYS) / 2) this.grow();
    let free = this.freeWay(this.set(hash));
    if (free < 0 && this.grow()) free = this.freeWay(this.set(hash));
    if (free < 0) {
      const first = this.set(hash);
      const there = Array.from({ length: WAYS }, (_, way) => words[first + 2 * way + 1]! * UNIT_WORDS);
      leave(this.leastAsked(there, now)!);
      free = this.freeWay(first);
    }
    this.entries++;
    words[free + 1] = slot / UNIT_WORDS;
    Atomics.store(words, free, hash);
  }

  private freeWay(first: number): number {
    for (let way = first; way < first + SET_WORDS; way += 2) if (this.words[way] === 0) return way;
    return -1;
  }

  /** A free way ends its set, so the last one takes the place of the one that leaves. */
  private leaveIndex(slot: number): void {
    const { words } = this;
    const unit = slot / UNIT_WORDS;
    const first = this.set(words[slot + HASH]!);
    const free = this.freeWay(first);
    const last = (free < 0 ? first + SET_WORDS : free) - 2;
    for (let way = first; way <= last; way += 2) {
      if (words[way + 1] !== unit) continue;
      words[way + 1] = words[last + 1]!;
      Atomics.store(words, way, words[last]!);
      Atomics.store(words, last, 0);
      this.entries--;
      return;
    }
  }

  /** Puts an index of twice the sets in place; readers use the old one until it is whole. */
  private grow(): boolean {
    const { words } = this;
    const sets = words[at.MASK]! + 1;
    if (2 * sets > this.place.largestIndex || !this.place.makeIndex(2 * sets)) return false;
    const from = INDEX + sets * SET_WORDS;
    const to = INDEX + 2 * sets * SET_WORDS;
    const filled = new Uint8Array(2 * sets);
    for (let way = from; way < from + sets * SET_WORDS; way += 2) {
      const hash = words[way]!;
      if (hash === 0) continue;
      const set = hash & (2 * sets - 1);
      const target = to + set * SET_WORDS + 2 * filled[set]!++;
      words[target + 1] = words[way + 1]!;
      words[target] = hash;
    }
    Atomics.store(words, at.MASK, 2 * sets - 1);
    this.place.useIndex(2 * sets);
    return true;
  }

  private begin(slot: number): void {
    Atomics.add(this.words, slot + at.SEQUENCE, 1);
    // Where the processor may put stores off, those behind this load come after the counter's.
    Atomics.load(this.words, slot + at.SEQUENCE);
  }

  private end(slot: number): void {
    Atomics.add(this.words, slot + at.SEQUENCE, 1);
  }
}
