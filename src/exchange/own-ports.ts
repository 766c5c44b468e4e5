import type { Milliseconds } from '../lib/units.js';
import type { Attempt, UpstreamTransport } from './attempt.js';
import { AttemptQueue } from './attempt-queue.js';
import { dialError, dialTimeout } from './errors.js';
import type { UpstreamState } from './upstream-state.js';
import { UpstreamSocket, type UdpOwner } from './upstream-socket.js';

/** Ports at a time, where the limits do not say less. Beyond as many, queries wait. */
const MOST_PORTS = 2048;
/** So many are looked at for one that nobody waits for any more, each time that one is wanted. */
const LOOKED_AT = 8;
/** Ports that are opened at once: thousands would hold up everything else, and overrun the upstream. */
const AT_ONCE = 64;

/** Sockets to one upstream that serve one query each: nobody sees their ports before the id is gone with them. */
export class OwnPorts implements UpstreamTransport, UdpOwner {
  private readonly sockets = new Set<UpstreamSocket>();
  private turn = this.sockets.values();
  private opening = 0;
  private readonly waiting = new AttemptQueue();
  /** Of questions that are under way already: they come last. */
  private readonly repeats = new AttemptQueue();
  private isClosed = false;
  private readonly limit: number;
  /** Less where more cannot be opened at the moment. */
  private most: number;

  /** @param onForged called when somebody guesses at one of them */
  constructor(
    private readonly peer: UpstreamState,
    private readonly onForged: () => void,
  ) {
    this.limit = Math.min(MOST_PORTS, peer.limits.maxPorts ?? MOST_PORTS);
    this.most = this.limit;
  }

  get size(): number {
    return this.sockets.size + this.opening;
  }

  send(attempt: Attempt): void {
    this.peer.reuse.miss('udp');
    attempt.transport = this;
    (attempt.repeats ? this.repeats : this.waiting).add(attempt);
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
    if (this.size === 0) this.most = this.limit;
    this.serve();
  }

  /** Part of `UpstreamTransport` for queries that wait for a socket. */
  forget(attempt: Attempt): void {
    attempt.transport = undefined;
    (attempt.repeats ? this.repeats : this.waiting).delete(attempt);
  }

  timeout(): Error {
    return dialTimeout('udp', this.peer.to);
  }

  sweep(before: Milliseconds): void {
    for (const socket of [...this.sockets]) socket.dropAbandoned(before);
  }

  close(): void {
    this.isClosed = true;
    this.takeAll();
    for (const socket of [...this.sockets]) socket.close();
  }

  private serve(): void {
    while (this.waiting.size + this.repeats.size > this.opening && this.opening < AT_ONCE) {
      if (this.size >= this.most) return this.makeRoom();
      this.openOne();
    }
  }

  /** Closes a port whose query is kept only because a late reply would tell how long the upstream takes. */
  private makeRoom(): void {
    for (let looks = Math.min(LOOKED_AT, this.sockets.size); looks > 0; looks--) {
      let { value } = this.turn.next();
      if (value === undefined) ({ value } = (this.turn = this.sockets.values()).next());
      value!.dropAbandoned(Infinity);
      if (!this.sockets.has(value!)) return;
    }
  }

  private openOne(): void {
    this.opening++;
    UpstreamSocket.open(this.peer, this, 1, Infinity).then(
      (socket) => {
        this.opening--;
        const attempt = this.take();
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

  /** The next one that somebody waits for. */
  private take(): Attempt | undefined {
    let attempt;
    do attempt = this.waiting.take() ?? this.repeats.take();
    while (attempt?.awaited === false);
    return attempt;
  }

  /** Descriptors may have run out: the rest waits for those that are open. */
  private notOpened(cause: Error): void {
    this.most = this.size === 0 ? this.limit : Math.min(this.most, this.size);
    if (this.size > 0) return;
    const error = dialError('udp', this.peer.to, cause);
    for (const attempt of this.takeAll()) {
      attempt.transport = undefined;
      attempt.receiver?.failed(attempt, error);
    }
  }

  private takeAll(): Attempt[] {
    return [...this.waiting.takeAll(), ...this.repeats.takeAll()];
  }
}
