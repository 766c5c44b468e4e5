import { expect, it } from 'vitest';
import { giveBackMemory, loadTrim } from '../../src/cli/free-memory.js';
import { ManualClock } from '../../src/lib/clock.js';

it('gives memory back soon after the start, then every 10 s, until the end', () => {
  const clock = new ManualClock();
  const times: number[] = [];
  const start = clock.monotonic();
  const end = giveBackMemory(clock, () => times.push(clock.monotonic()));
  clock.advance(40_000);
  expect(times.map((time) => time - start)).toEqual([500, 1500, 3500, 7500, 15_500, 25_500, 35_500]);
  end();
  clock.advance(40_000);
  expect(times).toHaveLength(7);
});

it('takes a thousandth of the time at most', () => {
  const clock = new ManualClock();
  let count = 0;
  giveBackMemory(clock, () => {
    count++;
    clock.advance(50);
  });
  clock.advance(101_000);
  expect(count).toBe(3);
});

it('is there or is missing, and does no harm', () => {
  expect(() => loadTrim()?.()).not.toThrow();
});
