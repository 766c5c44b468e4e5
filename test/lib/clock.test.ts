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
