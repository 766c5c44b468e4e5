import { describe, expect, it } from 'vitest';
import { Compressor } from '../../src/wire/compressor.js';
import { encodeName } from '../../src/wire/index.js';

/** A message that begins with these bytes, and what is written behind them. */
function message(...bytes: number[]): { names: Compressor; target: Uint8Array } {
  const target = new Uint8Array(512);
  target.set(bytes);
  const names = new Compressor(target);
  names.reset();
  return { names, target };
}

describe('names within data', () => {
  const name = encodeName('a.bc.');

  it('are pointed to', () => {
    const { names, target } = message(...name);
    expect(names.offer(0, name.length)).toBe(name.length);
    const source = encodeName('x.bc.');
    expect(names.write(source, 0, source.length, 10)).toBe(14);
    expect([...target.subarray(10, 14)]).toEqual([1, 120, 0xc0, 2]);
  });

  it('of another message are not pointed to, however many there were', () => {
    const { names, target } = message();
    const source = encodeName('x.bc.');
    expect(names.write(source, 0, source.length, 12)).toBe(18);
    for (let more = 0; more < 3; more++) {
      names.reset();
      expect(names.write(source, 2, source.length, 30)).toBe(34);
      expect([...target.subarray(30, 34)]).toEqual([2, 98, 99, 0]);
      names.reset();
      expect(names.write(source, 0, source.length, 12)).toBe(18);
      expect([...target.subarray(12, 18)]).toEqual([...source]);
    }
  });

  it.each([
    { what: 'ends before its root', end: name.length - 1 },
    { what: 'ends within a label', end: name.length - 2 },
    { what: 'is empty', end: 0 },
  ])('are left alone where data $what', ({ end }) => {
    const { names } = message(...name);
    expect(names.offer(0, end)).toBe(end);
    // Nothing points to them.
    expect(names.write(name, 0, name.length, 20)).toBe(20 + name.length);
  });

  it.each([
    { what: 'of one length', names: ['kn6ski.', 't2i3dl.'] },
    { what: 'of two lengths', names: ['384poc.', '4vjw9.'] },
  ])('$what with the same hash are not taken for each other', ({ names: [one, other] }) => {
    const { names, target } = message();
    const [first, second] = [encodeName(one!), encodeName(other!)];
    const at = names.write(first, 0, first.length, 12);
    const end = names.write(second, 0, second.length, at);
    expect([...target.subarray(at, end)]).toEqual([...second]);
    // Both can be pointed to.
    for (const [name, place] of [
      [first, 12],
      [second, at],
    ] as const) {
      expect(names.write(name, 0, name.length, end)).toBe(end + 2);
      expect([...target.subarray(end, end + 2)]).toEqual([0xc0, place]);
    }
  });
});

it('a name that was shortened itself is pointed to whole, and names end in whatever memory there was', () => {
  const target = new Uint8Array(64).fill(0xff);
  const names = new Compressor(target);
  names.reset();
  let at = 0;
  for (const text of ['b.c.', 'x.b.c.', 'y.x.b.c.']) {
    const name = encodeName(text);
    at = names.write(name, 0, name.length, at);
  }
  // `b.c.`, then `x` and a pointer to it, then `y` and a pointer to that.
  expect(Buffer.from(target.subarray(0, at)).toString('hex')).toBe('0162016300' + '0178c000' + '0179c005');
});
