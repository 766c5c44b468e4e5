import type { Clock, Timer } from '../lib/clock.js';
import type { Random } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import type { Destination, Network } from '../net/network.js';
import type { Attempt } from './attempt.js';
import { UpstreamState, type PoolLimits, type ReuseCounters } from './upstream-state.js';
import type { Pipelining } from './pipelining.js';
import { Cookies } from './cookies.js';
import { MixedCase } from './mixed-case.js';
import { HttpsPool, type HttpsSettings } from './https-pool.js';
import type { ExchangeStats } from './stats.js';
import { StreamPool } from './stream-pool.js';
import type { TlsClient } from './tls.js';
import { UdpPool } from './udp-pool.js';

/** First pause before a silent upstream gets a query again, and the longest one. */
const FIRST_PAUSE: Milliseconds = 500;
const LONGEST_PAUSE: Milliseconds = 10_000;
/** Unanswered messages in a row after which an upstream may be taken for gone, where it answers else. */
const FEWEST_UNANSWERED = 3;
/** Different questions that an upstream does not take long for, all of a sudden, all at once. */
const ALL_AT_ONCE = 3;
/** One that was not heard of for this long before a question came need not be there any more. */
const QUIET: Milliseconds = 1000;
/** One that takes longer than this as a rule is known to be slow. */
const SLOW: Milliseconds = 300;
/** What answers after this long may as well not have. */
const SLOWEST: Milliseconds = 2000;
/** A longer row was no bad way but a time away. */
const LONGEST_ROW = 8;
const ROW_DECAY = 0.9;
/** How often unused sockets, and attempts that were given up, are looked for at most. */
const SHORTEST_SWEEP: Milliseconds = 1000;

export interface UpstreamParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly to: Destination;
  readonly limits: PoolLimits;
  readonly reuse: ReuseCounters;
  /** Given for DNS over TLS; everything then goes over it. */
  readonly tls?: TlsClient | undefined;
  /** Given with `tls` for DNS over HTTPS. */
  readonly https?: HttpsSettings | undefined;
  /** Whether names are asked in a case that is drawn for each query over UDP. */
  readonly mixedCase?: boolean;
  /** Whether queries over UDP carry cookies. */
  readonly cookies?: boolean;
}

/** One server that questions are sent to: its sockets, its connections, and what its traffic tells about it. */
export class Upstream {
  private readonly peer: UpstreamState;
  private readonly udp: UdpPool;
  private readonly streams: Pick<StreamPool, 'pipelining' | 'backlog' | 'send' | 'sweep' | 'close' | 'size'>;
  private readonly clock: Clock;
  private readonly secure: boolean;
  private sweeper: Timer | undefined;
  private pause: Milliseconds = FIRST_PAUSE;
  /** Since when queries go unanswered; -Infinity while it answers. */
  private silentSince: Milliseconds = -Infinity;
  private retryAt: Milliseconds = -Infinity;
  /** Messages sent since it was last heard of, and when that was. */
  private unanswered = 0;
  /** Questions among those, each sent once or more. */
  private questions = 0;
  private rowSince: Milliseconds = 0;
  private heardAt: Milliseconds = -Infinity;
  /** The longest such row that it came back from, forgotten by and by: on a bad way it takes more to call it gone. */
  private longestRow = 0;

  constructor(parts: UpstreamParts) {
    this.clock = parts.clock;
    this.secure = parts.tls !== undefined;
    const { network, clock, random, to, limits, reuse } = parts;
    const mixedCase = parts.mixedCase === true ? new MixedCase(random) : undefined;
    const cookies = parts.cookies === true ? new Cookies(random) : undefined;
    this.peer = new UpstreamState(network, clock, random, to, limits, reuse, mixedCase, cookies);
    this.udp = new UdpPool(this.peer);
    this.streams =
      parts.https && parts.tls
        ? new HttpsPool(this.peer, parts.tls, parts.https)
        : new StreamPool(this.peer, parts.tls);
  }

  get stats(): Readonly<ExchangeStats> {
    return this.peer.stats;
  }

  /** What it has shown about several queries on one connection. */
  get pipelining(): Readonly<Pipelining> {
    return this.streams.pipelining;
  }

  /** Queries that wait for a connection to it. */
  get backlog(): number {
    return this.streams.backlog;
  }

  /** Monotonic time of the last message from it. */
  get lastHeard(): Milliseconds {
    return this.peer.lastHeard;
  }

  /** How long to wait before another upstream, or this one again, is asked too. */
  get patience(): Milliseconds {
    return this.peer.roundTrip.patience;
  }

  /** When a second query is worth its cost, in milliseconds after the first; Infinity while that is not known. */
  get hedgeAfter(): Milliseconds {
    return this.peer.roundTrip.hedgeAfter;
  }

  /** How long a reply takes on average; undefined before the first. */
  get latency(): Milliseconds | undefined {
    return this.peer.roundTrip.mean;
  }

