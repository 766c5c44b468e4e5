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
});
