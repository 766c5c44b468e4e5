import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';

export interface BackoffLimits {
  readonly min: Milliseconds;
  readonly max: Milliseconds;
  /** After this long without a failure the waits start from `min` again. */
  readonly reset: Milliseconds;
}

/**
 * Growing waits between attempts: each twice the one before, with up to as much again at random, so that clients
 * spread out.
 */
export class Backoff {
  private current: Milliseconds;
  private last: Milliseconds = -Infinity;

  constructor(
    private readonly limits: BackoffLimits,
    private readonly clock: Clock,
    private readonly random: Random,
  ) {
    this.current = limits.min;
  }

  /** All is well again: the waits start from `min`. */
  forget(): void {
    this.last = -Infinity;
  }

  /**
   * The next wait: from the current step to twice that, or from `atLeast` (what a Retry-After header asks for) when
   * that is longer.
   */
  next(atLeast: Milliseconds = this.limits.min): Milliseconds {
    const now = this.clock.monotonic();
    const { min, max, reset } = this.limits;
    const step = now - this.last > reset ? min : this.current;
    const wait = Math.max(step, atLeast) + (this.random.uint32() / 2 ** 32) * step;
    this.current = Math.min(max, step * 2);
    this.last = now + wait;
    return wait;
  }
}
