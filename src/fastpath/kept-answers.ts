import type { HitCounter, Lease } from '../chain/index.js';
import type { AnswerTableWriter } from './table-writer.js';

type Counters = readonly HitCounter[];

/**
 * What the chain's thread knows of the answers in a table: a list for each slab, so that an answer takes two words and
 * is found by its place: its lease at twice its number in the slab, its counters behind that.
 */
export class KeptAnswers {
  private readonly slabs: (Lease | Counters | undefined)[][] = [];
  private count = 0;

  constructor(private readonly table: AnswerTableWriter) {}

  get size(): number {
    return this.count;
  }

  /** @param slot a place that is free */
  add(slot: number, lease: Lease, counters: Counters): void {
    const { slab, first, step, count } = this.table.slabOf(slot);
    const list = (this.slabs[slab] ??= new Array<undefined>(2 * count).fill(undefined));
    const at = (2 * (slot - first)) / step;
    list[at] = lease;
    list[at + 1] = counters;
    this.count++;
  }

  delete(slot: number): void {
    const { slab, first, step } = this.table.slabOf(slot);
    const list = this.slabs[slab];
    const at = (2 * (slot - first)) / step;
    if (list?.[at] === undefined) return;
    list[at] = undefined;
    list[at + 1] = undefined;
    this.count--;
  }

  lease(slot: number): Lease | undefined {
    return this.at(slot, 0) as Lease | undefined;
  }

  /** Who counts the hits of the answer; nobody where there is none. */
  counters(slot: number): Counters {
    return (this.at(slot, 1) as Counters | undefined) ?? [];
  }

  /** Places of all answers. */
  *slots(): Generator<number> {
    for (const [slab, list] of this.slabs.entries()) {
      const { first, step } = this.table.slab(slab);
      for (let i = 0; i < list.length; i += 2) if (list[i] !== undefined) yield first + (i / 2) * step;
    }
  }

  private at(slot: number, what: 0 | 1): Lease | Counters | undefined {
    const { slab, first, step } = this.table.slabOf(slot);
    return this.slabs[slab]?.[(2 * (slot - first)) / step + what];
  }
}
