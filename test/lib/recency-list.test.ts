import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecencyList, type Listed } from '../../src/lib/recency-list.js';

class Item implements Listed<Item> {
  older: Item | undefined = undefined;
  newer: Item | undefined = undefined;
  listed = false;

  constructor(readonly name: number) {}
}

describe('RecencyList', () => {
  it('is the order of a plain array, whatever is done to it', () => {
    const step = fc.record({ what: fc.constantFrom('use', 'touch', 'remove'), name: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const list = new RecencyList<Item>();
        const items = Array.from({ length: 6 }, (_, name) => new Item(name));
        let model: number[] = [];
        for (const { what, name } of steps) {
          const item = items[name]!;
          const inside = model.includes(name);
          if (what === 'remove') list.remove(item);
          else if (what === 'use' && !inside) list.add(item);
          else list.touch(item);
          model = model.filter((other) => other !== name);
          if (what === 'use' || (what === 'touch' && inside)) model.push(name);
          expect([...list].map((each) => each.name)).toEqual(model);
          expect([list.size, list.oldest?.name]).toEqual([model.length, model[0]]);
          // What is in no list keeps nothing else in memory.
          expect(items.some(({ listed, older, newer }) => !listed && (older ?? newer) !== undefined)).toBe(false);
          expect(items.map(({ listed }) => listed)).toEqual(items.map((each) => model.includes(each.name)));
        }
      }),
      { numRuns: 30 },
    );
  });
});
