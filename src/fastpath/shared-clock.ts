import type { Milliseconds } from '../lib/units.js';

/** Milliseconds since the system started, the same in all threads of the process; never goes back. */
export const sharedNow = (): Milliseconds => performance.now() + ORIGIN;

/**
 * Each thread's performance.now() starts at its own time. A thread may lose its core between two looks at clocks, so
 * the closest of some is taken.
 */
const ORIGIN: Milliseconds = origin();

function origin(): Milliseconds {
  let best = 0;
  let closest = Infinity;
  for (let i = 0; i < 10; i++) {
    const before = performance.now();
    const since = Number(process.hrtime.bigint()) / 1e6;
    const apart = performance.now() - before;
    if (apart >= closest) continue;
    closest = apart;
    best = since - before - apart / 2;
  }
  return best;
}
