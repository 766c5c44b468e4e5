import { randomBelow } from '../lib/random.js';
import type { Milliseconds } from '../lib/units.js';
import type { Attempt, Carrier } from './attempt.js';
import { dialError, dialTimeout } from './errors.js';
import { MAX_IN_FLIGHT } from './in-flight.js';
import type { Peer } from './peer.js';
import { UdpSocket } from './udp-socket.js';

/**
 * Open ports, of which one is drawn at random for the queries of each turn of the event loop. More would leave less
 * for each wake-up.
 */
const SOCKETS = 4;
/**
 * A port serves this many queries at least and less than twice as many at most, so that nobody can tell when it goes.
 */
const USES = 1024;
/** Late replies are waited for this long. */
const LINGER: Milliseconds = 5000;

/**
 * The UDP sockets to one upstream: source ports drawn by the operating system, and changed before they can be guessed
 * (RFC 5452 section 9.2).
 */
export class UdpPool implements Carrier {
  private readonly open: UdpSocket[] = [];
  /** Replaced, with queries in flight. */
  private retired: UdpSocket[] = [];
  private opening = 0;
  /** Drawn for the queries of this turn of the event loop: they leave with one call, and so do their replies. */
  private drawn: UdpSocket | undefined;
  /** Queries that wait for the first socket. */
  private waiting: Attempt[] = [];
  private closed = false;

  constructor(private readonly peer: Peer) {}

  /** Open sockets. */
  get size(): number {
    return this.open.length + this.retired.length;
  }

  send(attempt: Attempt): void {
    const socket = this.pick(attempt.sentAt);
    if (socket === undefined) {
      this.peer.reuse.miss('udp');
      attempt.carrier = this;
      this.waiting.push(attempt);
      if (this.opening === 0) this.openOne();
      return;
    }
    this.peer.reuse.hit('udp');
    socket.send(attempt);
    if (socket.uses >= socket.maxUses || socket.inFlight.size >= MAX_IN_FLIGHT) this.retire(socket);
    if (this.open.length + this.opening < this.wanted()) this.openOne();
  }

  /** Part of `Carrier` for queries that wait for a socket. */
  forget(attempt: Attempt): void {
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

  private pick(now: Milliseconds): UdpSocket | undefined {
    if (this.drawn !== undefined) return this.drawn;
    while (this.open.length > 0) {
      const socket = this.open[this.open.length === 1 ? 0 : randomBelow(this.peer.random, this.open.length)]!;
      if (socket.inFlight.size > 0 || now - socket.lastUsed < this.peer.limits.expire) {
        this.drawn = socket;
        queueMicrotask(() => (this.drawn = undefined));
        return socket;
      }
      this.retire(socket);
    }
    return undefined;
  }

  private openOne(): void {
    this.opening++;
    const maxUses = USES + randomBelow(this.peer.random, USES);
    UdpSocket.open(this.peer, maxUses, (socket) => this.drop(socket)).then(
      (socket) => {
        this.opening--;
        if (this.closed) return socket.close();
        this.open.push(socket);
        for (const attempt of this.waiting.splice(0)) socket.send(attempt);
      },
      (cause: Error) => {
        this.opening--;
        const error = dialError('udp', this.peer.to, cause);
        for (const attempt of this.waiting.splice(0)) {
          attempt.carrier = undefined;
          attempt.receiver?.failed(attempt, error);
        }
      },
    );
  }

  private retire(socket: UdpSocket): void {
    this.drop(socket);
    this.retired.push(socket);
    socket.retire();
  }

  private drop(socket: UdpSocket): void {
    const at = this.open.indexOf(socket);
    if (at >= 0) this.open.splice(at, 1);
    if (this.drawn === socket) this.drawn = undefined;
  }
}
