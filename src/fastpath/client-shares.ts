/**
 * Whose queries take how much of the server, in memory that all threads share: those who take more than their share
 * wait, or are dropped, while there is more to do than can be done. A query costs two additions, whoever sends it and
 * however many others do.
 */
import { avalanche } from '../lib/avalanche.js';
import type { Microseconds, Milliseconds, Octets } from '../lib/units.js';
import { AF_INET } from './libc.js';
import { isMapped } from './sockaddr.js';

/** Words before the counters. */
const LIMIT = 0;
const CALM = 1;
const DELAYED = 2;
const DROPPED = 3;
const COUNTERS = 16;
/** Counters of a row. A client has one in each of two rows: whoever shares one with a heavy one is not that one. */
const ROW = 2048;
/**
 * Rows that only the chain's thread writes to, behind those of all takers: what is written from one place needs no
 * locked addition, which takes longer than all the rest.
 */
const OWN = COUNTERS + 2 * ROW;

/** What a query costs before it is looked at: to be taken, handed over and answered. */
const TAKEN: Microseconds = 10;
/** Work of so long ago counts half. */
const HALF_LIFE: Milliseconds = 100;
/** Work that may wait before anybody's share is looked at. */
const CALM_FOR: Microseconds = 50_000;
/** A query that waits takes about so much of a ring. */
const WAITING: Octets = 136;
const LEAST_CALM: Octets = 16_384;
/** Longer than this a query does not run: the system had others run, or garbage was collected. */
const LONGEST: Microseconds = 2000;
/** Heavy is who takes more than the share that would leave a fifth of the server idle. */
const SHARED = 0.8;
const NO_LIMIT = 0x7fff_ffff;
/** Shares are computed anew after this time, and looked at for so long after it was calm again. */
const ANEW: Milliseconds = 10;
const LINGER: Milliseconds = 1000;
const SMOOTHED = 64;

const word = (bytes: Uint8Array, at: number): number =>
  bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);

/** The work of clients: addresses of IPv4, networks of 64 bits of IPv6. */
export class ClientShares {
  private readonly words: Int32Array;
  private mean: Microseconds = 2 * TAKEN;
  private halvedAt: Milliseconds = -Infinity;
  private limitedAt: Milliseconds = -Infinity;
  private pressedAt: Milliseconds = -Infinity;
  private most = 0;
  /** The address of the client that takes most, since it was asked for last. */
  heaviest: Uint8Array | undefined;
  /** Told while there is too much to do, and once when all is calm again. */
  watcher: ((calm: boolean) => void) | undefined;

  /**
   * @param memory as `allocate` makes it
   * @param seed nobody who does not know it can make an address share another's counters
   */
  constructor(
    readonly memory: SharedArrayBuffer,
    readonly seed: number,
  ) {
    this.words = new Int32Array(memory);
  }

  static allocate(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(4 * (COUNTERS + 4 * ROW));
    const words = new Int32Array(memory);
    words[LIMIT] = NO_LIMIT;
    words[CALM] = LEAST_CALM;
    return memory;
  }

  /** Queries that had to wait so far for others, of those who ask more. */
  get delayed(): number {
    return Atomics.load(this.words, DELAYED) >>> 0;
  }

  /** Queries that were dropped, as more of that client waited than there is room for. */
  get dropped(): number {
    return Atomics.load(this.words, DROPPED) >>> 0;
  }

  /** Bytes of a ring up to which all is calm. */
  get calm(): Octets {
    return this.words[CALM]!;
  }

  delay(): void {
    Atomics.add(this.words, DELAYED, 1);
  }

  drop(): void {
    Atomics.add(this.words, DROPPED, 1);
  }

  /** Taker: a query of the client whose address has these first words, the second one 0 for IPv4. */
  take(first: number, second: number): void {
    const hash = this.hash(first, second);
    Atomics.add(this.words, COUNTERS + (hash & (ROW - 1)), TAKEN);
    Atomics.add(this.words, COUNTERS + ROW + ((hash >>> 16) & (ROW - 1)), TAKEN);
  }

