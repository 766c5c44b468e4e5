import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MultiMap } from '../../src/kube/store/multimap.js';

describe('MultiMap', () => {
  it('holds what a map of sets would', () => {
    const step = fc.record({
      add: fc.boolean(),
      key: fc.constantFrom('a', 'b'),
      value: fc.constantFrom('x', 'y', 'z'),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const map = new MultiMap<string>();
        const model = new Map<string, Set<string>>();
        for (const { add, key, value } of steps) {
          const values = model.get(key) ?? new Set<string>();
          if (add) {
            map.add(key, value);
            values.add(value);
          } else {
            map.remove(key, value);
            values.delete(value);
          }
          if (values.size > 0) model.set(key, values);
          else model.delete(key);
          expect([...map.keys()].sort()).toEqual([...model.keys()].sort());
          expect(map.size).toBe(model.size);
          for (const name of ['a', 'b']) {
            expect(map.has(name)).toBe(model.has(name));
            expect(map.get(name)).toEqual([...(model.get(name) ?? [])]);
          }
        }
      }),
    );
  });
});
