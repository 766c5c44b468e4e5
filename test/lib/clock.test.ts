import { describe, expect, it } from 'vitest';
import { ManualClock, repeat, sleep } from '../../src/lib/clock.js';

describe('ManualClock', () => {
  it('runs what falls due in order of time, then of creation', () => {
    const clock = new ManualClock(0);
    const seen: string[] = [];
    clock.setTimeout(() => seen.push('late'), 20);
    clock.setTimeout(() => {
      seen.push('first');
      clock.setTimeout(() => seen.push('nested'), 5);
    }, 10);
    clock.setTimeout(() => seen.push('second'), 10);
    clock.advance(15);
    expect(seen).toEqual(['first', 'second', 'nested']);
    expect(clock.now()).toBe(15);
    expect(clock.pending).toBe(1);
  });

  it('repeats until cancelled', () => {
    const clock = new ManualClock(0);
    let count = 0;
    const timer = repeat(clock, 10, () => count++);
    clock.advance(35);
    timer.cancel();
    clock.advance(100);
    expect(count).toBe(3);
  });

  it('repeats no more when what it runs cancels it', () => {
    const clock = new ManualClock(0);
    let count = 0;
    const timer = repeat(clock, 10, () => (++count === 2 ? timer.cancel() : undefined));
    clock.advance(100);
    expect([count, clock.pending]).toEqual([2, 0]);
  });

  it('runs what a promise asks for, before the first timer and between two of them', async () => {
    const clock = new ManualClock(0);
    const seen: number[] = [];
    const later = async (delay: number, more = (): unknown => undefined): Promise<void> => {
      await Promise.resolve();
      clock.setTimeout(() => (seen.push(clock.monotonic()), void more()), delay);
    };
    void later(10, () => later(5));
    await clock.advanceAsync(20);
    expect(seen).toEqual([10, 15]);
  });

  it('wakes sleepers and lets an abort end the wait', async () => {
    const clock = new ManualClock(0);
    const abort = new AbortController();
    const woken = sleep(clock, 10);
    const aborted = sleep(clock, 10, abort.signal);
    abort.abort(new Error('stop'));
    await expect(aborted).rejects.toThrow('stop');
    await clock.advanceAsync(10);
    await expect(woken).resolves.toBeUndefined();
  });
});
