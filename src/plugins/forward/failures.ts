import { Reply } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { ExtendedErrorCode, Rcode, ednsWith, extendedError } from '../../wire/index.js';
import { equal } from './same-question.js';

/** How long a first failure is remembered, twice as long each time, and the longest (RFC 9520 section 3.2). */
const FIRST: Milliseconds = 1000;
const LONGEST: Milliseconds = 5000;
/** A failure counts as the next of a row for so long after it was forgotten. */
const ROW: Milliseconds = 10_000;
const MOST = 1024;
/** A late answer is kept for this long: its TTL does not count down here. */
const LATE: Milliseconds = 2000;

/** Why a look-up came to nothing. */
export interface LookupFailure {
  readonly cause: Error;
  /** An error was reported, rather than that nothing came. */
  readonly reported: boolean;
  /** No upstream was heard of all the while: nothing is known about the name. */
  readonly gone: boolean;
}

/** SERVFAIL for a look-up that came to nothing; who sent an OPT record is told why (RFC 8914 sections 4.23, 4.24). */
export function failureReply({ cause, reported }: LookupFailure, remembered = false): Reply {
  const code = reported ? ExtendedErrorCode.NetworkError : ExtendedErrorCode.NoReachableAuthority;
  // Ports and addresses of ours are nobody's business.
  const why = extendedError(code, reported ? 'upstream unreachable' : 'no answer from any upstream');
  const options = remembered ? [extendedError(ExtendedErrorCode.CachedError), why] : [why];
  return Reply.failure(Rcode.SERVFAIL, cause).withEdns(ednsWith(...options));
}

interface Remembered {
  readonly message: Buffer;
  readonly failure: LookupFailure;
  readonly at: Milliseconds;
  readonly until: Milliseconds;
  readonly pause: Milliseconds;
  /** What came after all. */
  readonly answer?: Reply;
}

/**
 * Questions that no upstream answered, for 1 to 5 seconds: who asks again gets the same at once, and the upstreams get
 * nothing of it. At most 1,024; the oldest goes first.
 */
export class FailureMemory {
  private readonly byHash = new Map<number, Remembered>();

  get size(): number {
    return this.byHash.size;
  }

  /**
   * The reply for a question that failed a short time ago: that failure, or the answer that came late and has no
   * cause; undefined when it is to be asked.
   *
   * @param lastHeard when any of the upstreams was heard of last
   */
  find(message: Buffer, questionEnd: number, hash: number, now: Milliseconds, lastHeard: Milliseconds) {
    const known = this.byHash.get(hash);
    if (known === undefined || now >= known.until || !equal(known.message, message, questionEnd)) return undefined;
    if (known.answer !== undefined) return known.answer;
    if (known.failure.gone && lastHeard >= known.at) return undefined;
    return failureReply(known.failure, true);
  }

  add(message: Buffer, hash: number, failure: LookupFailure, now: Milliseconds): void {
    const before = this.byHash.get(hash);
    const again = before !== undefined && now < before.until + ROW;
    const pause = again ? Math.min(2 * before.pause, LONGEST) : FIRST;
    this.byHash.delete(hash);
    if (this.byHash.size >= MOST) this.byHash.delete(this.byHash.keys().next().value!);
    this.byHash.set(hash, { message, failure, at: now, until: now + pause, pause });
  }

  /** The very look-up that failed was answered after all, for whoever asks again soon. */
  addLate(message: Buffer, hash: number, answer: Reply, now: Milliseconds): void {
    const known = this.byHash.get(hash);
    if (known?.message === message) this.byHash.set(hash, { ...known, until: now + LATE, answer });
  }

  clear(): void {
    this.byHash.clear();
  }

  /** The question was answered. */
  forget(hash: number): void {
    this.byHash.delete(hash);
  }
}
