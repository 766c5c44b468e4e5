import { Reply, type Next, type Outcome } from '../../chain/index.js';
import {
  Attempt,
  Deadline,
  ForgerySuspected,
  isCutShort,
  type Deadlines,
  type AttemptListener,
} from '../../exchange/index.js';
import type { Clock } from '../../lib/clock.js';
import { randomBelow, type Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import { Flag, NO_RECORDS, RCODE_MASK, Rcode, expandReply, type EncodedReply } from '../../wire/index.js';
import type { OutstandingQuery } from './outstanding.js';
import type { ForwardMetrics } from './metrics.js';
import type { ForwardOptions } from './options.js';
import type { UpstreamPolicy } from './policy.js';
import type { Proxy } from './proxy.js';

/** A query is given up after this long. */
export const QUERY_TIMEOUT: Milliseconds = 5000;
/** One attempt is given up after this long. */
const READ_TIMEOUT: Milliseconds = 2000;
/** An upstream that was heard of so lately is not taken for gone because of an ICMP message. */
const RECENT: Milliseconds = 5000;
/** Pause after every upstream has reported an error, doubled each time. */
const FIRST_PAUSE: Milliseconds = 100;
const LONGEST_PAUSE: Milliseconds = 1000;

/** What all look-ups of one directive share. */
export interface LookupSettings {
  readonly options: ForwardOptions;
  readonly proxies: readonly Proxy[];
  readonly policy: UpstreamPolicy;
  readonly metrics: ForwardMetrics;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether the next handler is a forward too: only then option `next` hands a query on. */
  readonly hasNextForward: boolean;
}

/** The tries of a look-up that has none: most have one at a time, and a list that grows takes room for many. */
const NONE: readonly Try[] = [];

/** What a look-up asks, and who is told. */
export type LookedUp = Pick<OutstandingQuery, 'query' | 'message' | 'apart' | 'settle'>;

class Try extends Attempt {
  /** The system said that nobody answers there. */
  doubted = false;

  constructor(
    readonly proxy: Proxy,
    readonly stream: boolean,
    { message, query }: LookedUp,
    lookup: UpstreamLookup,
  ) {
    super(message, query.questionEnd, lookup);
  }
}

/**
 * One query on its way to the upstreams: whom to ask first, whom to ask too when no answer comes, and what to say in
 * the end. The first good reply
 * wins. Whatever is due next, it has one deadline in the wheel.
 */
export class UpstreamLookup extends Deadline implements AttemptListener {
  private readonly order: readonly Proxy[];
  private cursor = 0;
  /** Under way, oldest first. */
  private tries: readonly Try[] = NONE;
  private launched = 0;
  private failedInRound = 0;
  private doubts = 0;
  private failedOver = 0;
  private pause: Milliseconds = FIRST_PAUSE;
  /** When to ask once more although nothing has failed. */
  private askAgainAt: Milliseconds = Infinity;
  private readonly startedAt: Milliseconds;
  private readonly endAt: Milliseconds;
  private forcesTcp: boolean;
  /** All upstreams are down and one was asked nevertheless: what it says stands. */
  private lastResort = false;
  private lastError: Error | undefined;
  private lastReply: Reply | undefined;
  private mismatch = false;

  /** @param outstanding settles once */
  constructor(
    private readonly settings: LookupSettings,
    private readonly outstanding: LookedUp,
    private readonly next: Next,
  ) {
    super();
    this.order = settings.policy(settings.proxies);
    this.startedAt = settings.clock.monotonic();
    this.endAt = this.startedAt + QUERY_TIMEOUT;
    // Two messages in outstanding for one question are two chances for a forger, who needs one (RFC 5452 section 5).
    this.forcesTcp = settings.options.forceTcp || outstanding.apart;
  }

  /** Asks the first upstream. The outstanding never settles before this returned unless there is nobody to ask. */
  start(): void {
    this.launch(this.startedAt);
  }

  override due(now: Milliseconds): void {
    for (const attempt of this.tries.filter(({ sentAt }) => now - sentAt >= READ_TIMEOUT)) {
      this.lastError = attempt.transport?.timeout();
      attempt.proxy.suspect();
      this.drop(attempt);
      attempt.abandon();
    }
    if (now >= this.endAt) return this.giveUp();
    if (now < this.askAgainAt && this.tries.length > 0) return this.schedule();
    for (const attempt of this.tries) if (attempt.proxy.upstream.noteSilence(attempt, now)) attempt.proxy.suspect();
    if (this.lastResort) this.waitOrGiveUp();
    else this.launch(now);
  }

  replied(attempt: Try, bytes: Buffer, records: number): boolean {
    const { options, hasNextForward } = this.settings;
    const { proxy } = attempt;
    const reply = this.expand(attempt, bytes, records);
    if (reply === undefined) return false;
    const now = proxy.upstream.lastHeard;
    proxy.metrics.replied(reply.rcode, (now - attempt.sentAt) / 1000);
    this.drop(attempt);
    if (options.preferUdp && !attempt.stream && (reply.flags & Flag.TC) !== 0) {
      this.ask(proxy, 'tcp', now, false);
      return true;
    }
    const made = Reply.ofRecords(reply.flags, reply.rcode, reply.records, undefined, reply.edns);
    if (options.failoverRcodes.has(reply.rcode) && ++this.failedOver < this.order.length && !this.lastResort) {
      this.lastReply = made;
      this.launch(now);
      return true;
    }
    this.finish(hasNextForward && options.nextRcodes.has(reply.rcode) ? this.askNext() : made);
    return true;
  }

  mismatched(): void {
    this.mismatch = true;
  }

  doubted(attempt: Try, error: Error): void {
    this.lastError = error;
    const now = this.settings.clock.monotonic();
    if (attempt.proxy.upstream.lastHeard < now - RECENT) {
      // Nothing speaks against it.
      attempt.cancel();
      return this.failed(attempt, error);
    }
    if (attempt.doubted) return;
    attempt.doubted = true;
    attempt.proxy.suspect();
    if (this.lastResort || !this.mayLaunch(now)) return;
    // From another port; what was sent may be answered still.
    if (++this.doubts <= this.order.length) this.launch(now);
  }

  failed(attempt: Try, error: Error): void {
    this.lastError = error;
    attempt.proxy.suspect();
    this.drop(attempt);
    if (error instanceof ForgerySuspected) return this.askSafely(attempt.proxy);
    // TCP was safer, but not every upstream has it.
    if (attempt.stream) this.forcesTcp = this.settings.options.forceTcp;
    const now = this.settings.clock.monotonic();
    if (this.lastResort || !this.mayLaunch(now)) this.waitOrGiveUp();
    else if (++this.failedInRound < this.order.length) this.launch(now);
    else {
      this.failedInRound = 0;
      this.askAgainAt = now + this.pause;
      this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
      this.schedule();
    }
  }

  /** Over TCP, where nobody can answer who does not see what was sent (RFC 5452 section 9.1 on ports and ids). */
  private askSafely(proxy: Proxy): void {
    this.forcesTcp = true;
    this.ask(proxy, 'tcp', this.settings.clock.monotonic(), false);
  }

  private mayLaunch(now: Milliseconds): boolean {
    const { maxAttempts } = this.settings.options;
    if (this.outstanding.query.context.over(now)) return false;
    return maxAttempts === 0 || this.launched < maxAttempts;
  }

  private launch(now: Milliseconds): void {
    if (!this.mayLaunch(now)) return this.waitOrGiveUp();
    const silent = this.pickAdmitted(now);
    const proxy = silent ?? this.pickAny();
    if (proxy === undefined) return this.waitOrGiveUp();
    const overUdp = this.settings.options.preferUdp || this.outstanding.query.transport === 'udp';
    this.ask(
      proxy,
      overUdp && !this.forcesTcp ? 'udp' : 'tcp',
      now,
      silent?.upstream.isSilent === true && this.order.length > 1,
    );
  }

  /**
   * @param onTrial the upstream was silent: another one is asked with it, so that the client does not pay for the
   * trial
   */
  private ask(proxy: Proxy, transport: 'udp' | 'tcp', now: Milliseconds, onTrial: boolean): void {
    const attempt = new Try(proxy, transport === 'tcp' || proxy.secure, this.outstanding, this);
    attempt.apartFrom = this.tries.find((other) => other.proxy === proxy && !other.stream);
    this.tries = this.tries.length === 0 ? [attempt] : [...this.tries, attempt];
    this.outstanding.query.context.metadata?.set('forward/upstream', proxy.address);
    proxy.upstream.send(attempt, transport, now);
    const patience = Math.min(proxy.upstream.patience * 2 ** this.launched++, READ_TIMEOUT);
    this.askAgainAt = this.lastResort ? Infinity : onTrial ? now : now + patience;
    this.schedule();
  }

  /** The next upstream in order that is neither down nor silent. */
  private pickAdmitted(now: Milliseconds): Proxy | undefined {
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
   * The next one that is only silent. When all are down, health checks are taken to be at fault and any one is asked,
   * unless that is ruled out.
   */
  private pickAny(): Proxy | undefined {
    const { order, settings } = this;
    for (let i = 0; i < order.length; i++) {
      const proxy = order[this.cursor++ % order.length]!;
      if (!proxy.down) return proxy;
    }
    settings.metrics.broken.inc();
    if (settings.options.failFast) return undefined;
    this.lastResort = true;
    return order[randomBelow(settings.random, order.length)];
  }

  /** Takes a reply apart; undefined when it makes no sense and something better may come. */
  private expand(attempt: Try, bytes: Buffer, records: number): EncodedReply | undefined {
    try {
      return expandReply(bytes, records);
    } catch (error) {
      if (attempt.stream) {
        // Nothing else comes under this id.
        attempt.cancel();
        this.failed(attempt, error as Error);
        return undefined;
      }
      const word = (bytes[2]! << 8) | bytes[3]!;
      // Cut to size on its way, as some middleboxes do: the client is sent to TCP.
      if ((word & Flag.TC) === 0 && !isCutShort(bytes, records)) return undefined;
      return { flags: (word & ~RCODE_MASK) | Flag.TC, rcode: word & RCODE_MASK, records: NO_RECORDS, edns: undefined };
    }
  }

  private drop(attempt: Try): void {
    this.tries = this.tries.length === 1 ? NONE : this.tries.filter((other) => other !== attempt);
  }

  private schedule(): void {
    const oldest = this.tries[0];
    const timeout = oldest === undefined ? Infinity : oldest.sentAt + READ_TIMEOUT;
    this.settings.deadlines.set(this, Math.min(this.askAgainAt, timeout, this.endAt));
  }

  /**
   * A fault of a later handler belongs to whoever waits for this query, not to the socket that the reply came in at.
   */
  private askNext(): Outcome | Promise<Outcome> {
    try {
      return this.next(this.outstanding.query);
    } catch (fault) {
      return Promise.reject(fault instanceof Error ? fault : new Error(String(fault)));
    }
  }

  private waitOrGiveUp(): void {
    this.askAgainAt = Infinity;
    if (this.tries.length > 0) this.schedule();
    else this.giveUp();
  }

  private giveUp(): void {
    if (this.lastReply !== undefined) this.finish(this.lastReply);
    else if (this.mismatch) this.finish(Reply.empty(Rcode.FORMERR));
    else
      this.finish(
        Reply.failure(
          Rcode.SERVFAIL,
          this.tries.find(({ doubted }) => !doubted)?.transport?.timeout() ??
            this.lastError ??
            new Error('no healthy proxies'),
        ),
      );
  }

  private finish(outcome: Outcome | Promise<Outcome>): void {
    this.settings.deadlines.clear(this);
    for (const attempt of this.tries) attempt.abandon();
    this.outstanding.settle(outcome);
  }
}
