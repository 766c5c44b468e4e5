import type { ReasonNote } from '../../chain/index.js';
import { Deadline } from '../../exchange/index.js';
import { randomBelow } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { LookupSettings } from './lookup-settings.js';
import type { Proxy } from './proxy.js';
import { tap } from './tap.js';
import { NO_TRIES, tellOf, type LookedUp, type Try } from './try.js';

/** A query is given up after this long. */
export const QUERY_TIMEOUT: Milliseconds = 5000;
/** Where no upstream was heard of for this long, a query is given up: within 1 s, the wheel's tick included. */
const GONE_AFTER: Milliseconds = 950;
/** Attempts for one query, whatever the Corefile says. */
const MOST_ATTEMPTS = 12;

/** Whom one query was sent to, and whom it may be sent to next. */
export abstract class LookupAttempts extends Deadline {
  protected readonly order: readonly Proxy[];
  /** Under way, oldest first. */
  protected tries: readonly Try[] = NO_TRIES;
  protected launched = 0;
  /** All upstreams are down and one was asked nevertheless: what it says stands. */
  protected lastResort = false;
  protected lastError: Error | undefined;
  /** An attempt over a connection was given up. */
  protected timedOut = false;
  protected readonly startedAt: Milliseconds;
  private cursor = 0;
  /** When to ask once more although nothing has failed. */
  protected askAgainAt: Milliseconds = Infinity;
  /** When a second query may be sent early; Infinity when it may not, or was. */
  protected hedgeAt: Milliseconds = Infinity;
  /** How long after the beginning to see whether any upstream is there at all: whole, so that no number is made. */
  protected goneAfter: Milliseconds = GONE_AFTER;

  constructor(
    protected readonly settings: LookupSettings,
    protected readonly outstanding: LookedUp,
  ) {
    super();
    this.order = settings.policy(settings.proxies);
    this.startedAt = settings.clock.monotonic();
  }

  /** One attempt is given up after this long. */
  protected get readTimeout(): Milliseconds {
    return this.settings.options.readTimeout;
  }

  protected mayLaunch(now: Milliseconds): boolean {
    const { maxAttempts } = this.settings.options;
    if (this.outstanding.query.context.over(now)) return false;
    return this.launched < (maxAttempts === 0 ? MOST_ATTEMPTS : Math.min(maxAttempts, MOST_ATTEMPTS));
  }

  /** The next upstream in order that is neither down nor silent. */
  protected pickAdmitted(now: Milliseconds): Proxy | undefined {
    const { order } = this;
    for (let i = 0; i < order.length; i++) {
      const proxy = order[(this.cursor + i) % order.length]!;
      if (!proxy.admits(now)) continue;
      this.cursor += i + 1;
      return proxy;
    }
    return undefined;
  }

  /**
   * Whether all that was asked is late already and an answer to what is asked now would come after the query has been
   * given up, where there is nobody else.
   */
  protected isTooLateToAsk(now: Milliseconds): boolean {
    const [only, other] = this.order;
    if (other !== undefined || this.tries.length === 0 || !this.mayLaunch(now)) return false;
    return now + (only!.latency ?? 0) > this.startedAt + QUERY_TIMEOUT;
  }

  /**
   * The next one that is only silent. When all are down, health checks are taken to be at fault and any one is asked,
   * unless that is ruled out.
   */
  protected pickAny(): Proxy | undefined {
    const { order, settings } = this;
    for (let i = 0; i < order.length; i++) {
      const proxy = order[this.cursor++ % order.length]!;
      if (!proxy.down) return proxy;
    }
    if (!this.lastResort) {
      settings.metrics.broken.inc();
      this.tell('down', 'all upstreams are down by their health checks');
    }
    if (settings.options.failFast) return undefined;
    this.lastResort = true;
    return order[randomBelow(settings.random, order.length)];
  }

  /** The oldest attempt that is not late. */
  protected get oldest(): Try | undefined {
    return this.tries.find(({ late }) => !late);
  }

  /** An attempt has had its time. Over UDP its answer counts still where it comes before the query is given up. */
  protected timeOut(attempt: Try, now: Milliseconds): void {
    this.left(attempt, now, 'timeout');
    attempt.late = true;
    attempt.proxy.metrics.unanswered();
    attempt.proxy.suspect();
    if (!attempt.stream) return;
    this.lastError = attempt.transport?.timeout();
    this.timedOut = true;
    this.drop(attempt);
    attempt.abandon();
  }

  protected drop(attempt: Try): void {
    this.tries = this.tries.length === 1 ? NO_TRIES : this.tries.filter((other) => other !== attempt);
  }

  protected end(left: 'overtaken' | 'timeout'): void {
    this.settings.deadlines.clear(this);
    for (const attempt of this.tries) {
      if (!attempt.late) this.left(attempt, this.settings.clock.monotonic(), left);
      attempt.abandon();
    }
  }

  /** Tells of an attempt whose answer is not waited for any more. */
  private left(attempt: Try, now: Milliseconds, left: 'overtaken' | 'timeout'): void {
    const { query } = this.outstanding;
    if (this.settings.taps.length > 0) tap(this.settings, query, attempt, undefined);
    tellOf(attempt, query, now, left);
  }

  protected tell(reason: ReasonNote['reason'], text: string): void {
    this.outstanding.query.context.trail?.note({ kind: 'reason', plugin: 'forward', reason, text });
  }

  /** Another upstream was quicker: where nothing came from the first several times in a row, it is silent. */
  protected hedgeWon(winner: Proxy, now: Milliseconds): void {
    winner.metrics.hedgeWon();
    for (const attempt of this.tries) {
      const { proxy } = attempt;
      if (proxy === winner || !proxy.upstream.leavesUnanswered) continue;
      if (proxy.upstream.noteSilence(attempt, now)) proxy.suspect();
    }
  }

  protected schedule(): void {
    const { oldest } = this;
    const timeout = oldest === undefined ? Infinity : oldest.sentAt + this.readTimeout;
    const { askAgainAt, hedgeAt, goneAfter, startedAt } = this;
    const last = startedAt + Math.min(goneAfter, QUERY_TIMEOUT);
    this.settings.deadlines.set(this, Math.min(askAgainAt, hedgeAt, timeout, last));
  }
}
