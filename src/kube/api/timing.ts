import type { Milliseconds } from '../../lib/units.js';
import type { BackoffLimits } from './backoff.js';

/** How patient the client is. */
export interface ApiTiming {
  readonly backoff: BackoffLimits;
  /**
   * Wait before the next attempt, and up to as much again, where nothing listens at the API's address: a refusal of
   * the system costs nobody anything, and what has changed meanwhile is known soon after the API is back.
   */
  readonly refused: Milliseconds;
  /** For so long after that, or after a watch that was well, an API that is not there yet is asked as often. */
  readonly eager: Milliseconds;
  /** While the API is away that is told once in this time. */
  readonly retell: Milliseconds;
  /** Longest silence within a list, and before the headers of any response. */
  readonly listSilence: Milliseconds;
  /**
   * Watches end by themselves after this time to twice that, so that clients move between servers and do not all come
   * at once.
   */
  readonly watch: Milliseconds;
  /** How much longer than its own end a silent watch is waited for. */
  readonly watchGrace: Milliseconds;
  /** Longest silence before the end of the objects that a watch begins with. */
  readonly initialSilence: Milliseconds;
  /** Longest time until that end. */
  readonly initial: Milliseconds;
}

/**
 * Back-off and watch times are those of the Kubernetes client library, but for the first back-off, which is shorter.
 */
export const DEFAULT_TIMING: ApiTiming = {
  backoff: { min: 200, max: 30_000, reset: 120_000 },
  refused: 100,
  eager: 10_000,
  retell: 30_000,
  listSilence: 30_000,
  watch: 300_000,
  watchGrace: 30_000,
  initialSilence: 10_000,
  initial: 120_000,
};
