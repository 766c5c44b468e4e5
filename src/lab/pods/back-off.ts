import type { Milliseconds } from '../../lib/units.js';

const FIRST: Milliseconds = 10_000;
const LONGEST: Milliseconds = 300_000;

/** How long a kubelet waits before it starts a container again: from 10 s, doubled up to 5 minutes. */
export class BackOff {
  private delay: Milliseconds = 0;
  private since: Milliseconds = 0;

  /** How long to wait, when the container ended now; one that ran for 10 minutes begins anew. */
  wait(now: Milliseconds): Milliseconds {
    if (now - this.since > 2 * LONGEST) this.delay = 0;
    return Math.max(0, this.since + this.delay - now);
  }

  /** The container is started. */
  started(now: Milliseconds): void {
    this.delay = Math.min(LONGEST, this.delay * 2 || FIRST);
    this.since = now;
  }

  /** Between two starts, as `back-off 40s` tells it. */
  get length(): Milliseconds {
    return this.delay;
  }
}
