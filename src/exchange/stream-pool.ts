import { randomBelow } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import type { Attempt } from './attempt.js';
import { MAX_IN_FLIGHT } from './in-flight.js';
import type { Peer } from './peer.js';
import { StreamLink, type StreamOwner } from './stream-link.js';
import type { TlsClient } from './tls.js';

/** Queries in flight on every connection before one more is opened. */
const PIPELINE = 32;
/** Connections to one upstream, apart from those that wait for their last replies. */
const MAX_LINKS = 8;
/** A connection is replaced after one to one and a half minutes: a balancer in between gets to choose again. */
const LIFETIME: Milliseconds = 60_000;
/** Late replies are waited for this long, and a connection on which nothing has come for as long is dead. */
const LINGER: Milliseconds = 5000;
/** Bounds of the time a connection may take to open. */
const MIN_CONNECT: Milliseconds = 1000;
const MAX_CONNECT: Milliseconds = 30_000;
/** Weight of one observation in the mean time to connect. */
const CONNECT_WEIGHT = 4;

/** The TCP or TLS connections to one upstream: few, long-lived, pipelined, evenly loaded. */
export class StreamPool implements StreamOwner {
  private links: StreamLink[] = [];
  private retiring: StreamLink[] = [];
  /** Mean time to connect, from half of the maximum downwards. */
  private connectTime: Milliseconds = MAX_CONNECT / 2;
  /** Chosen in this turn of the event loop: further queries join it, so that they leave in the same write. */
  private current: StreamLink | undefined;
  /**
   * Opened in this turn for queries of a connection that was closed: the other connections may be as dead as that
   * one.
   */
  private fresh: StreamLink | undefined;
  private readonly expireAt = new WeakMap<StreamLink, Milliseconds>();

  constructor(
    private readonly peer: Peer,
    private readonly tls: TlsClient | undefined,
  ) {}

  get size(): number {
    return this.links.length + this.retiring.length;
  }

  send(attempt: Attempt): void {
    const link = this.choose(attempt.sentAt);
    if (link === undefined) {
      this.peer.reuse.miss(this.protocol);
      this.open(attempt.sentAt).send(attempt);
    } else {
      this.peer.reuse.hit(this.protocol);
      link.send(attempt);
    }
  }

  resend(attempt: Attempt): void {
    attempt.resent = true;
    this.peer.reuse.miss(this.protocol);
    const now = this.peer.clock.monotonic();
    attempt.sentAt = now;
    if (this.fresh === undefined) {
      this.fresh = this.open(now);
      setImmediate(() => (this.fresh = undefined));
    }
    this.fresh.send(attempt);
  }

  ended(link: StreamLink): void {
    this.links = this.links.filter((other) => other !== link);
    this.retiring = this.retiring.filter((other) => other !== link);
    if (this.current === link) this.current = undefined;
  }

  /** Closes what was not used for long, what is old, and what is dead. */
  sweep(now: Milliseconds): void {
    for (const link of [...this.links, ...this.retiring]) {
      if (now - link.waitingSince >= LINGER) link.end(link.timeout());
      else link.dropAbandoned(now - LINGER);
    }
    for (const link of [...this.links]) if (this.isOver(link, now)) this.retire(link);
    const { maxIdle } = this.peer.limits;
    if (maxIdle > 0)
      for (const link of this.links.filter(({ inFlight }) => inFlight.size === 0).slice(maxIdle)) this.retire(link);
  }

  close(): void {
    for (const link of [...this.links, ...this.retiring]) link.close();
  }

  private get protocol(): 'tcp' | 'tcp-tls' {
    return this.tls === undefined ? 'tcp' : 'tcp-tls';
  }

  /** The connection with the fewest queries in flight; undefined when a new one should be opened. */
  private choose(now: Milliseconds): StreamLink | undefined {
    const { current } = this;
    if (current !== undefined && current.inFlight.size < MAX_IN_FLIGHT) return current;
    const patience = this.peer.roundTrip.patience;
    let best: StreamLink | undefined;
    let stalled: StreamLink | undefined;
    for (let i = this.links.length - 1; i >= 0; i--) {
      const link = this.links[i]!;
      if (this.isOver(link, now)) this.retire(link);
      else if (link.isStalled(now, patience)) stalled ??= link;
      else if (best === undefined || link.inFlight.size < best.inFlight.size) best = link;
    }
    const room = this.links.length < MAX_LINKS;
    if (best !== undefined && (best.inFlight.size < PIPELINE || !room) && best.inFlight.size < MAX_IN_FLIGHT)
      return this.stayWith(best);
    if (room) return undefined;
    // All are taken and none moves: one makes way, unless as many did so already, which then is how the upstream is.
    const last = (stalled ?? best)!;
    if (this.retiring.length >= MAX_LINKS && last.inFlight.size < MAX_IN_FLIGHT) return last;
    this.retire(last);
    return undefined;
  }

  private stayWith(link: StreamLink): StreamLink {
    if (this.current === undefined) setImmediate(() => (this.current = undefined));
    this.current = link;
    return link;
  }

  private isOver(link: StreamLink, now: Milliseconds): boolean {
    return (
      now >= this.expireAt.get(link)! || (link.inFlight.size === 0 && now - link.lastUsed >= this.peer.limits.expire)
    );
  }

  private open(now: Milliseconds): StreamLink {
    const link = new StreamLink(
      this.peer,
      this.tls,
      this,
      now,
      this.connectTimeout(),
      (took) => (this.connectTime += (took - this.connectTime) / CONNECT_WEIGHT),
    );
    this.expireAt.set(link, now + LIFETIME + randomBelow(this.peer.random, LIFETIME / 2));
    this.links.push(link);
    return link;
  }

  private retire(link: StreamLink): void {
    this.links = this.links.filter((other) => other !== link);
    if (this.current === link) this.current = undefined;
    this.retiring.push(link);
    link.retire();
  }

  /** Twice the mean time to connect, within the bounds. */
  private connectTimeout(): Milliseconds {
    return Math.min(MAX_CONNECT, Math.max(MIN_CONNECT, 2 * this.connectTime));
  }
}
