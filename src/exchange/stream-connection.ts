import type { Duplex } from 'node:stream';
import type { Milliseconds } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import { FRAME_HEADER, FrameReader, HEADER_SIZE } from '../wire/index.js';
import type { Attempt } from './attempt.js';
import { closedByPeer, dialError, dialTimeout, readTimeout, transferError } from './errors.js';
import { UpstreamConnection } from './upstream-connection.js';
import { NO_MATCH } from './match.js';
import type { UpstreamState } from './upstream-state.js';
import { SentOrder } from './sent-order.js';
import type { TlsClient } from './tls.js';

/** What a connection tells its pool. */
export interface StreamOwner {
  /** The connection is open, after `took`. */
  connected(link: StreamConnection, took: Milliseconds): void;
  /**
   * An answer came, and its receiver is about to be told.
   *
   * @param sinceLast since the answer before it; Infinity for the first one
   * @param late one to a later query came before it
   */
  answered(link: StreamConnection, attempt: Attempt, sinceLast: Milliseconds, late: boolean): void;
  /**
   * The connection is of no more use. Called once, before its queries are told.
   *
   * @param error what ended it, undefined for the pool itself
   */
  ended(link: StreamConnection, error: Error | undefined): void;
  /** A query of a connection that had served others before the peer closed it: it deserves a fresh one. */
  resend(attempt: Attempt): void;
}

const UNKNOWN_ENDPOINT: Endpoint = { address: '', port: 0 };

/** One TCP or TLS connection (RFC 7766, RFC 7858): takes answers in any order. */
export class StreamConnection extends UpstreamConnection {
  /** Answers that came. */
  replies = 0;
  private lastHeard: Milliseconds = -Infinity;
  /** When the oldest of an unbroken series of queries in flight was sent. */
  private busySince: Milliseconds = Infinity;
  private stream: Duplex | undefined;
  private local = UNKNOWN_ENDPOINT;
  private acknowledge: (() => void) | undefined;
  private readonly frames = new FrameReader();
  private readonly order = new SentOrder(this);
  private outbox: Attempt[] = [];
  private ended = false;
  private readonly abort = new AbortController();

  constructor(
    peer: UpstreamState,
    private readonly tls: TlsClient | undefined,
    private readonly owner: StreamOwner,
    readonly openedAt: Milliseconds,
  ) {
    super(peer, openedAt);
  }

  /** Opens the connection, and tells the pool how that went. */
  connect(timeout: Milliseconds): void {
    const { clock, to } = this.peer;
    const timer = clock.setTimeout(() => this.end(dialTimeout(this.protocol, to)), timeout);
    this.open().then(
      () => {
        timer.cancel();
        if (!this.ended) this.owner.connected(this, clock.monotonic() - this.openedAt);
      },
      (cause: Error) => {
        timer.cancel();
        this.end(dialError(this.protocol, to, cause));
      },
    );
  }

  get protocol(): 'tcp' | 'tcp-tls' {
    return this.tls === undefined ? 'tcp' : 'tcp-tls';
  }

  /** Monotonic time since which nothing has come though something should. */
  get waitingSince(): Milliseconds {
    return this.inFlight.size === 0 ? Infinity : Math.max(this.lastHeard, this.busySince);
  }

  /** Whether its queries wait although nothing has come for `time`: the peer is gone, or busy with a slow query. */
  isStalled(now: Milliseconds, time: Milliseconds): boolean {
    return now - this.waitingSince > time;
  }

  /** Queries that a slow one may be holding up; on a connection that never answered, all of them. */
  get held(): readonly Attempt[] {
    return this.replies > 0 ? this.order.queued() : this.order.all();
  }

  /** Whether anybody waits for one of its queries. */
  get isAwaited(): boolean {
    return this.order.all().some(({ awaited }) => awaited);
  }

  /** Puts a query into the next write. */
  send(attempt: Attempt, now: Milliseconds): void {
    attempt.queued = this.inFlight.size > 0;
    if (!attempt.queued) this.busySince = now;
    this.take(attempt, now);
    this.order.add(attempt);
    this.outbox.push(attempt);
  }

