import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import type { Random } from '../../src/lib/random.js';
import { Backoff } from '../../src/kube/api/backoff.js';
import { DEFAULT_LIMITS, RateLimiter } from '../../src/kube/api/rate-limiter.js';

const fixed = (share: number): Random => ({ uint32: () => share * 2 ** 32 });
const never = new AbortController().signal;

describe('Backoff', () => {
  const limits = { min: 100, max: 800, reset: 10_000 };

  it('doubles up to its limit', () => {
    const backoff = new Backoff(limits, new ManualClock(), fixed(0));
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([100, 200, 400, 800, 800]);
  });

  it('adds up to as much again at random', () => {
    const backoff = new Backoff(limits, new ManualClock(), fixed(0.5));
    expect([1, 2].map(() => backoff.next())).toEqual([150, 300]);
  });

  it('waits at least as long as it is asked to, without growing from it', () => {
    const backoff = new Backoff(limits, new ManualClock(), fixed(0.5));
    expect(backoff.next(5000)).toBe(5050);
    expect(backoff.next()).toBe(300);
  });

  it('starts again after a time without failures', () => {
    const clock = new ManualClock();
    const backoff = new Backoff(limits, clock, fixed(0));
    backoff.next();
    clock.advance(10_100);
    expect(backoff.next()).toBe(200);
    clock.advance(10_201);
    expect(backoff.next()).toBe(100);
  });
});

it('Backoff starts again when all is well', () => {
  const backoff = new Backoff({ min: 100, max: 800, reset: 10_000 }, new ManualClock(), fixed(0));
  backoff.next();
  backoff.next();
  backoff.forget();
  expect([backoff.next(), backoff.next()]).toEqual([100, 200]);
});

it('Backoff waits less than a millisecond where its limits say so', () =>
  expect(new Backoff({ min: 0.25, max: 1, reset: 1 }, new ManualClock(), fixed(0)).next()).toBe(0.25));

describe('RateLimiter', () => {
  it('lets as much through as the Kubernetes client library', () =>
    expect(DEFAULT_LIMITS).toEqual({ qps: 5, burst: 10 }));

  it('waits for the part of a token that is not there yet', async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ qps: 2000, burst: 1 }, clock);
    await limiter.acquire(never);
    await clock.advanceAsync(0.25);
    const second = limiter.acquire(never);
    await clock.advanceAsync(0.25);
    expect(await second).toBe(0.25);
  });

  it('lets a burst through, then one token at a time', async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ qps: 2, burst: 2 }, clock);
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) void limiter.acquire(never).then((wait) => waits.push(wait));
    await clock.advanceAsync(0);
    expect(waits).toEqual([0, 0]);
    await clock.advanceAsync(500);
    expect(waits).toEqual([0, 0, 500]);
    await clock.advanceAsync(500);
    expect(waits).toEqual([0, 0, 500, 1000]);
    await clock.advanceAsync(60_000);
    expect(await Promise.all([limiter.acquire(never), limiter.acquire(never)])).toEqual([0, 0]);
    // A long pause saves up no more than a burst.
    const third = limiter.acquire(never);
    await clock.advanceAsync(500);
    expect(await third).toBe(500);
  });

  it('bounds what is under way', async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ qps: 100, burst: 100, maxInFlight: 1 }, clock);
    await limiter.acquire(never);
    let entered = false;
    const second = limiter.acquire(never).then((wait) => {
      entered = true;
      return wait;
    });
    await clock.advanceAsync(50);
    expect(entered).toBe(false);
    limiter.release();
    expect(await second).toBe(50);
    limiter.release();
    expect(await limiter.acquire(never)).toBe(0);
  });

  it('gives up its place when aborted', async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter({ qps: 1, burst: 2, maxInFlight: 1 }, clock);
    await limiter.acquire(never);
    const stop = new AbortController();
    const [place, token] = [limiter.acquire(stop.signal), limiter.acquire(stop.signal)];
    const outcomes = Promise.allSettled([place, token]);
    await clock.advanceAsync(0);
    stop.abort(new Error('stopped'));
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    limiter.release();
    await clock.advanceAsync(10_000);
    expect(await limiter.acquire(never)).toBe(0);
    await expect(limiter.acquire(stop.signal)).rejects.toThrow('stopped');
  });
});
