import type { Milliseconds } from '../lib/units.js';

/** Milliseconds since the system started, the same in all threads of the process; never goes back. */
export const sharedNow = (): Milliseconds => performance.now() + ORIGIN;

/**
 * When a clock began to count, since the system started. A thread may lose its core between two looks at clocks, so the
 * closest of ten is taken.
 *
 * @param now a thread's clock: each starts at its own time
 * @param sinceStart nanoseconds since the system started
 */
export function originOf(now: () => Milliseconds, sinceStart: () => bigint): Milliseconds {
  let best = 0;
  let closest = Infinity;
  for (let i = 0; i < 10; i++) {
    const before = now();
    const since = Number(sinceStart()) / 1e6;
    const apart = now() - before;
    if (apart >= closest) continue;
    closest = apart;
    best = since - before - apart / 2;
  }
  return best;
}

const ORIGIN: Milliseconds = originOf(
  () => performance.now(),
  () => process.hrtime.bigint(),
);
