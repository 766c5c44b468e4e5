import type { Milliseconds } from '../lib/units.js';

/** Bounds of the time a connection may take to open. */
const MIN_CONNECT: Milliseconds = 1000;
const MAX_CONNECT: Milliseconds = 30_000;
/** Weight of one observation in the mean time to connect. */
const CONNECT_WEIGHT = 4;

/** How long connections to one upstream take to open, and how long one is waited for. */
export class ConnectTime {
  /** From half of the maximum downwards. */
  private mean: Milliseconds = MAX_CONNECT / 2;

  learn(took: Milliseconds): void {
    this.mean += (took - this.mean) / CONNECT_WEIGHT;
  }

  /** Twice the mean, within the bounds. */
  get limit(): Milliseconds {
    return Math.min(MAX_CONNECT, Math.max(MIN_CONNECT, 2 * this.mean));
  }
}
