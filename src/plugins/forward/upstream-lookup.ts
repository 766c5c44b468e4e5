import { DROP, Reply, type Next, type Outcome } from '../../chain/index.js';
import { ForgerySuspected, type AttemptListener } from '../../exchange/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { Flag, Rcode, type EncodedReply, ExtendedErrorCode, explained } from '../../wire/index.js';
import { failureReply } from './failures.js';
import { LookupAttempts, QUERY_TIMEOUT } from './lookup-attempts.js';
import { LateAnswer } from './late-answer.js';
import type { LookupSettings } from './lookup-settings.js';
import type { Asker } from './outstanding.js';
import type { Proxy } from './proxy.js';
import { tap } from './tap.js';
import { Try, expandOrTruncate, tellOf, type LookedUp } from './try.js';

/** An upstream that was heard of so lately is not taken for gone because of an ICMP message. */
const RECENT: Milliseconds = 5000;
/** Pause after every upstream has reported an error, doubled each time. */
const FIRST_PAUSE: Milliseconds = 100;
const LONGEST_PAUSE: Milliseconds = 1000;
/** Where one that has answered before may be slow, that is looked at anew after this time. */
const GONE_AGAIN: Milliseconds = 50;
/** Longest wait before a question is sent once more. */
const LONGEST_WAIT: Milliseconds = 1000;
/** Queries that may wait for a connection because replies were forged. */
const MOST_QUEUED = 32;
/**
 * One query on its way to the upstreams: whom to ask first, whom to ask too when no answer comes, and what to say in
 * the end. The first good reply wins. Whatever is due next, it has one deadline in the wheel.
 */
export class UpstreamLookup extends LookupAttempts implements AttemptListener, Asker {
  private failedInRound = 0;
  private doubts = 0;
  private failedOver = 0;
  private pause: Milliseconds = FIRST_PAUSE;
  private forcesTcp: boolean;
  /** Replies to it were forged once. */
  private movedPort = false;
  private lastReply: Reply | undefined;
  private mismatch = false;

  /** @param outstanding settles once */
  constructor(
    settings: LookupSettings,
    outstanding: LookedUp,
    private readonly next: Next,
  ) {
    super(settings, outstanding);
    settings.hedges.earn();
    // Two messages in outstanding for one question are two chances for a forger, who needs one (RFC 5452 section 5).
    this.forcesTcp = settings.options.forceTcp || outstanding.apart;
    outstanding.asker = this;
  }

  /** Asks the first upstream. The outstanding never settles before this returned unless there is nobody to ask. */
  start(): void {
    this.launch(this.startedAt);
  }

  override due(now: Milliseconds): void {
    for (const attempt of this.tries)
      if (now - attempt.sentAt >= this.readTimeout && !attempt.late) this.timeOut(attempt, now);
    if (now >= this.startedAt + QUERY_TIMEOUT) return this.giveUp();
    if (now >= this.startedAt + this.goneAfter && this.isHopeless(now)) return;
    if (now >= this.hedgeAt && now < this.askAgainAt) return this.hedge(now);
    if (this.isTooLateToAsk(now)) this.askAgainAt = Infinity;
    else if (now >= this.askAgainAt || this.oldest === undefined) return this.askAnother(now);
    this.schedule();
  }

  private askAnother(now: Milliseconds): void {
    for (const attempt of this.tries) if (attempt.proxy.upstream.noteSilence(attempt, now)) attempt.proxy.suspect();
    this.launch(now);
  }

