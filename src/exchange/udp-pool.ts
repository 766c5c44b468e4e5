import { randomBelow } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import type { Attempt, UpstreamTransport } from './attempt.js';
import { AttemptQueue } from './attempt-queue.js';
import { dialError, dialTimeout } from './errors.js';
import { OwnPorts } from './own-ports.js';
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
/** After forged replies each query gets a port of its own for this long, and for twice as long each time that follows. */
const GUARDED: Milliseconds = 60_000;
const LONGEST_GUARDED: Milliseconds = 3_600_000;

/**
 * The UDP sockets to one upstream: source ports drawn by the operating system, and changed before they can be guessed
 * (RFC 5452 section 9.2).
 *
 * Who knows ports may send as many forged replies as he likes: only the first counts that asks what is in flight at the
 * port that it is sent to. It has one of 65,536 ids. Where that is wrong, all ports that are shared are closed, and what
 * was in flight there is asked once more, each from a port of its own (`OwnPorts`), the question of the forged reply
 * over TCP; so is what is asked for the next minute, and for twice as long each time, up to an hour. A port of its own
 * is closed by the first wrong guess too. So who learns no port before it has served its one query has one guess in
 * the first minute and some 30 in a day: he is right with a probability of 1 in 65,536, and of 1 in 2,000, whatever he
 * sends and however much is in flight.
 */
export class UdpPool implements UpstreamTransport, UdpOwner {
  private readonly open: UpstreamSocket[] = [];
  /** Replaced, with queries in flight. */
  private readonly retired = new Set<UpstreamSocket>();
  /** Sockets that are being opened. */
  private opening = 0;
  /** Drawn for the queries of this turn of the event loop: they leave with one call, and so do their replies. */
  private drawn: UpstreamSocket | undefined;
  /** Queries that wait for the first socket. */
  private readonly waiting = new AttemptQueue();
  private isClosed = false;
  private guardedUntil: Milliseconds = -Infinity;
  private guardedFor: Milliseconds = 0;
  private readonly own: OwnPorts;

  constructor(private readonly peer: UpstreamState) {
    this.own = new OwnPorts(peer, () => this.guard());
  }

  /** Open sockets. */
  get size(): number {
    return this.open.length + this.retired.size + this.own.size;
  }

  /** Whether anything is in flight. */
  get isBusy(): boolean {
    return this.own.size > 0 || this.retired.size > 0 || this.open.some(({ inFlight }) => inFlight.size > 0);
  }

  send(attempt: Attempt): void {
    const now = attempt.sentAt;
    if (now < this.guardedUntil) return this.own.send(attempt);
    const socket = this.pick(now, attempt.apartFrom?.transport);
    if (socket === undefined) {
      this.peer.reuse.miss('udp');
      attempt.transport = this;
      this.waiting.add(attempt);
      if (this.opening === 0) this.openOne(now);
      return;
    }
    this.peer.reuse.hit('udp');
    socket.send(attempt);
    if (socket.uses >= socket.maxUses) this.retire(socket);
    if (this.open.length + this.opening < this.wanted()) this.openOne(now);
  }

  doubted(socket: UpstreamSocket): void {
    if (this.open.includes(socket)) this.retire(socket);
  }

  attacked(_socket: UpstreamSocket, meant: readonly Attempt[]): void {
    this.guard();
    this.drawn = undefined;
    for (const attempt of this.waiting.takeAll()) this.own.send(attempt);
    this.own.takeOver([...this.open.splice(0), ...this.retired], meant);
  }

  move(attempt: Attempt): void {
    this.own.move(attempt);
  }

  closed(socket: UpstreamSocket): void {
    this.retired.delete(socket);
  }

  /** Part of `Carrier` for queries that wait for a socket. */
  forget(attempt: Attempt): void {
    attempt.transport = undefined;
    this.waiting.delete(attempt);
  }

  timeout(): Error {
    return dialTimeout('udp', this.peer.to);
  }

  /** Closes what was not used for long. */
  sweep(now: Milliseconds): void {
    for (const socket of [...this.open, ...this.retired]) socket.dropAbandoned(now - LINGER);
    this.own.sweep(now - LINGER);
    for (const socket of [...this.open])
      if (socket.inFlight.size === 0 && now - socket.lastUsed >= this.peer.limits.expire) this.retire(socket);
  }

  close(): void {
    this.isClosed = true;
    for (const socket of [...this.open.splice(0), ...this.retired]) socket.close();
    this.own.close();
  }

  private guard(): void {
    const now = this.peer.clock.monotonic();
    // At ports of their own many may be guessed at: that is the same attack.
    if (now >= this.guardedUntil)
      this.guardedFor =
        now < this.guardedUntil + LONGEST_GUARDED ? Math.min(2 * this.guardedFor, LONGEST_GUARDED) : GUARDED;
    this.guardedUntil = now + this.guardedFor;
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

  private openOne(now: Milliseconds): void {
    this.opening++;
    const { random } = this.peer;
    const maxUses = USES + randomBelow(random, USES);
    const until = now + this.peer.lifetime(LIFETIME + randomBelow(random, LIFETIME));
    UpstreamSocket.open(this.peer, this, maxUses, until).then(
      (socket) => {
        this.opening--;
        if (this.isClosed) return socket.close();
        this.opened(socket);
      },
      (cause: Error) => {
        this.opening--;
        const error = dialError('udp', this.peer.to, cause);
        for (const attempt of this.waiting.takeAll()) {
          attempt.transport = undefined;
          attempt.receiver?.failed(attempt, error);
        }
      },
    );
  }

  private opened(socket: UpstreamSocket): void {
    this.open.push(socket);
    for (const attempt of this.waiting.takeAll()) socket.send(attempt);
    // Others wait still where ports were about to be shared.
    if (this.open.length > this.wanted()) this.retire(this.open[0]!);
  }

  private retire(socket: UpstreamSocket): void {
    this.open.splice(this.open.indexOf(socket), 1);
    if (this.drawn === socket) this.drawn = undefined;
    this.retired.add(socket);
    socket.retire();
  }
}
