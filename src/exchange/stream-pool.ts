import { randomBelow } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import { Copy, type Attempt, type UpstreamTransport } from './attempt.js';
import { ConnectTime } from './connect-time.js';
import { dialTimeout } from './errors.js';
import { HoldUps } from './hold-ups.js';
import type { UpstreamState } from './upstream-state.js';
import { Pipelining } from './pipelining.js';
import { StreamConnection, type StreamOwner } from './stream-connection.js';
import type { TlsClient } from './tls.js';
import { WaitingQueries, isProven } from './waiting-queries.js';

/** Connections to one upstream, apart from those that wait for their last replies. */
const MAX_LINKS = 128;
/**
 * As many are enough for an upstream that works on several queries of a connection at once; once more as many to see
 * whether it still does.
 */
const LINKS_IN_ANY_ORDER = 8;
/** Connections that are being opened at once; as many as are open already, when those are more. */
const OPENING = 8;
/** Beyond as many, connections are opened only when those that wait would wait for longer than this. */
const QUEUE_TIME: Milliseconds = 2;
/** A connection is replaced after one to one and a half minutes: a balancer in between gets to choose again. */
const LIFETIME: Milliseconds = 60_000;
/** Late replies are waited for this long, and a connection on which nothing has come for as long is dead. */
const LINGER: Milliseconds = 5000;
/** A connection that was opened and not used yet is kept this long, whatever the limits say. */
const UNUSED: Milliseconds = 1000;

/**
 * The TCP or TLS connections to one upstream. All queries of a turn of the event loop are spread over them together:
 * one a connection, or as many as the upstream has shown to be right (`Pipelining`). A query waits here until a
 * connection is free or another one is open, whichever comes first.
 */
export class StreamPool implements StreamOwner, UpstreamTransport {
  readonly pipelining = new Pipelining();
  private readonly protocol: 'tcp' | 'tcp-tls';
  private links: StreamConnection[] = [];
  private opening: StreamConnection[] = [];
  private retiring: StreamConnection[] = [];
  private readonly waiting = new WaitingQueries();
  private dispatching = false;
  private closed = false;
  private readonly connectTime = new ConnectTime();
  private readonly expireAt = new WeakMap<StreamConnection, Milliseconds>();
  private readonly holdUps: HoldUps;

  constructor(
    private readonly peer: UpstreamState,
    private readonly tls: TlsClient | undefined,
  ) {
    this.protocol = tls === undefined ? 'tcp' : 'tcp-tls';
    this.holdUps = new HoldUps({
      clock: peer.clock,
      pipelining: this.pipelining,
      links: () => (this.retiring.length === 0 ? this.links : [...this.links, ...this.retiring]),
      patience: () => peer.roundTrip.patience,
      rescue: (held) => this.rescue(held),
    });
  }

  get size(): number {
    return this.links.length + this.opening.length + this.retiring.length;
  }

  /** Queries that wait for a connection. */
  get backlog(): number {
    return this.waiting.size;
  }

  send(attempt: Attempt): void {
    attempt.transport = this;
    this.waiting.fresh.attempts.push(attempt);
    this.dispatchSoon();
  }

  resend(attempt: Attempt): void {
    attempt.resent = true;
    attempt.transport = this;
    attempt.sentAt = this.peer.clock.monotonic();
    this.waiting.resend(attempt, attempt.sentAt);
    this.dispatchSoon();
  }

  /** Part of `Carrier` for queries that wait for a connection: they are passed over. */
  forget(attempt: Attempt): void {
    attempt.transport = undefined;
  }

  timeout(): Error {
    return dialTimeout(this.protocol, this.peer.to);
  }

  connected(link: StreamConnection, took: Milliseconds): void {
    this.connectTime.learn(took);
    this.opening = this.opening.filter((other) => other !== link);
    this.links.push(link);
    this.dispatchSoon();
  }

  answered(link: StreamConnection, attempt: Attempt, sinceLast: Milliseconds, late: boolean): void {
    if (late) this.pipelining.overtook();
    if (!(attempt instanceof Copy)) {
      const took = this.peer.lastHeard - attempt.takenAt;
      const alone = took > this.pipelining.slowAfter && this.isAlone(link, attempt);
      this.pipelining.answered({ took, sinceLast, queued: attempt.queued, alone });
    }
    if (link.replies === 1) this.holdUps.served();
    this.holdUps.answered(attempt);
    if (this.waiting.size > 0) this.dispatchSoon();
  }

