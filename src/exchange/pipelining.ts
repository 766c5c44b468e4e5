import type { Milliseconds } from '../lib/units.js';

/** Most queries in flight on a connection to a server that answers in order, however quick it is. */
const MAX_DEPTH = 64;
/** Time that a query may lose, on average, by lease behind others on its connection. */
const QUEUE_TIME: Milliseconds = 2;
/** Weight of one answer in the mean of what a query takes from the one behind it. */
const COST_WEIGHT = 1 / 128;
/** Answers that were not slow before the first query is sent behind another one. */
const FIRST_STREAK = 64;
/** The same before the depth may double again. */
const NEXT_STREAK = 32;
/** Longest streak that an upstream has to show which held up queries again and again. */
const LONGEST_STREAK = 4096;
/** An answer that takes this much longer than usual may be slow; below it, schedulers and garbage collectors decide. */
const SLACK: Milliseconds = 2;
/** When an answer is slow before the first one came. */
const UNKNOWN: Milliseconds = 100;
/** Times that a connection whose server answers in any order has to hold up a query before that is called over. */
const HOLD_UPS = 3;
/** Queries on one connection to a server that answers in any order before another one is opened, and at most. */
const ANY_ORDER_DEPTH = 32;
const MOST_IN_ANY_ORDER = 1024;

/** An answer as a connection saw it. */
export interface AnswerTimes {
  /** Since the query was handed to the connection. */
  readonly took: Milliseconds;
  /** Since the answer before it on the same connection. */
  readonly sinceLast: Milliseconds;
  /** Whether the query stood behind others on its connection. */
  readonly queued: boolean;
  /**
   * Whether only this query was late: one that was sent later on another connection was answered before it, or there
   * was no other. When all are late at once the cause is elsewhere.
   */
  readonly alone: boolean;
}

/**
 * What an upstream has shown about several queries on one connection. RFC 7766 section 6.2.1.1 wants servers to work
 * on all at once and to answer in any order; most work on one at a time. Until it has shown better, a connection
 * carries one query at a time. Then either
 *
 * - it answered a later query first, which only a server does that works on several at once, or
 * - its answers cost the queries behind them next to nothing: the depth is what the mean of that allows.
 */
export class Pipelining {
  /** What an answer to a query on an idle connection usually takes; slow ones hardly move it. 0 before the first. */
  private typical: Milliseconds = 0;
  /** Mean time that a query takes from the one behind it. */
  private cost: Milliseconds = QUEUE_TIME;
  private allowed = 1;
  private streak = 0;
  private needed = FIRST_STREAK;
  private inAnyOrder = false;
  private holdUps = 0;

  /** What an answer usually takes; 0 before the first one came. */
  get usual(): Milliseconds {
    return this.typical;
  }

  /** Whether the upstream works on several queries of a connection at once. */
  get anyOrder(): boolean {
    return this.inAnyOrder;
  }

  /** Queries that a connection is to have in flight at most: 1 or more. */
  get depth(): number {
    return this.inAnyOrder ? MOST_IN_ANY_ORDER : this.orderedDepth;
  }

  /** Queries in flight on a connection that are reason enough to open another one. */
  get fullAt(): number {
    return this.inAnyOrder ? ANY_ORDER_DEPTH : this.orderedDepth;
  }

  /** A connection on which nothing has come for this long is busy with something slow. */
  get slowAfter(): Milliseconds {
    return this.typical === 0 ? UNKNOWN : SLACK + 3 * this.typical;
  }

  /** Notes an answer. */
  answered({ took, sinceLast, queued, alone }: AnswerTimes): void {
    if (!queued) this.learn(took);
    // What stands in front of a query says nothing about how long it takes then.
    if (this.inAnyOrder) return;
    const excess = Math.max(0, queued ? Math.min(sinceLast, took - this.typical) : took - this.typical);
    const slow = this.typical > 0 && alone && excess > SLACK + 2 * this.typical;
    this.cost += ((slow || queued ? excess : 0) - this.cost) * COST_WEIGHT;
    if (slow && queued) this.heldUp();
    else if (++this.streak >= this.needed) this.deepen();
  }

  /** An answer came before that to an earlier query on the same connection. */
  overtook(): void {
    this.inAnyOrder = true;
    this.holdUps = 0;
  }

  /** A query was kept waiting on a connection while others were answered that were sent later. */
  heldUp(): void {
    if (this.inAnyOrder) {
      if (++this.holdUps < HOLD_UPS) return;
      this.inAnyOrder = false;
    }
    if (this.allowed > 1) this.needed = Math.min(2 * this.needed, LONGEST_STREAK);
    this.allowed = 1;
    this.streak = 0;
  }

  private get orderedDepth(): number {
    return this.allowed === 1 ? 1 : Math.max(1, Math.min(this.allowed, Math.floor(QUEUE_TIME / this.cost)));
  }

  private deepen(): void {
    this.streak = this.needed - NEXT_STREAK;
    if (this.allowed < MAX_DEPTH) this.allowed *= 2;
    // Deep for long: what held up queries is over.
    else this.needed = FIRST_STREAK;
  }

  /** Down by a quarter of the difference, up by a sixteenth of the value at most: near the quicker answers. */
  private learn(took: Milliseconds): void {
    if (this.typical === 0) this.typical = Math.max(took, 0.01);
    else if (took < this.typical) this.typical -= (this.typical - took) / 4;
    else this.typical += Math.min(took - this.typical, this.typical / 8 + 0.05) / 2;
  }
}