  replied(attempt: Try, bytes: Buffer, records: number): boolean {
    const { options, hasNextForward } = this.settings;
    const { proxy } = attempt;
    const reply = this.expand(attempt, bytes, records);
    if (reply === undefined) return false;
    const now = proxy.upstream.lastHeard;
    proxy.metrics.replied(reply.rcode, (now - attempt.sentAt) / 1000);
    if (this.settings.taps.length > 0) tap(this.settings, this.outstanding.query, attempt, bytes);
    tellOf(attempt, this.outstanding.query, now, reply.rcode);
    this.drop(attempt);
    if (attempt.hedged) this.hedgeWon(proxy, now);
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
    const asksOn =
      options.nextRcodes.has(reply.rcode) ||
      (options.nextOnNodata && reply.rcode === Rcode.NOERROR && reply.records.answers === 0);
    this.finish(hasNextForward && asksOn ? this.askNext() : made);
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
    tellOf(attempt, this.outstanding.query, this.settings.clock.monotonic(), error);
    this.drop(attempt);
    if (error instanceof ForgerySuspected) return this.askSafely(attempt.proxy);
    // TCP was safer, but not every upstream has it.
    if (attempt.stream) this.forcesTcp = this.settings.options.forceTcp;
    const now = this.settings.clock.monotonic();
    // Down by its health checks, and the last word on it.
    if (this.lastResort || !this.mayLaunch(now)) return this.waitOrGiveUp();
    attempt.proxy.upstream.noteSilence(attempt, now);
    if (++this.failedInRound < this.order.length) this.launch(now);
    else {
      this.failedInRound = 0;
      this.askAgainAt = now + this.pause;
      this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
      this.schedule();
    }
  }

  /**
   * Over TCP, where nobody can answer who does not see what was sent (RFC 5452 section 9.1 on ports and ids). Who forges
   * must not bring about that all wait there: the rest goes from ports that nobody knows yet, once.
   */
  private askSafely(proxy: Proxy): void {
    const movesPort = !this.movedPort && proxy.upstream.backlog >= MOST_QUEUED;
    this.movedPort = true;
    this.forcesTcp = !movesPort;
    this.ask(proxy, movesPort ? 'udp' : 'tcp', this.settings.clock.monotonic(), false);
  }

  private launch(now: Milliseconds): void {
    if (!this.mayLaunch(now)) return this.waitOrGiveUp();
    const silent = this.pickAdmitted(now);
    const proxy = silent ?? this.pickAny();
    if (proxy === undefined) return this.waitOrGiveUp();
    this.ask(proxy, this.transport, now, silent?.upstream.isSilent === true && this.order.length > 1);
  }

  private get transport(): 'udp' | 'tcp' {
    const overUdp = this.settings.options.preferUdp || this.outstanding.query.transport === 'udp';
    return overUdp && !this.forcesTcp ? 'udp' : 'tcp';
  }

  /**
   * @param onTrial the upstream was silent: another one is asked with it, so that the client does not pay for the
   * trial
   */
  private ask(proxy: Proxy, transport: 'udp' | 'tcp', now: Milliseconds, onTrial: boolean): void {
    const attempt = new Try(proxy, transport === 'tcp' || proxy.secure, this.outstanding, this);
    attempt.repeats = this.launched > 0;
    // Most queries have one attempt: nothing is made for the others.
    if (this.tries.length === 0) this.tries = [attempt];
    else {
      attempt.apartFrom = this.tries.find((other) => other.proxy === proxy && !other.stream);
      this.tries = [...this.tries, attempt];
    }
    const { context } = this.outstanding.query;
    context.askedUpstream();
    context.metadata?.set('forward/upstream', proxy.address);
    proxy.upstream.send(attempt, transport, now);
    const { patience, hedgeAfter, latency = 0 } = proxy.upstream;
    // A datagram's second comes after the time that the first one had, each later one after twice as long. What a
    // connection loses it sends again by itself.
    const { patient } = this.outstanding;
    const longest = attempt.stream || patient ? this.readTimeout : Math.min(LONGEST_WAIT, this.readTimeout);
    const usual = Math.min(patience * 2 ** (attempt.stream ? this.launched : Math.max(0, this.launched - 1)), longest);
    this.launched++;
    // Where there is nobody else, more of the same makes nobody quicker.
    const wait = patient ? longest : Math.max(usual, this.order.length === 1 ? Math.min(latency, this.readTimeout) : 0);
    this.askAgainAt = onTrial ? now : now + wait;
    const hedges = !patient && this.launched === 1 && hedgeAfter < wait && (!attempt.stream || this.order.length > 1);
    this.hedgeAt = hedges ? now + hedgeAfter : Infinity;
    this.schedule();
  }

