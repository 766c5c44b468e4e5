import type { Octets } from '../lib/units.js';
import type { Libc } from './libc.js';
import type { WorkerData } from './worker-data.js';
import { CONTROL_SIZE, SEED, SET_SIZE, SLAB, poolStart, setsFor } from './table-layout.js';

/** Memory that an answer table lies in, and how it comes to have more of it. */
export interface TableMemory {
  readonly buffer: ArrayBufferLike;
  /** What threads are given to find it. */
  readonly shared: WorkerData['table'];
  /** Sets that the largest index may have, a power of two. */
  readonly largestIndex: number;
  /** Where the pool begins. */
  readonly pool: Octets;
  /** Bytes that the pool may have, a multiple of SLAB. */
  readonly poolLimit: Octets;
  /** Makes room for the pool's first bytes; false where there is no more to be had. */
  growPool(bytes: Octets): boolean;
  /** Makes an empty index of so many sets; false where it cannot be had. */
  makeIndex(sets: number): boolean;
  /** Called when readers have been told of an index of so many sets. */
  useIndex(sets: number): void;
}

/** Beyond so much of the pool, and in an index of so much, memory is taken in large pages. */
const LARGE: Octets = 8 << 20;

const AS_IT_IS: Pick<Libc, 'release' | 'useLargePages'> = {
  release: () => undefined,
  useLargePages: () => undefined,
};

/** The memory of threads: all of it is address space from the start, of which what is used takes memory. */
export class ThreadMemory implements TableMemory {
  readonly buffer: SharedArrayBuffer;
  readonly largestIndex: number;
  readonly pool: Octets;
  readonly poolLimit: Octets;

  /**
   * @param limit bytes that answers may take
   * @param seed key of the hash
   * @param system looks after the pages
   */
  constructor(
    limit: Octets,
    seed: readonly [number, number] = [0, 0],
    private readonly system: Pick<Libc, 'release' | 'useLargePages'> = AS_IT_IS,
  ) {
    if (!(limit > 0)) throw new RangeError(`answer table: expected a number of bytes above 0, got ${limit}`);
    this.poolLimit = SLAB * Math.ceil(limit / SLAB);
    this.largestIndex = setsFor(this.poolLimit);
    this.pool = poolStart(this.largestIndex);
    this.buffer = new SharedArrayBuffer(this.pool + this.poolLimit);
    new Int32Array(this.buffer, 4 * SEED, 2).set(seed);
    if (this.poolLimit > LARGE) system.useLargePages(new Uint8Array(this.buffer, this.pool + LARGE));
  }

  get shared(): SharedArrayBuffer {
    return this.buffer;
  }

  growPool(bytes: Octets): boolean {
    return bytes <= this.poolLimit;
  }

  makeIndex(sets: number): boolean {
    if (sets > this.largestIndex) return false;
    if (sets * SET_SIZE >= LARGE) this.system.useLargePages(this.index(sets));
    return true;
  }

  useIndex(sets: number): void {
    // A reader may still look at the index before this one: it finds nothing there.
    this.system.release(this.index(sets / 2));
  }

  private index(sets: number): Uint8Array {
    return new Uint8Array(this.buffer, CONTROL_SIZE + sets * SET_SIZE, sets * SET_SIZE);
  }
}