  ended(link: StreamConnection, error: Error | undefined): void {
    const others = (list: StreamConnection[]): StreamConnection[] => list.filter((other) => other !== link);
    const wasOpening = this.opening.includes(link);
    this.links = others(this.links);
    this.opening = others(this.opening);
    this.retiring = others(this.retiring);
    if (!wasOpening || error === undefined) return;
    this.connectTime.learn(this.peer.clock.monotonic() - link.openedAt);
    if (this.links.length === 0 && this.opening.length === 0) this.failAll(error);
  }

  /** Closes what was not used for long, what is old, and what is dead. */
  sweep(now: Milliseconds): void {
    for (const link of [...this.links, ...this.retiring]) {
      if (now - link.waitingSince >= LINGER) link.end(link.timeout());
      // A server that answers in order may still be busy with it: the next query would wait for that.
      else if (link.dropAbandoned(now - LINGER) > 0 && !this.pipelining.anyOrder) this.retire(link);
    }
    for (const link of [...this.links]) if (this.isOver(link, now)) this.retire(link);
    const { maxIdle } = this.peer.limits;
    if (maxIdle > 0)
      for (const link of this.links.filter(({ inFlight }) => inFlight.size === 0).slice(maxIdle)) this.retire(link);
  }

  close(): void {
    this.closed = true;
    this.holdUps.close();
    this.waiting.clear();
    for (const link of [...this.links, ...this.opening, ...this.retiring]) link.close();
  }

  /** Whether a late answer is the only late one: others that were sent later came before it, or there are none. */
  private isAlone(link: StreamConnection, attempt: Attempt): boolean {
    return (
      this.holdUps.hasAnsweredSince(attempt.takenAt) ||
      this.links.every((other) => other === link || other.inFlight.size === 0)
    );
  }

  /**
   * The check phase follows the one in which sockets are read: all queries that came in meanwhile leave together.
   */
  private dispatchSoon(): void {
    if (this.dispatching) return;
    this.dispatching = true;
    setImmediate(() => this.dispatch());
  }

  private dispatch(): void {
    this.dispatching = false;
    if (this.closed) return;
    const now = this.peer.clock.monotonic();
    for (const link of [...this.links]) if (this.isOver(link, now)) this.retire(link);
    for (const list of this.waiting.lists)
      if (list.attempts.length > 0) list.attempts = this.assign(list.attempts, this.free(now, list.accepts), now);
    this.openMore(now);
  }

  /** Connections with room, those with the fewest queries first; of these the last used, so that others expire. */
  private free(now: Milliseconds, accepts: (link: StreamConnection) => boolean): StreamConnection[] {
    const { stalledAfter } = this.holdUps;
    return this.links
      .filter((link) => this.room(link) > 0 && !link.isStalled(now, stalledAfter) && accepts(link))
      .sort((one, other) => one.inFlight.size - other.inFlight.size || other.lastUsed - one.lastUsed);
  }

  /** Queries that it may take. A connection that never answered may not be served at all: others have to wait. */
  private room(link: StreamConnection): number {
    const { depth, anyOrder } = this.pipelining;
    return (link.replies > 0 || anyOrder ? depth : 1) - link.inFlight.size;
  }

  /** Hands queries to connections. Returns those that have to wait. */
  private assign(queue: Attempt[], free: readonly StreamConnection[], now: Milliseconds): Attempt[] {
    const awaited = queue.filter((attempt) => attempt.awaited && attempt.transport === this);
    let at = 0;
    for (const link of free) {
      if (at === awaited.length) break;
      const end = Math.min(awaited.length, at + this.room(link));
      for (; at < end; at++) this.give(awaited[at]!, link, now);
      link.flush();
    }
    if (at > 0) this.holdUps.sent();
    return at === 0 ? awaited : awaited.slice(at);
  }

  private give(attempt: Attempt, link: StreamConnection, now: Milliseconds): void {
    if (link.uses === 0) this.peer.reuse.miss(this.protocol);
    else this.peer.reuse.hit(this.protocol);
    link.send(attempt, now);
    const trial = attempt.copy === undefined && !(attempt instanceof Copy) ? this.holdUps.trial(now) : undefined;
    if (trial === undefined) return;
    trial.send(new Copy(attempt), now);
    trial.flush();
  }