  /** Nobody gets what comes, and nobody is told that it failed. */
  abandon(): void {
    this.finish(DROP);
  }

  /** Somebody waits for it now. */
  hurry(): void {
    const [first] = this.tries;
    if (first === undefined || this.askAgainAt === Infinity) return;
    this.askAgainAt = Math.min(this.askAgainAt, first.sentAt + first.proxy.upstream.patience);
    this.schedule();
  }

  /** Asks a second time before the first is late: whichever answers first. Nothing is held against the first one. */
  private hedge(now: Milliseconds): void {
    this.hedgeAt = Infinity;
    const { askAgainAt } = this;
    const proxy = this.mayLaunch(now) && this.settings.hedges.take() ? this.pickAdmitted(now) : undefined;
    if (proxy === undefined) return this.schedule();
    proxy.metrics.hedged();
    this.ask(proxy, this.transport, now, false);
    this.tries.at(-1)!.hedged = true;
    this.launched--;
    this.askAgainAt = askAgainAt;
    this.schedule();
  }

  /** Gives up where no upstream shows a sign of life; what comes all the same is for those who ask again. */
  private isHopeless(now: Milliseconds): boolean {
    this.goneAfter = Math.ceil(now - this.startedAt) + GONE_AGAIN;
    // A Corefile that says itself how long a query may take says, too, that what is under way is waited for.
    const unhurried = this.outstanding.query.context.timeLeft(now) < Infinity;
    if (!this.order.every((proxy) => proxy.isGone(this.startedAt, now, unhurried))) return false;
    for (const attempt of this.tries) if (attempt.proxy.upstream.noteSilence(attempt, now)) attempt.proxy.suspect();
    this.settings.metrics.unreachable.inc();
    this.tell('silent', `given up after ${Math.round(now - this.startedAt)} ms: no upstream shows a sign of life`);
    const { tries } = this;
    this.giveUp();
    LateAnswer.waitFor(this.settings, this.outstanding, tries, this.startedAt + QUERY_TIMEOUT);
    return true;
  }

  /** Takes a reply apart; undefined when it makes no sense and something better may come. */
  private expand(attempt: Try, bytes: Buffer, records: number): EncodedReply | undefined {
    try {
      return expandOrTruncate(bytes, records, attempt.stream);
    } catch (error) {
      // Nothing else comes under this id.
      if (attempt.stream) {
        attempt.cancel();
        this.failed(attempt, error as Error);
      }
      return undefined;
    }
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
    if (this.oldest === undefined) this.giveUp();
    else this.schedule();
  }

  private giveUp(): void {
    if (this.lastReply !== undefined) return this.finish(this.lastReply, 'timeout');
    if (this.mismatch) return this.finish(MISMATCH, 'timeout');
    const timeout = this.tries.find(({ doubted, late }) => !doubted || late)?.transport?.timeout();
    const failure = {
      cause: timeout ?? this.lastError ?? new Error('no healthy proxies'),
      reported: timeout === undefined && this.lastError !== undefined && !this.timedOut,
      gone: this.order.every((proxy) => proxy.upstream.lastHeard < this.startedAt),
    };
    // Time that was cut short by *cancel* or *timeouts* says nothing about the question.
    if (this.outstanding.query.context.over(this.settings.clock.monotonic()))
      return this.finish(failureReply(failure), 'timeout');
    this.end('timeout');
    this.outstanding.fail(failure);
  }

  /** @param left what becomes of attempts that are under way still */
  private finish(outcome: Outcome | Promise<Outcome>, left: 'overtaken' | 'timeout' = 'overtaken'): void {
    this.end(left);
    this.outstanding.settle(outcome);
  }
}

const MISMATCH = Reply.empty(Rcode.FORMERR).withEdns(
  explained(ExtendedErrorCode.InvalidData, 'the upstream answered another question'),
);
