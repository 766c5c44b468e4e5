import type { Milliseconds } from '../lib/units.js';
import type { Attempt, UpstreamTransport } from './attempt.js';
import { dialError, dialTimeout } from './errors.js';
import { MAX_IN_FLIGHT } from './outstanding-ids.js';
import type { UpstreamState } from './upstream-state.js';
import { UpstreamSocket, type UdpOwner } from './upstream-socket.js';

/** Ports at a time, where the limits do not say less. Beyond as many, queries share them, each port in its turn. */
const MOST_PORTS = 2048;
/** Ports that are opened at once: thousands would hold up everything else, and overrun the upstream. */
const AT_ONCE = 64;

/** Sockets to one upstream that serve one query each: nobody sees their ports before the id is gone with them. */
export class OwnPorts implements UpstreamTransport, UdpOwner {
  private readonly sockets = new Set<UpstreamSocket>();
  private turn = this.sockets.values();
  private opening = 0;
  private waiting: Attempt[] = [];
  private isClosed = false;
  private readonly most: number;

  /** @param onForged called when somebody guesses at one of them */
  constructor(
    private readonly peer: UpstreamState,
    private readonly onForged: () => void,
  ) {
    this.most = Math.min(MOST_PORTS, peer.limits.maxPorts ?? MOST_PORTS);
  }

  get size(): number {
    return this.sockets.size + this.opening;
  }

  send(attempt: Attempt): void {
    this.peer.reuse.miss('udp');
    attempt.transport = this;
    this.waiting.push(attempt);
    this.serve();
  }

  /**
   * Closes sockets that replies were forged at. What is in flight there is asked once more, from a port of its own;
   * `meant`, whose questions the forged reply had, and what has been asked once more before, fails.
   */
  takeOver(sockets: Iterable<UpstreamSocket>, meant: readonly Attempt[]): void {
    const failed: [Attempt, Error][] = [];
    for (const socket of sockets) {
      const error = socket.forged();
      for (const attempt of socket.end())
        if (attempt.moved || meant.includes(attempt)) failed.push([attempt, error]);
        else this.move(attempt);
    }
    for (const [attempt, error] of failed) attempt.receiver?.failed(attempt, error);
  }

  move(attempt: Attempt): void {
    attempt.moved = true;
    attempt.sentAt = this.peer.clock.monotonic();
    this.send(attempt);
  }

  doubted(): void {
    // Serves one query, and is asked no other.
  }

  attacked(socket: UpstreamSocket, meant: readonly Attempt[]): void {
    this.onForged();
    this.takeOver([socket], meant);
  }

  closed(socket: UpstreamSocket): void {
    this.sockets.delete(socket);
    this.serve();
  }

  /** Part of `UpstreamTransport` for queries that wait for a socket. */
  forget(attempt: Attempt): void {
    attempt.transport = undefined;
    this.waiting = this.waiting.filter((other) => other !== attempt);
  }

  timeout(): Error {
    return dialTimeout('udp', this.peer.to);
  }

  sweep(before: Milliseconds): void {
    for (const socket of [...this.sockets]) socket.dropAbandoned(before);
  }

  close(): void {
    this.isClosed = true;
    this.waiting = [];
    for (const socket of [...this.sockets]) socket.close();
  }

  /** Opens ports for what waits; where there may be no more of them, those that are open are shared. */
  private serve(): void {
    while (this.waiting.length > this.opening && this.opening < AT_ONCE) {
      if (this.size < this.most) this.openOne();
      else if (!this.share()) return;
    }
  }

  /** False where none is open. */
  private share(): boolean {
    const attempt = this.waiting.at(-1)!;
    const socket = this.next(attempt.apartFrom?.transport);
    if (socket === undefined) return false;
    this.waiting.pop();
    socket.send(attempt);
    return true;
  }

  /** @param not a socket that has the same question in flight */
  private next(not: UpstreamTransport | undefined): UpstreamSocket | undefined {
    for (let rounds = 0; rounds < 2; rounds++) {
      for (const socket of this.turn) if (socket !== not && socket.inFlight.size < MAX_IN_FLIGHT) return socket;
      this.turn = this.sockets.values();
    }
    return undefined;
  }

  private openOne(): void {
    this.opening++;
    UpstreamSocket.open(this.peer, this, 1, Infinity).then(
      (socket) => {
        this.opening--;
        const attempt = this.waiting.shift();
        if (this.isClosed || attempt === undefined) return socket.close();
        this.sockets.add(socket);
        socket.send(attempt);
        socket.retire();
        this.serve();
      },
      (cause: Error) => {
        this.opening--;
        this.notOpened(cause);
      },
    );
  }

  /** Descriptors may have run out: those that are open serve the rest. */
  private notOpened(cause: Error): void {
    while (this.waiting.length > this.opening && this.share());
    if (this.opening > 0) return;
    const error = dialError('udp', this.peer.to, cause);
    for (const attempt of this.waiting.splice(0)) {
      attempt.transport = undefined;
      attempt.receiver?.failed(attempt, error);
    }
  }
}