  /** What 95 of 100 replies take at most; undefined while there are too few to tell. */
  get slowest(): Milliseconds | undefined {
    return this.peer.roundTrip.slowest;
  }

  /** Whether it has left several messages in a row unanswered so far. */
  get leavesUnanswered(): boolean {
    return this.rowNow() >= FEWEST_UNANSWERED + Math.round(this.longestRow);
  }

  /**
   * Whether nothing was heard of it since `since` although enough was sent: three messages, and two more for each that
   * it left unanswered in a row before it answered again. One that has answered before may be slow: it is given 2 s,
   * unless what it answers at once went unanswered too.
   *
   * @param checked see `HealthCheck.finding`
   * @param unhurried whether one that has answered a moment ago is waited for nevertheless
   */
  isGone(
    since: Milliseconds,
    now: Milliseconds,
    checked: 'nothing' | 'unanswered' | 'gone',
    unhurried = false,
  ): boolean {
    if (this.lastHeard >= since || this.rowNow() < FEWEST_UNANSWERED + 2 * Math.round(this.longestRow)) return false;
    if (checked === 'gone' || this.lastHeard === -Infinity || now - this.rowSince >= SLOWEST) return true;
    if (checked !== 'unanswered') return false;
    // What is slow to answer one question is not slow for all of them.
    if (this.questions >= ALL_AT_ONCE) return true;
    return (this.latency ?? 0) < SLOW && (!unhurried || since - this.lastHeard >= QUIET);
  }

  /**
   * Sends the attempt's message and tells its receiver what comes of it, never before this call returned. Deadlines
   * are the receiver's.
   */
  send(attempt: Attempt, transport: 'udp' | 'tcp', now: Milliseconds): void {
    attempt.sentAt = now;
    this.unanswered = this.rowNow() + 1;
    if (this.unanswered === 1) this.rowSince = now;
    if (!attempt.repeats) this.questions++;
    if (this.secure || transport === 'tcp') this.streams.send(attempt);
    else this.udp.send(attempt);
    this.sweeper ??= this.sweepLater();
  }

  /**
   * Says that `attempt` has waited longer than it should. When nothing at all was heard since it was sent, the
   * upstream counts as silent
   * from then on, until something is heard. Returns whether it is silent.
   */
  noteSilence(attempt: Attempt, now: Milliseconds): boolean {
    if (this.peer.lastHeard >= attempt.sentAt) return false;
    if (!this.isSilent) {
      this.pause = FIRST_PAUSE;
      this.retryAt = now + this.pause;
    }
    this.silentSince = now;
    return true;
  }

  /** How long its replies took, see `RoundTrip.state`. */
  get roundTrip(): readonly number[] {
    return this.peer.roundTrip.state;
  }

  /** Goes on with what another process has seen of it; a query tries at once whether it is silent still. */
  goOn(roundTrip: readonly number[], silent: boolean, now: Milliseconds): void {
    this.peer.roundTrip.goOn(roundTrip);
    if (silent) this.silentSince = now;
  }

  /** Whether it left a query unanswered and was not heard since. */
  get isSilent(): boolean {
    return this.silentSince > this.peer.lastHeard;
  }

  /**
   * Whether a query may be entrusted to it: it answers, or it is time for a query to try whether it does again. True
   * is then given to one
   * caller, the others wait for the next time.
   */
  admits(now: Milliseconds): boolean {
    if (!this.isSilent) return true;
    if (now < this.retryAt) return false;
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    this.retryAt = now + this.pause;
    return true;
  }

  /** Something else, such as a health check, heard of it. */
  heard(now: Milliseconds): void {
    this.peer.lastHeard = Math.max(now, this.peer.lastHeard);
  }

  /** Closes all sockets and connections. What is in flight ends without an outcome. */
  close(): void {
    this.sweeper?.cancel();
    this.sweeper = undefined;
    this.udp.close();
    this.streams.close();
  }

  /** Counts anew when something was heard since the last look. */
  private rowNow(): number {
    if (this.lastHeard === this.heardAt) return this.unanswered;
    this.longestRow = Math.min(LONGEST_ROW, Math.max(this.unanswered - 1, this.longestRow * ROW_DECAY));
    this.heardAt = this.lastHeard;
    this.questions = 0;
    return (this.unanswered = 0);
  }

  private sweepLater(): Timer {
    return this.clock.setTimeout(
      () => {
        this.sweeper = undefined;
        const now = this.clock.monotonic();
        this.udp.sweep(now);
        this.streams.sweep(now);
        if (this.udp.size + this.streams.size > 0) this.sweeper = this.sweepLater();
      },
      // What was given up is kept until its reply is late beyond all measure: with a slow upstream that is much.
      this.udp.isBusy ? SHORTEST_SWEEP : Math.max(SHORTEST_SWEEP, this.peer.limits.expire),
    );
  }
}
