import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntMap } from '../../src/lib/int-map.js';

const box = (value: number): { value: number } => ({ value });

describe('a map of whole numbers', () => {
  it('has what was put in, once for each number', () => {
    const map = new IntMap<{ value: number }>();
    map.set(7, box(1));
    map.set(-1, box(2));
    map.set(7, box(3));
    expect([map.size, map.get(7), map.get(-1), map.get(0), map.has(7), map.has(0)]).toEqual([
      2,
      box(3),
      box(2),
      undefined,
      true,
      false,
    ]);
    expect([map.delete(7), map.delete(7), map.get(7), map.size]).toEqual([true, false, undefined, 1]);
    map.clear();
    expect([map.size, map.values(), map.has(-1)]).toEqual([0, [], false]);
  });

  it('does as Map does, whatever comes and goes', () => {
    // Few numbers meet often, and large ones have all their bits.
    const key = fc.oneof(
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.integer({ min: 0, max: 30 }).map((i) => i << 16),
    );
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ put: key }) },
      { weight: 2, arbitrary: fc.record({ take: key }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const map = new IntMap<{ value: number }>();
        const model = new Map<number, { value: number }>();
        steps.forEach((one, i) => {
          if ('put' in one) {
            map.set(one.put, box(i));
            model.set(one.put, box(i));
          } else expect(map.delete(one.take)).toBe(model.delete(one.take));
          expect(map.size).toBe(model.size);
        });
        for (const [number, value] of model) expect(map.get(number)).toEqual(value);
        expect(
          map
            .values()
            .map(({ value }) => value)
            .sort(),
        ).toEqual([...model.values()].map(({ value }) => value).sort());
      }),
      { seed: 7, numRuns: 40 },
    );
  });
});
