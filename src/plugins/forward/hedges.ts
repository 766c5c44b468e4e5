/** Of so many look-ups one may send a second query early, once the saved ones are used up. */
const SHARE = 10;
const MOST_SAVED = 20;

/**
 * How many queries may be sent twice before the upstream is late by any measure: a tenth of all at most, so that an
 * upstream that gets slower under load does not get more of it.
 */
export class HedgeBudget {
  private saved = MOST_SAVED;

  /** Counts a look-up. */
  earn(): void {
    if (this.saved < MOST_SAVED) this.saved += 1 / SHARE;
  }

  /** Takes one out; false when there is none. */
  take(): boolean {
    if (this.saved < 1) return false;
    this.saved--;
    return true;
  }
}
