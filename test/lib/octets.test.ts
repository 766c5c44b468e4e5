import { describe, expect, it } from 'vitest';
import { copyOctets } from '../../src/lib/octets.js';

const source = Uint8Array.from({ length: 1000 }, (_, i) => i);

describe('a copy', () => {
  it.each([
    { name: 'of nothing', start: 5, end: 5 },
    { name: 'of one octet', start: 999, end: 1000 },
    { name: 'of a few', start: 3, end: 131 },
    { name: 'of many', start: 3, end: 132 },
    { name: 'of all', start: 0, end: 1000 },
  ])('$name has its octets, and memory of its own', ({ start, end }) => {
    const original = Uint8Array.from(source);
    const copy = copyOctets(original, start, end);
    original.fill(0);
    expect(new Uint8Array(copy)).toEqual(source.slice(start, end));
  });
});
