import { openLibc } from '../fastpath/libc.js';
import type { Clock, Timer } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';

/** The first look comes so soon, as a start leaves most behind; each later one after twice the time. */
const FIRST: Milliseconds = 500;
const LONGEST: Milliseconds = 10_000;
/** Of the time, one part in so many at most goes into it. */
const SHARE = 1000;

/** Gives memory back to the system; undefined where the C library has no such call (musl gives it back by itself). */
export function loadTrim(): (() => void) | undefined {
  try {
    const trim = openLibc().lib.func('int malloc_trim(size_t)') as (keep: number) => number;
    return () => void trim(0);
  } catch {
    return undefined;
  }
}

/**
 * Gives memory back to the system, now and then, that buffers of connections and the compiler have left: glibc keeps
 * it for the process, between what is still used. The returned function ends that.
 */
export function giveBackMemory(clock: Clock, trim = loadTrim()): () => void {
  if (trim === undefined) return () => undefined;
  let pause = FIRST;
  const lookAgain = (): Timer =>
    clock.setTimeout(() => {
      const began = clock.monotonic();
      trim();
      const took = clock.monotonic() - began;
      pause = Math.max(Math.min(LONGEST, 2 * pause), SHARE * took);
      timer = lookAgain();
    }, pause);
  let timer = lookAgain();
  return () => timer.cancel();
}
