import type { Octets } from '../lib/units.js';
import { SIZES, SLAB, SLAB_END } from './table-layout.js';
import type { TableMemory } from './table-memory.js';

/** Entries looked at for one that is to leave. */
const LOOKS = 16;

/** Slabs whose entries have one size. Entries are offsets in words. */
class SizeClass {
  readonly slabs: number[] = [];
  readonly free: number[] = [];
  /** Where the next look for an entry to leave begins. */
  hand = 0;

  constructor(readonly size: Octets) {}

  get perSlab(): number {
    return Math.floor((SLAB - SLAB_END) / this.size);
  }

  get entries(): number {
    return this.slabs.length * this.perSlab;
  }

  entry(i: number): number {
    const { perSlab } = this;
    return this.slabs[Math.floor(i / perSlab)]! + (i % perSlab) * (this.size / 4);
  }

  add(slab: number): void {
    this.slabs.push(slab);
    // The last ones first, so that they are taken in order.
    for (let i = this.perSlab - 1; i >= 0; i--) this.free.push(slab + i * (this.size / 4));
  }
}

/** A slab by its number, and its places: the first, their distance in words, and how many. */
export interface Slab {
  readonly slab: number;
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

/** Hands out places for entries of a table, by size. */
export class SlabPool {
  private readonly classes = SIZES.map((size) => new SizeClass(size));
  private readonly owners: SizeClass[] = [];

  constructor(private readonly memory: TableMemory) {}

  /** Number of slabs in use. */
  get slabs(): number {
    return this.owners.length;
  }

  /** Size of the entries of an entry's slab. */
  sizeOf(slot: number): Octets {
    return this.classOf(slot).size;
  }

  /** A free place for so many bytes, or undefined. Memory is taken before a larger place is. */
  take(size: Octets): number | undefined {
    const first = SIZES.findIndex((candidate) => candidate >= size);
    const own = this.classes[first]!;
    if (own.free.length === 0 && this.memory.growPool((this.slabs + 1) * SLAB)) {
      own.add((this.memory.pool + this.slabs * SLAB) / 4);
      this.owners.push(own);
    }
    for (const candidate of this.classes.slice(first)) {
      const slot = candidate.free.pop();
      if (slot !== undefined) return slot;
    }
    return undefined;
  }

  giveBack(slot: number): void {
    this.classOf(slot).free.push(slot);
  }

  /** Some entries of which one may leave to make room for so many bytes; none where no such entry is used. */
  candidates(size: Octets): number[] {
    const found = this.classes.find((candidate) => candidate.size >= size && candidate.slabs.length > 0);
    if (found === undefined) return [];
    const { hand, entries } = found;
    const count = Math.min(LOOKS, entries);
    found.hand = (hand + count) % entries;
    return Array.from({ length: count }, (_, i) => found.entry((hand + i) % entries));
  }

  /** Slab number `i`. */
  slab(i: number): Slab {
    const { size, perSlab } = this.owners[i]!;
    return { slab: i, first: (this.memory.pool + i * SLAB) / 4, step: size / 4, count: perSlab };
  }

  /** The slab of an entry. */
  slabOf(slot: number): Slab {
    return this.slab(this.numberOf(slot));
  }

  private numberOf(slot: number): number {
    return Math.floor((slot * 4 - this.memory.pool) / SLAB);
  }

  private classOf(slot: number): SizeClass {
    return this.owners[this.numberOf(slot)]!;
  }
}
