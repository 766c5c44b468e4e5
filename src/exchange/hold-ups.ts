import type { Clock, Timer } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import { Copy, type Attempt } from './attempt.js';
import type { Pipelining } from './pipelining.js';
import type { StreamConnection } from './stream-connection.js';

/** Pauses between two tries whether a server works on several queries of a connection at once. */
const FIRST_TRIAL_PAUSE: Milliseconds = 1000;
const LONGEST_TRIAL_PAUSE: Milliseconds = 60_000;
/**
 * A server that left a connection unserved gets no more of them for this long, and twice as long each time that it does so
 * again. It may be that packets were lost: then the next one is served.
 */
const SHORTEST_FEWER: Milliseconds = 500;
const LONGEST_FEWER: Milliseconds = 10_000;
/** Pause between two queries that are asked twice to see whether a server still works on several at once. */
const SCOUT_PAUSE: Milliseconds = 50;
/** Queries that were sent this much later and answered before it show that it is only the one that is late. */
const MARGIN: Milliseconds = 2;
const SHORTEST_TIMER: Milliseconds = 1;

export interface HoldUpsParts {
  readonly clock: Clock;
  readonly pipelining: Pipelining;
  /** The connections that are open. */
  readonly links: () => readonly StreamConnection[];
  /** How long an upstream may be silent that works on several queries at once. */
  readonly patience: () => Milliseconds;
  /** Sends copies of these at once on other connections; called too, with none, when a connection became slow. */
  readonly rescue: (held: readonly Attempt[]) => void;
}

/**
 * Finds queries that stand behind a slow one on their connection, and has them sent on another one. Proof that it is
 * the connection and not the upstream: others were answered that were sent later. Without proof one query goes ahead,
 * and the rest follow when it was answered.
 */
export class HoldUps {
  /** A connection waits for something slow while answers come on others. */
  sawSlowAmongQuick = false;
  /** A connection waits for something slow. */
  private sawSlow = false;
  private newestAnswered: Milliseconds = -Infinity;
  private scout: Copy | undefined;
  private scoutAt: Milliseconds = -Infinity;
  /** A query that may be held up waits for proof of that. */
  private unproven = false;
  /** Until when the server is taken to serve no more connections than it does. */
  private fewerUntil: Milliseconds = -Infinity;
  private fewer: Milliseconds = SHORTEST_FEWER;
  /** Connections that the server takes nothing from. */
  private readonly unserved: StreamConnection[] = [];
  private timer: Timer | undefined;
  private timerAt: Milliseconds = Infinity;
  private checking = false;
  private trialAt: Milliseconds = -Infinity;
  private trialPause: Milliseconds = FIRST_TRIAL_PAUSE;

  constructor(private readonly parts: HoldUpsParts) {}

  /** A connection that is silent for this long gets no more queries. */
  get stalledAfter(): Milliseconds {
    const { pipelining, patience } = this.parts;
    return pipelining.anyOrder ? Math.max(patience(), pipelining.slowAfter) : pipelining.slowAfter;
  }

  /** Whether the server serves as many connections as it wants to. */
  servesNoMore(now: Milliseconds): boolean {
    return now < this.fewerUntil;
  }

  /** A connection had its first answer. */
  served(): void {
    this.fewerUntil = -Infinity;
    this.fewer = SHORTEST_FEWER;
  }

  /** Looks again when what was sent now has become slow. */
  sent(): void {
    this.timer ??= this.after(this.parts.pipelining.slowAfter);
  }

  /** Whether a query was answered that was sent clearly after `time`. */
  hasAnsweredSince(time: Milliseconds): boolean {
    return this.newestAnswered >= time + MARGIN;
  }

  /** An answer came on a connection. */
  answered(attempt: Attempt): void {
    this.newestAnswered = Math.max(this.newestAnswered, attempt.takenAt);
    if (attempt === this.scout) this.scout = undefined;
    this.hasten();
    if (attempt instanceof Copy) this.judge(attempt);
    if (this.unserved.length > 0) this.checkSoon();
    if (this.unproven && !this.parts.pipelining.anyOrder) this.checkSoon();
  }

