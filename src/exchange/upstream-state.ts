import type { Clock } from '../lib/clock.js';
import type { Random } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import type { Destination, Network } from '../net/network.js';
import { RoundTrip } from './rtt.js';
import { newStats, type ExchangeStats } from './stats.js';
import type { Attempt } from './attempt.js';
import type { Protocol } from './errors.js';
import { NO_MATCH, RESPELT, matchQuestion } from './match.js';
import type { Cookies } from './cookies.js';
import { restoreCase, type MixedCase } from './mixed-case.js';

/** Counts sockets and connections that were there already (`hits`) and that had to be opened (`misses`). */
export interface ReuseCounters {
  hit(protocol: Protocol): void;
  miss(protocol: Protocol): void;
}

export interface PoolLimits {
  /** What was not used for this long is closed. */
  readonly expire: Milliseconds;
  /** Most sockets, and most connections, kept open without a query in flight; 0 for no limit. */
  readonly maxIdle: number;
  /** Longest life of sockets and connections, where theirs is to be shorter than usual; 0 or missing for none. */
  readonly maxAge?: Milliseconds;
  /** Most UDP sockets that serve one query each; missing for as many as make sense. */
  readonly maxPorts?: number;
}

/** What the sockets and connections to one upstream share: where it is, and what was seen of it. */
export class UpstreamState {
  readonly roundTrip = new RoundTrip();
  readonly stats: ExchangeStats = newStats();
  /** Monotonic time of the last message from it. */
  lastHeard: Milliseconds = -Infinity;

  constructor(
    readonly network: Network,
    readonly clock: Clock,
    readonly random: Random,
    readonly to: Destination,
    readonly limits: PoolLimits,
    readonly reuse: ReuseCounters,
    /** Draws the case of names over UDP, where that is wanted. */ readonly mixedCase?: MixedCase,
    /** Cookies over UDP, where they are wanted. */ readonly cookies?: Cookies,
  ) {}

  /** The shorter of a lifetime and what the limits allow. */
  lifetime(usual: Milliseconds): Milliseconds {
    const { maxAge = 0 } = this.limits;
    return maxAge > 0 ? Math.min(usual, maxAge) : usual;
  }

  /**
   * Judges a message that came under the id of `attempt`. Returns the offset of its records, or NO_MATCH or RESPELT when
   * it is not that query's answer, which is counted and changes nothing. Names have the case of the query afterwards.
   */
  match(attempt: Attempt | undefined, bytes: Buffer): number {
    if (attempt === undefined) {
      this.stats.strays++;
      return NO_MATCH;
    }
    const records = matchQuestion(attempt.message, attempt.questionEnd, bytes);
    if (records === NO_MATCH) {
      this.stats.mismatches++;
      attempt.receiver?.mismatched(attempt);
      return NO_MATCH;
    }
    const now = this.clock.monotonic();
    const { caseBits, questionEnd } = attempt;
    // A refusal may have no question.
    if (caseBits !== 0 && records === questionEnd) {
      if (!restoreCase(bytes, attempt.message, questionEnd, caseBits)) {
        this.stats.respelt++;
        this.mixedCase?.lost(now);
        return RESPELT;
      }
      this.mixedCase?.kept();
    }
    this.lastHeard = now;
    return records;
  }

  /** Tells the attempt's receiver. Returns whether the wait is over; else the message counts as malformed. */
  tell(attempt: Attempt, bytes: Buffer, records: number): boolean {
    if (attempt.receiver !== undefined && !attempt.receiver.replied(attempt, bytes, records)) {
      this.stats.malformed++;
      return false;
    }
    attempt.receiver = undefined;
    this.roundTrip.sample(this.lastHeard - attempt.sentAt);
    return true;
  }
}
