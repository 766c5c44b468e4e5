import type { Milliseconds } from '../lib/units.js';

interface PendingTimer {
  readonly at: Milliseconds;
  readonly run: () => void;
}

/** What waits inside the model, such as retransmissions. It does not wait by itself: its owner is told when to run. */
export class Timers {
  /** Told when the earliest timer is another one, and earlier than before. */
  onEarlier: () => void = () => undefined;
  private due: PendingTimer[] = [];

  /** Runs `run` at the first `runUntil` that reaches `at`. Returns the function that takes it back. */
  set(at: Milliseconds, run: () => void): () => void {
    const entry: PendingTimer = { at, run };
    let place = this.due.length;
    while (place > 0 && this.due[place - 1]!.at > at) place--;
    this.due.splice(place, 0, entry);
    if (place === 0) this.onEarlier();
    return () => {
      const index = this.due.indexOf(entry);
      if (index >= 0) this.due.splice(index, 1);
    };
  }

  /** Moment of the earliest timer; undefined when nothing waits. */
  get next(): Milliseconds | undefined {
    return this.due[0]?.at;
  }

  /**
   * Runs everything due at or before `now`, in order of time; returns how many. What is set meanwhile runs too if it
   * is due.
   */
  runUntil(now: Milliseconds): number {
    let ran = 0;
    while (this.due[0] && this.due[0].at <= now) {
      this.due.shift()!.run();
      ran++;
    }
    return ran;
  }
}
