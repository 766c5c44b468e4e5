import type { Attempt } from './attempt.js';

/** Attempts that wait. To add one, to take the oldest and to take out any costs the same however many there are. */
export class AttemptQueue {
  private readonly attempts = new Set<Attempt>();
  /** Goes on where it was: from its beginning, a set comes by all that have left it. */
  private oldest = this.attempts.values();

  get size(): number {
    return this.attempts.size;
  }

  add(attempt: Attempt): void {
    this.attempts.add(attempt);
  }

  delete(attempt: Attempt): void {
    this.attempts.delete(attempt);
  }

  /** Takes the oldest one out. */
  take(): Attempt | undefined {
    let { value } = this.oldest.next();
    // At its end it stays there, whatever is added later.
    if (value === undefined) ({ value } = (this.oldest = this.attempts.values()).next());
    if (value !== undefined) this.attempts.delete(value);
    return value;
  }

  /** Takes all out, the oldest first. */
  takeAll(): Attempt[] {
    const all = [...this.attempts];
    this.attempts.clear();
    return all;
  }
}
