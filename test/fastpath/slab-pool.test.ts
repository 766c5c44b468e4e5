import { beforeEach, describe, expect, it } from 'vitest';
import { SlabPool } from '../../src/fastpath/slab-pool.js';
import { SIZES, SLAB, SLAB_END } from '../../src/fastpath/table-layout.js';
import { ThreadMemory } from '../../src/fastpath/table-memory.js';

let memory: ThreadMemory;
let pool: SlabPool;
beforeEach(() => {
  memory = new ThreadMemory(2 * SLAB);
  pool = new SlabPool(memory);
});

/** All places for so many bytes. */
function takeAll(size: number): number[] {
  const slots: number[] = [];
  for (let slot = pool.take(size); slot !== undefined; slot = pool.take(size)) slots.push(slot);
  return slots;
}

describe('places for entries', () => {
  it.each(SIZES)('of %i bytes lie side by side, in order, and not in what ends a slab', (size) => {
    const slots = takeAll(size);
    const perSlab = Math.floor((SLAB - SLAB_END) / size);
    expect(slots).toEqual(
      Array.from(
        { length: 2 * perSlab },
        (_, i) => (memory.pool + Math.floor(i / perSlab) * SLAB + (i % perSlab) * size) / 4,
      ),
    );
    expect(new Set(slots.map((slot) => pool.sizeOf(slot)))).toEqual(new Set([size]));
    expect([0, 1].map((i) => pool.slab(i))).toEqual(
      [0, 1].map((i) => ({ slab: i, first: (memory.pool + i * SLAB) / 4, step: size / 4, count: perSlab })),
    );
    expect(pool.slabOf(slots.at(-1)!)).toEqual(pool.slab(1));
  });

  it('are no larger than they have to be, as long as there is memory', () => {
    const [small, larger] = [pool.take(128)!, pool.take(129)!];
    expect([pool.sizeOf(small), pool.sizeOf(larger), pool.slabs]).toEqual([128, 192, 2]);
    // A third size finds no slab of its own: a larger place does.
    expect(pool.take(512)).toBeUndefined();
    expect(takeAll(128)).toHaveLength(
      Math.floor((SLAB - SLAB_END) / 128) - 1 + Math.floor((SLAB - SLAB_END) / 192) - 1,
    );
  });

  it('that are given back are taken again', () => {
    const slots = takeAll(256);
    pool.giveBack(slots[7]!);
    expect([pool.take(200), pool.take(200)]).toEqual([slots[7], undefined]);
  });
});

describe('entries of which one is to leave', () => {
  it('are sixteen at a time, and each has its turn', () => {
    const slots = takeAll(512);
    const seen: number[] = [];
    while (seen.length < slots.length) {
      const some = pool.candidates(400);
      expect(some).toHaveLength(16);
      seen.push(...some);
    }
    expect(seen.slice(0, slots.length)).toEqual(slots);
    expect(seen.slice(slots.length)).toEqual(slots.slice(0, seen.length - slots.length));
  });

  it('are of the next size that is used, and none where there is no such', () => {
    expect(pool.candidates(128)).toEqual([]);
    const slot = pool.take(256)!;
    expect(pool.candidates(100)).toContain(slot);
    expect(pool.candidates(256)).toHaveLength(16);
    expect(pool.candidates(257)).toEqual([]);
  });
});
