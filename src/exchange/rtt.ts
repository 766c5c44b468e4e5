import type { Milliseconds } from '../lib/units.js';

/** Before the first reply: between a resolver on the other side of a country and what a client puts up with. */
const UNKNOWN: Milliseconds = 300;
/**
 * A resolver that has to ask others itself takes longer than it usually does; asking again sooner would double its
 * load.
 */
const FLOOR: Milliseconds = 150;
/** Above this a client notices. */
const CEILING: Milliseconds = 400;

/**
 * Smoothed round-trip time with its mean deviation (RFC 6298 section 2). Every message has an id of its own, so each
 * reply is a true sample (section 3).
 */
export class RoundTrip {
  /** 0 before the first sample. */
  private smoothed: Milliseconds = 0;
  private deviation: Milliseconds = 0;

  /** How long to wait for a reply before somebody else is asked: 150 to 400 ms. */
  get patience(): Milliseconds {
    return this.smoothed === 0 ? UNKNOWN : Math.min(CEILING, Math.max(FLOOR, this.smoothed + 4 * this.deviation));
  }

  sample(time: Milliseconds): void {
    if (this.smoothed === 0) {
      this.smoothed = time;
      this.deviation = time / 2;
      return;
    }
    this.deviation += (Math.abs(this.smoothed - time) - this.deviation) / 4;
    this.smoothed += (time - this.smoothed) / 8;
  }
}
