import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';

/** So long a plugin may keep the thread for itself: nothing else is answered meanwhile. */
const LIMIT: Milliseconds = 5;
/** One line in this time. */
const QUIET: Milliseconds = 60_000;

/** Names a plugin that keeps the thread, once a minute at the most. */
export class StallWatch {
  private next: Milliseconds = -Infinity;
  private longest: Milliseconds = 0;
  private count = 0;

  constructor(
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {}

  /** `what` has kept the thread for so long. */
  took(what: string, time: Milliseconds): void {
    if (time <= LIMIT) return;
    this.count++;
    this.longest = Math.max(this.longest, time);
    const now = this.clock.monotonic();
    if (now < this.next) return;
    const often = this.count > 1 ? `, the longest of ${this.count} such times` : '';
    this.log.warning(
      `${what} kept the thread for ${this.longest.toFixed(1)} ms${often}; no query is answered meanwhile, allowed: ${LIMIT} ms`,
    );
    this.next = now + QUIET;
    this.longest = 0;
    this.count = 0;
  }

  /** Does `work` and tells how long it took. */
  measure<T>(what: string, work: () => T): T {
    const start = this.clock.monotonic();
    try {
      return work();
    } finally {
      this.took(what, this.clock.monotonic() - start);
    }
  }
}
