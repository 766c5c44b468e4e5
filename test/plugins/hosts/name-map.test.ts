import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NameMap } from '../../../src/plugins/hosts/name-map.js';

describe('NameMap', () => {
  it('keeps all texts of all names in order, however many there are', () => {
    const map = new NameMap();
    const names = Array.from({ length: 20_000 }, (_, i) => `host${i}.test.`);
    for (const name of names) map.add(name, 'one');
    for (const name of names) map.add(name, name);
    map.add('host7.test.', 'three');
    expect(map.size).toBe(names.length);
    expect(names.filter((name) => map.get(name)?.join() !== `one,${name}`)).toEqual(['host7.test.']);
    expect(map.get('host7.test.')).toEqual(['one', 'host7.test.', 'three']);
    expect([map.get('host20000.test.'), map.has('host20000.test.'), map.has('host19999.test.')]).toEqual([
      undefined,
      false,
      true,
    ]);
  });

  it('is what a map of lists is, for names of any length and text', () => {
    const map = new NameMap();
    const want = new Map<string, string[]>();
    // Fills what is kept otherwise, so that the rest of the names come beyond it.
    for (let i = 0; i < 4096; i++) map.add(`first${i}.test.`, 'x');
    const name = fc.oneof(fc.constantFrom('a.', 'b.test.', 'ä.test.', '', '*.b.test.'), fc.string({ maxLength: 300 }));
    const text = fc.oneof(fc.constantFrom('', '\0\x01\x02\xff'), fc.string({ maxLength: 40 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, text), { maxLength: 60 }), (pairs) => {
        for (const [key, value] of pairs) {
          map.add(key, value);
          want.set(key, [...(want.get(key) ?? []), value]);
        }
        expect([...want].filter(([key, texts]) => map.get(key)?.join('|') !== texts.join('|'))).toEqual([]);
        expect(map.size).toBe(4096 + want.size);
        expect(map.get('nobody.test.')).toBeUndefined();
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it('beyond the first thousands leaves the garbage collector nothing to look at', () => {
    const map = new NameMap();
    for (let i = 0; i < 60_000; i++) map.add(`host${i}.big.test.`, '\n\0\0\x01');
    const maps = Object.values(map).filter((value) => value instanceof Map) as Map<string, unknown>[];
    expect(maps.reduce((sum, { size }) => sum + size, 0)).toBe(4096);
    expect(map.get('host59999.big.test.')).toEqual(['\n\0\0\x01']);
  });
});