  /** Taker: whether the client takes more than its share of what is too little for all. */
  isHeavy(first: number, second: number): boolean {
    const limit = this.words[LIMIT]!;
    return limit !== NO_LIMIT && this.workOf(this.hash(first, second)) > limit;
  }

  /** Chain: work for a client beyond what every query costs. */
  charge(sockaddr: Uint8Array, work: Microseconds): void {
    const more = Math.round(work);
    if (more <= 0) return;
    const hash = this.hashOf(sockaddr);
    this.words[OWN + (hash & (ROW - 1))]! += more;
    this.words[OWN + ROW + ((hash >>> 16) & (ROW - 1))]! += more;
    if (this.words[LIMIT] === NO_LIMIT) return;
    const all = this.workOf(hash);
    if (all > this.words[LIMIT]! && all > this.most) {
      this.most = all;
      this.heaviest = sockaddr;
    }
  }

  /** Chain: so many queries of the client took so long together. */
  ran(sockaddr: Uint8Array, work: Microseconds, count: number): void {
    const own = Math.min(LONGEST, work / count);
    this.mean += ((own - this.mean) * Math.min(count, SMOOTHED)) / SMOOTHED;
    this.charge(sockaddr, (own - TAKEN) * count);
  }

  /** Chain, once a turn. @param waiting bytes of the ring that wait */
  settle(now: Milliseconds, waiting: Octets): void {
    const { words } = this;
    const halvings = Math.floor((now - this.halvedAt) / HALF_LIFE);
    if (halvings >= 1) this.halve(now, Math.min(31, halvings));
    words[CALM] = Math.max(LEAST_CALM, (CALM_FOR / this.mean) * WAITING);
    if (waiting > this.calm) {
      this.pressedAt = now;
      if (now - this.limitedAt < ANEW) return;
      this.limitedAt = now;
      Atomics.store(words, LIMIT, this.limit());
      this.watcher?.(false);
    } else if (words[LIMIT] !== NO_LIMIT && now - this.pressedAt >= LINGER) {
      Atomics.store(words, LIMIT, NO_LIMIT);
      this.most = 0;
      this.watcher?.(true);
    }
  }

  /** The share that each may take so that all together take a certain part of what there is (max-min fairness). */
  private limit(): Microseconds {
    const { words } = this;
    const used = words
      .subarray(COUNTERS, COUNTERS + ROW)
      .map((work, i) => work + words[OWN + i]!)
      .filter((work) => work > 0);
    used.sort();
    let left = SHARED * used.reduce((sum, work) => sum + work, 0);
    for (let i = 0; i < used.length; i++) {
      const share = left / (used.length - i);
      if (used[i]! > share) return Math.floor(share);
      left -= used[i]!;
    }
    return NO_LIMIT - 1;
  }

  private halve(now: Milliseconds, times: number): void {
    const { words } = this;
    this.halvedAt = now;
    for (let i = COUNTERS; i < words.length; i++) {
      const work = words[i]!;
      if (work > 0) Atomics.sub(words, i, work - (work >> times));
    }
  }

  private hashOf(sockaddr: Uint8Array): number {
    if (sockaddr[0] === AF_INET) return this.hash(word(sockaddr, 4), 0);
    return isMapped(sockaddr) ? this.hash(word(sockaddr, 20), 0) : this.hash(word(sockaddr, 8), word(sockaddr, 12));
  }

  private hash(first: number, second: number): number {
    return avalanche(first ^ avalanche(second ^ this.seed));
  }

  private workOf(hash: number): Microseconds {
    const { words } = this;
    const one = hash & (ROW - 1);
    const other = ROW + ((hash >>> 16) & (ROW - 1));
    return Math.min(words[COUNTERS + one]! + words[OWN + one]!, words[COUNTERS + other]! + words[OWN + other]!);
  }
}