  /** Writes what was put in. */
  flush(): void {
    const { outbox, stream } = this;
    if (outbox.length === 0 || this.ended || stream === undefined) return;
    let total = 0;
    for (const { message } of outbox) total += FRAME_HEADER + message.length;
    const bytes = Buffer.allocUnsafe(total);
    let at = 0;
    for (const { message, id } of outbox) {
      bytes[at] = message.length >> 8;
      bytes[at + 1] = message.length;
      bytes.set(message, at + FRAME_HEADER);
      bytes[at + FRAME_HEADER] = id >> 8;
      bytes[at + FRAME_HEADER + 1] = id;
      at += FRAME_HEADER + message.length;
    }
    this.outbox = [];
    stream.write(bytes);
  }

  /** The server still has the query: the connection stays taken until its answer has come. */
  forget(): void {
    // Nobody is told when it comes.
  }

  timeout(): Error {
    return this.stream === undefined
      ? dialTimeout(this.protocol, this.peer.to)
      : readTimeout(this.protocol, this.local, this.peer.to);
  }

  close(): void {
    this.end();
  }

  /**
   * Closes the connection; its queries are told `error`, or are sent again where the pool wants that. Without an
   * error they end untold.
   */
  end(error?: Error, resend = false): void {
    if (this.ended) return;
    this.ended = true;
    this.owner.ended(this, error);
    this.abort.abort(new Error('connection given up'));
    this.stream?.destroy();
    this.outbox = [];
    this.order.clear();
    for (const attempt of this.inFlight.clear()) {
      attempt.transport = undefined;
      // A copy that is under way elsewhere speaks for it.
      if (!attempt.awaited || error === undefined || attempt.copy?.transport !== undefined) continue;
      if (resend && !attempt.resent) this.owner.resend(attempt);
      else attempt.receiver!.failed(attempt, error);
    }
  }

  private async open(): Promise<void> {
    const { signal } = this.abort;
    const connection = await this.peer.network.connectTcp(this.peer.to, signal);
    this.local = connection.local;
    this.acknowledge = connection.acknowledge;
    // Between here and the handshake's own listener an error without one would end the process.
    connection.stream.on('error', () => undefined);
    const stream =
      this.tls === undefined
        ? connection.stream
        : await this.tls.secure(connection.stream, this.peer.to.address, signal);
    if (this.ended) return void stream.destroy();
    stream.on('data', (chunk: Buffer) => this.receive(chunk));
    stream.on('error', (error) => this.broken(transferError(this.protocol, this.local, this.peer.to, error)));
    stream.on('end', () => this.broken(closedByPeer(this.frames.buffered > 0)));
    stream.on('close', () => this.broken(closedByPeer(this.frames.buffered > 0)));
    this.stream = stream;
  }

  /**
   * The peer ended the connection. What is in flight may go once more if the connection was good before (RFC 7766
   * section 6.2.4).
   */
  private broken(error: Error): void {
    this.end(error, this.replies > 0);
  }

  private receive(chunk: Buffer): void {
    this.frames.push(chunk);
    for (let bytes = this.frames.next(); bytes !== undefined && !this.ended; bytes = this.frames.next())
      this.receiveMessage(bytes);
    if (this.inFlight.size > 0 && !this.ended) this.acknowledge?.();
  }

  private receiveMessage(bytes: Buffer): void {
    if (bytes.length < HEADER_SIZE) {
      this.peer.stats.malformed++;
      return this.end(
        new Error(`message of ${bytes.length} octets from ${this.protocol} upstream, a header has ${HEADER_SIZE}`),
      );
    }
    const attempt = this.inFlight.get((bytes[0]! << 8) | bytes[1]!);
    const records = this.peer.match(attempt, bytes);
    if (records === NO_MATCH) return;
    const sinceLast = this.peer.lastHeard - this.lastHeard;
    this.lastHeard = this.peer.lastHeard;
    this.replies++;
    // Whatever it says, no other message comes under this id.
    this.remove(attempt!);
    this.owner.answered(this, attempt!, sinceLast, this.order.ended(attempt!, this.inFlight.size));
    this.peer.tell(attempt!, bytes, records);
  }
}