  /** Opens connections for those that wait, and a spare one where slow answers take them. */
  private openMore(now: Milliseconds): void {
    const { links, waiting } = this;
    // One that takes long may have lost its first packets: others are opened beside it.
    const opening = this.opening.filter(({ openedAt }) => now - openedAt < this.peer.roundTrip.patience);
    const lacking = waiting.size;
    let wanted = lacking === 0 ? 0 : this.enough(lacking, now) - opening.length;
    if (waiting.resends.attempts.length > 0 && ![...links, ...opening].some((link) => waiting.isNew(link)))
      wanted = Math.max(wanted, 1);
    wanted = Math.max(wanted, waiting.rescues.attempts.length - opening.length);
    if (lacking === 0 && opening.length === 0 && this.needsSpare()) wanted = 1;
    wanted = Math.min(wanted, Math.max(OPENING, links.length) - opening.length);
    if (wanted <= 0 || (this.holdUps.servesNoMore(now) && links.some(isProven))) return;
    this.makeRoom(wanted, now);
    const most = this.pipelining.anyOrder ? 2 * LINKS_IN_ANY_ORDER : MAX_LINKS;
    wanted = Math.min(wanted, most - links.length - this.opening.length);
    for (; wanted > 0; wanted--) this.open(now);
  }

  /** Connections to open in all for `lacking` queries that none was free for. */
  private enough(lacking: number, now: Milliseconds): number {
    const { depth, usual } = this.pipelining;
    const each = Math.ceil(lacking / depth);
    const few = Math.max(0, OPENING - this.links.length);
    if (usual === 0 || each <= few) return Math.min(each, Math.max(few, 1));
    const { stalledAfter } = this.holdUps;
    const moving = this.links.filter((link) => !link.isStalled(now, stalledAfter)).length;
    return Math.max(few, Math.min(each, Math.ceil((each * usual) / QUEUE_TIME) - moving));
  }

  private needsSpare(): boolean {
    const { links, pipelining } = this;
    const { anyOrder, fullAt } = pipelining;
    if (links.length >= (anyOrder ? LINKS_IN_ANY_ORDER : MAX_LINKS)) return false;
    return (
      links.some(isProven) &&
      (anyOrder || this.holdUps.sawSlowAmongQuick) &&
      links.every(({ inFlight }) => inFlight.size >= fullAt)
    );
  }

  /** Gives up connections that do not open, and, when all are taken, those whose queries nobody waits for any more. */
  private makeRoom(wanted: number, now: Milliseconds): void {
    const most = Math.max(OPENING, this.links.length);
    for (const link of this.opening.slice(0, Math.max(0, this.opening.length + wanted - most))) link.end();
    if (this.links.length + this.opening.length < MAX_LINKS) return;
    const { stalledAfter } = this.holdUps;
    for (const link of [...this.links]) if (link.isStalled(now, stalledAfter) && !link.isAwaited) link.end();
  }

  /** Sends copies of queries that are held up, before all others. */
  private rescue(held: readonly Attempt[]): void {
    for (const attempt of held) {
      const link = this.links.find((other) => other === attempt.transport);
      const copy = new Copy(attempt);
      copy.transport = this;
      (link?.replies === 0 ? this.waiting.stranded : this.waiting.rescues).attempts.push(copy);
    }
    this.dispatch();
  }

  private isOver(link: StreamConnection, now: Milliseconds): boolean {
    const { expire } = this.peer.limits;
    const idle = link.uses === 0 ? Math.max(expire, UNUSED) : expire;
    return now >= this.expireAt.get(link)! || (link.inFlight.size === 0 && now - link.lastUsed >= idle);
  }

  private open(now: Milliseconds): void {
    const link = new StreamConnection(this.peer, this.tls, this, now);
    this.expireAt.set(link, now + this.peer.lifetime(LIFETIME + randomBelow(this.peer.random, LIFETIME / 2)));
    this.opening.push(link);
    link.connect(this.connectTime.limit);
  }

  private retire(link: StreamConnection): void {
    this.links = this.links.filter((other) => other !== link);
    this.retiring.push(link);
    link.retire();
  }

  private failAll(error: Error): void {
    for (const attempt of this.waiting.clear()) {
      if (attempt.transport !== this) continue;
      attempt.transport = undefined;
      attempt.receiver?.failed(attempt, error);
    }
  }
}
