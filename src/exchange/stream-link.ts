import type { Duplex } from 'node:stream';
import type { Milliseconds } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import { FRAME_HEADER, FrameReader, HEADER_SIZE } from '../wire/index.js';
import type { Attempt } from './attempt.js';
import { closedByPeer, dialError, dialTimeout, readTimeout, transferError } from './errors.js';
import { Line } from './line.js';
import type { Peer } from './peer.js';
import type { TlsClient } from './tls.js';

/** What a connection tells its pool. */
export interface StreamOwner {
  /** The connection is of no more use. Called once, before its queries are told. */
  ended(link: StreamLink): void;
  /** A query of a connection that had served others before the peer closed it: it deserves a fresh one. */
  resend(attempt: Attempt): void;
}

const UNKNOWN_ENDPOINT: Endpoint = { address: '', port: 0 };

/**
 * One TCP or TLS connection: many queries in flight, answers in any order (RFC 7766 sections 6.2.1.1 and 7), all that
 * is sent in one turn in one write.
 */
export class StreamLink extends Line {
  private lastHeard: Milliseconds = -Infinity;
  /** When the oldest of an unbroken series of queries in flight was sent. */
  private busySince: Milliseconds = Infinity;
  private stream: Duplex | undefined;
  private local = UNKNOWN_ENDPOINT;
  private readonly frames = new FrameReader();
  private outbox: Attempt[] = [];
  private flushing = false;
  private ended = false;
  private replies = 0;
  private readonly abort = new AbortController();

  constructor(
    peer: Peer,
    private readonly tls: TlsClient | undefined,
    private readonly owner: StreamOwner,
    readonly openedAt: Milliseconds,
    connectTimeout: Milliseconds,
    onConnected: (took: Milliseconds) => void,
  ) {
    super(peer, openedAt);
    const timer = peer.clock.setTimeout(() => this.end(dialTimeout(this.protocol, peer.to)), connectTimeout);
    this.connect().then(
      () => {
        timer.cancel();
        onConnected(peer.clock.monotonic() - openedAt);
      },
      (cause: Error) => {
        timer.cancel();
        onConnected(peer.clock.monotonic() - openedAt);
        this.end(dialError(this.protocol, peer.to, cause));
      },
    );
  }

  get protocol(): 'tcp' | 'tcp-tls' {
    return this.tls === undefined ? 'tcp' : 'tcp-tls';
  }

  get isEnded(): boolean {
    return this.ended;
  }

  /**
   * Whether its queries wait although nothing has come for `patience`: the peer may be gone, or busy with a query
   * that holds up the others.
   */
  isStalled(now: Milliseconds, patience: Milliseconds): boolean {
    return this.inFlight.size > 0 && now - Math.max(this.lastHeard, this.busySince) > patience;
  }

  /** Monotonic time since which nothing has come though something should. */
  get waitingSince(): Milliseconds {
    return this.inFlight.size === 0 ? Infinity : Math.max(this.lastHeard, this.busySince);
  }

  send(attempt: Attempt): void {
    if (this.inFlight.size === 0) this.busySince = attempt.sentAt;
    this.take(attempt);
    this.outbox.push(attempt);
    if (this.stream !== undefined) this.flushSoon();
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
    this.owner.ended(this);
    this.abort.abort(new Error('connection given up'));
    this.stream?.destroy();
    this.outbox = [];
    for (const attempt of this.inFlight.clear()) {
      attempt.carrier = undefined;
      if (attempt.receiver === undefined || error === undefined) continue;
      if (resend && !attempt.resent) this.owner.resend(attempt);
      else attempt.receiver.failed(attempt, error);
    }
  }

  private async connect(): Promise<void> {
    const { signal } = this.abort;
    const connection = await this.peer.network.connectTcp(this.peer.to, signal);
    this.local = connection.local;
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
    this.flush();
  }

  /**
   * The peer ended the connection. What is in flight may go once more if the connection was good before (RFC 7766
   * section 6.2.4).
   */
  private broken(error: Error): void {
    this.end(error, this.replies > 0);
  }

  /**
   * The check phase follows the one in which sockets are read: all queries that came in meanwhile leave in one write.
   */
  private flushSoon(): void {
    if (this.flushing) return;
    this.flushing = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.flushing = false;
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

  private receive(chunk: Buffer): void {
    this.frames.push(chunk);
    for (let bytes = this.frames.next(); bytes !== undefined && !this.ended; bytes = this.frames.next())
      this.receiveMessage(bytes);
  }

  private receiveMessage(bytes: Buffer): void {
    if (bytes.length < HEADER_SIZE) {
      this.peer.stats.malformed++;
      return this.end(
        new Error(`message of ${bytes.length} octets from ${this.protocol} upstream, a header has ${HEADER_SIZE}`),
      );
    }
    if (!this.deliver(bytes)) return;
    this.lastHeard = this.peer.lastHeard;
    this.replies++;
  }
}