  /**
   * The connection on which a copy of the next query shows whether the server works on several at once: nobody waits
   * for it there, and what is slow already stands in front of it. Given once in a while.
   */
  trial(now: Milliseconds): StreamConnection | undefined {
    if (!this.sawSlow || now < this.trialAt || this.parts.pipelining.anyOrder) return undefined;
    const slow = this.parts
      .links()
      .find((link) => link.replies > 0 && link.inFlight.size === 1 && link.isStalled(now, this.stalledAfter));
    if (slow === undefined) return undefined;
    this.trialAt = now + this.trialPause;
    this.trialPause = Math.min(2 * this.trialPause, LONGEST_TRIAL_PAUSE);
    return slow;
  }

  close(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  /**
   * A copy was answered before its original. Where the server was thought to answer in any order, that shows that the
   * original was held up; a connection that never answered is not served at all.
   */
  private judge(copy: Copy): void {
    const { pipelining, clock, links } = this.parts;
    const { original } = copy;
    if (original.receiver === undefined) return;
    const quick = clock.monotonic() - copy.takenAt <= pipelining.slowAfter;
    if (pipelining.anyOrder && quick && original.queued) pipelining.heldUp();
    const link = links().find((other) => other === original.transport);
    if (link?.replies !== 0) return;
    this.unserved.push(link);
    const now = clock.monotonic();
    // Those that were opened together are one observation.
    if (!quick || now < this.fewerUntil) return;
    this.fewerUntil = now + this.fewer;
    this.fewer = Math.min(2 * this.fewer, LONGEST_FEWER);
  }

  /** Before the first answer nobody knew how long one takes. */
  private hasten(): void {
    const { clock, pipelining } = this.parts;
    if (this.timer === undefined || this.timerAt - clock.monotonic() <= 2 * pipelining.slowAfter) return;
    this.timer.cancel();
    this.timer = this.after(pipelining.slowAfter);
  }

  private after(time: Milliseconds): Timer {
    this.timerAt = this.parts.clock.monotonic() + time;
    return this.parts.clock.setTimeout(
      () => {
        this.timer = undefined;
        this.checkSoon();
      },
      Math.max(SHORTEST_TIMER, time),
    );
  }

  /** After the phase in which sockets are read: what has come while this process was late counts as come in time. */
  private checkSoon(): void {
    if (this.checking) return;
    this.checking = true;
    setImmediate(() => this.check());
  }

  private check(): void {
    this.checking = false;
    for (const link of this.unserved.splice(0)) link.end();
    const now = this.parts.clock.monotonic();
    const { slowAfter, anyOrder } = this.parts.pipelining;
    const held: Attempt[] = [];
    let unproven: Attempt | undefined;
    let next = Infinity;
    this.sawSlow = this.sawSlowAmongQuick = false;
    for (const link of this.parts.links()) {
      const since = link.waitingSince;
      if (now - since <= slowAfter) {
        next = Math.min(next, since + slowAfter - now);
        continue;
      }
      if (since === Infinity) continue;
      this.sawSlow = true;
      if (this.hasAnsweredSince(since)) this.sawSlowAmongQuick = true;
      const queries = link.held.filter(
        (query) => query.awaited && query.copy === undefined && !(query instanceof Copy),
      );
      if (anyOrder && queries.length > 0) next = Math.min(next, SCOUT_PAUSE);
      if (queries.length === 0 || (anyOrder && now - queries[0]!.takenAt <= slowAfter)) continue;
      // In any order, it may be that they are slow themselves: one at a time is enough to find out.
      if (anyOrder || !this.hasAnsweredSince(since)) unproven ??= link.replies > 0 ? queries[0] : undefined;
      else {
        if (link.replies > 0) this.parts.pipelining.heldUp();
        held.push(...queries);
      }
    }
    this.unproven = unproven !== undefined;
    if (unproven !== undefined && this.maySendScout(now)) held.push(unproven);
    if (this.sawSlow) this.parts.rescue(held);
    if (unproven?.copy !== undefined) this.scout = unproven.copy;
    if (next < Infinity) this.timer ??= this.after(next);
  }

  private maySendScout(now: Milliseconds): boolean {
    if (this.scout?.transport !== undefined || now < this.scoutAt) return false;
    if (this.parts.pipelining.anyOrder) this.scoutAt = now + SCOUT_PAUSE;
    return true;
  }
}
