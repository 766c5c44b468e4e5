import { describe, expect, it } from 'vitest';
import { originOf, sharedNow } from '../../src/fastpath/shared-clock.js';

it('tells the time since the system started, as all threads have it', () => {
  // A look that is interrupted says nothing: the closest of many counts.
  const apart = Array.from({ length: 50 }, () => Math.abs(sharedNow() - Number(process.hrtime.bigint()) / 1e6));
  expect(Math.min(...apart)).toBeLessThan(1);
});

describe('where a clock began is told by the quickest of ten looks', () => {
  /** What is found where the look at each place takes so long; the clock began 5000 ms after the system did. */
  const found = (lasting: readonly number[]): number => {
    const looks = lasting.values();
    let passed = 100;
    let lasts = 0;
    let inside = false;
    return originOf(
      () => {
        if (inside) passed += lasts;
        else lasts = looks.next().value ?? 1000;
        inside = !inside;
        return passed;
      },
      // It reads as if the look went on for no time behind it: half of what it lasts is what may be wrong.
      () => BigInt(5000 + passed + lasts) * 1_000_000n,
    );
  };
  const slow = (count: number): number[] => new Array<number>(count).fill(40);
  it.each([
    { name: 'the first', lasting: [4, ...slow(20)], want: 5002 },
    { name: 'one between', lasting: [...slow(4), 6, ...slow(20)], want: 5003 },
    { name: 'the tenth', lasting: [...slow(9), 8, ...slow(20)], want: 5004 },
    { name: 'none behind the tenth', lasting: [...slow(10), 8, ...slow(20)], want: 5020 },
    { name: 'the quickest of two', lasting: [6, 4, 8, ...slow(20)], want: 5002 },
  ])('$name', ({ lasting, want }) => expect(found(lasting)).toBe(want));
});
