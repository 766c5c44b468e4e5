import { randomBelow } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import type { Attempt, UpstreamTransport } from './attempt.js';
import { dialError, dialTimeout } from './errors.js';
import { MAX_IN_FLIGHT } from './outstanding-ids.js';
import type { UpstreamState } from './upstream-state.js';
import { UpstreamSocket, type UdpOwner } from './upstream-socket.js';

/**
 * Open ports, of which one is drawn at random for the queries of each turn of the event loop. More would leave less
 * for each wake-up.
 */
const SOCKETS = 16;
/**
 * A port serves this many queries at least and less than twice as many at most, so that nobody can tell when it goes.
 */
const USES = 1024;
/** A port is kept for this long at least and twice as long at most. */
const LIFETIME: Milliseconds = 30_000;
/** Late replies are waited for this long. */
const LINGER: Milliseconds = 5000;
/** After forged replies each query gets a port of its own for this long, while so many ports are not in use. */
const GUARDED: Milliseconds = 60_000;
const MOST_GUARDED = 1024;

/**
 * The UDP sockets to one upstream: source ports drawn by the operating system, and changed before they can be guessed
 * (RFC 5452 section 9.2).
 */
export class UdpPool implements UpstreamTransport, UdpOwner {
  private readonly open: UpstreamSocket[] = [];
  /** Replaced, with queries in flight. */
  private retired: UpstreamSocket[] = [];
  /** Sockets for more than one query that are being opened. */
  private opening = 0;
  /** Sockets for one query that are being opened. */
  private openingGuarded = 0;
  /** Drawn for the queries of this turn of the event loop: they leave with one call, and so do their replies. */
  private drawn: UpstreamSocket | undefined;
  /** Queries that wait for the first socket. */
  private waiting: Attempt[] = [];
  private closed = false;
  private guardedUntil: Milliseconds = -Infinity;

  constructor(private readonly peer: UpstreamState) {}

  /** Open sockets. */
  get size(): number {
    return this.open.length + this.retired.length;
  }

  /** Whether anything is in flight. */
  get isBusy(): boolean {
    const isBusy = ({ inFlight }: UpstreamSocket): boolean => inFlight.size > 0;
    return this.open.some(isBusy) || this.retired.some(isBusy);
  }

  send(attempt: Attempt): void {
    const now = attempt.sentAt;
    const guarded = now < this.guardedUntil && this.size + this.openingGuarded < MOST_GUARDED;
    const socket = guarded ? undefined : this.pick(now, attempt.apartFrom?.transport);
    if (socket === undefined) {
      this.peer.reuse.miss('udp');
      attempt.transport = this;
      this.waiting.push(attempt);
      if (guarded) this.openOne(now, true);
      else if (this.opening === 0) this.openOne(now, false);
      return;
    }
    this.peer.reuse.hit('udp');
    socket.send(attempt);
    if (socket.uses >= socket.maxUses || socket.inFlight.size >= MAX_IN_FLIGHT) this.retire(socket);
    if (this.open.length + this.opening < this.wanted()) this.openOne(now, false);
  }

  doubted(socket: UpstreamSocket): void {
    if (this.open.includes(socket)) this.retire(socket);
  }

  attacked(socket: UpstreamSocket): void {
    this.guardedUntil = this.peer.clock.monotonic() + GUARDED;
    this.drop(socket);
  }

  /** Part of `Carrier` for queries that wait for a socket. */
  forget(attempt: Attempt): void {
    attempt.transport = undefined;
    this.waiting = this.waiting.filter((other) => other !== attempt);
  }

  timeout(): Error {
    return dialTimeout('udp', this.peer.to);
  }

  /** Closes what was not used for long. */
  sweep(now: Milliseconds): void {
    for (const socket of [...this.open, ...this.retired]) socket.dropAbandoned(now - LINGER);
    for (const socket of [...this.open])
      if (socket.inFlight.size === 0 && now - socket.lastUsed >= this.peer.limits.expire) this.retire(socket);
    this.retired = this.retired.filter((socket) => !socket.isClosed);
  }

  close(): void {
    this.closed = true;
    for (const socket of [...this.open, ...this.retired]) socket.close();
    this.open.length = 0;
    this.retired = [];
  }

  private wanted(): number {
    const { maxIdle } = this.peer.limits;
    return maxIdle === 0 ? SOCKETS : Math.min(SOCKETS, maxIdle);
  }

  /** @param not a socket that has the same question in flight */
  private pick(now: Milliseconds, not: UpstreamTransport | undefined): UpstreamSocket | undefined {
    if (this.drawn !== undefined && this.drawn !== not) return this.drawn;
    for (let left = this.open.length; left > 0; left--) {
      const socket = this.open[this.open.length === 1 ? 0 : randomBelow(this.peer.random, this.open.length)]!;
      if (now >= socket.until || (socket.inFlight.size === 0 && now - socket.lastUsed >= this.peer.limits.expire))
        this.retire(socket);
      else if (socket !== not) {
        if (not === undefined) this.draw(socket);
        return socket;
      }
    }
    return undefined;
  }

  private draw(socket: UpstreamSocket): void {
    this.drawn = socket;
    queueMicrotask(() => (this.drawn = undefined));
  }

  /** @param guarded for one query alone */
  private openOne(now: Milliseconds, guarded: boolean): void {
    this.countOpening(guarded, 1);
    const { random } = this.peer;
    const maxUses = guarded ? 1 : USES + randomBelow(random, USES);
    const until = now + this.peer.lifetime(LIFETIME + randomBelow(random, LIFETIME));
    UpstreamSocket.open(this.peer, this, maxUses, until).then(
      (socket) => {
        this.countOpening(guarded, -1);
        if (this.closed) return socket.close();
        this.opened(socket, guarded);
      },
      (cause: Error) => {
        this.countOpening(guarded, -1);
        const error = dialError('udp', this.peer.to, cause);
        for (const attempt of this.waiting.splice(0)) {
          attempt.transport = undefined;
          attempt.receiver?.failed(attempt, error);
        }
      },
    );
  }

  private countOpening(guarded: boolean, change: 1 | -1): void {
    if (guarded) this.openingGuarded += change;
    else this.opening += change;
  }

  private opened(socket: UpstreamSocket, guarded: boolean): void {
    this.open.push(socket);
    for (const attempt of this.waiting.splice(0, guarded ? 1 : Infinity)) socket.send(attempt);
    if (guarded) this.retire(socket);
    // Others wait still where ports were about to be shared.
    else if (this.open.length > this.wanted()) this.retire(this.open[0]!);
  }

  private retire(socket: UpstreamSocket): void {
    this.drop(socket);
    this.retired.push(socket);
    socket.retire();
  }

  private drop(socket: UpstreamSocket): void {
    const at = this.open.indexOf(socket);
    if (at >= 0) this.open.splice(at, 1);
    if (this.drawn === socket) this.drawn = undefined;
  }
}
