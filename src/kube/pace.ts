import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';

/** How long work may go on before others have their turn. */
const SLICE: Milliseconds = 4;

/**
 * Divides long work, by one worker or several, into slices: queries wait for one slice at most. Before each piece of
 * work: `while (pace.isDue) await pace.rest();`
 */
export class Pace {
  private since: Milliseconds;
  private turn: Promise<void> | undefined;

  constructor(private readonly clock: Clock) {
    this.since = clock.monotonic();
  }

  /** Whether the slice, which all workers share, is used up. */
  get isDue(): boolean {
    return this.clock.monotonic() - this.since > SLICE;
  }

  /** Resolves when everything else that waited has had its turn. */
  rest(): Promise<void> {
    return (this.turn ??= setImmediate().then(() => {
      this.turn = undefined;
      this.since = this.clock.monotonic();
    }));
  }
}
