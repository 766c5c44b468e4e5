import type { Clock, Timer } from '../lib/clock.js';
import { repeat } from '../lib/clock.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { Endpoint, Network, TcpConnection, TcpListener } from '../net/network.js';
import { FrameReader } from '../wire/index.js';
import { respond, type OnPanic } from './respond.js';
import type { Served } from './routes.js';

/** Bounds on what clients may keep busy, per listening address. */
export interface TcpLimits {
  /** Open connections; one more closes the one that has been silent for longest. */
  readonly connections: number;
  /** Queries of one connection that may wait for their answers; reading pauses at that number. */
  readonly pending: number;
  /** A connection without queries under way is closed after this time (RFC 7766 section 6.2.3). */
  readonly idle: Milliseconds;
  /** A message must be complete this long after its first octet. */
  readonly read: Milliseconds;
  /** Octets that may wait to be taken by the client; a client that reads nothing is closed beyond. */
  readonly unsent: Octets;
}

export const DEFAULT_TCP_LIMITS: TcpLimits = {
  connections: 10_000,
  pending: 256,
  idle: 10_000,
  read: 3000,
  unsent: 4 << 20,
};

/** How often silent connections are looked for: one timer for all in place of one for each. */
const SWEEP: Milliseconds = 500;

/**
 * Takes queries at one TCP address: many on one connection, answered in the order in which the answers are there (RFC
 * 7766 section 6.2.1.1).
 */
export class TcpServer {
  /** In order of their last sign of life: the first has been silent for longest. */
  private readonly connections = new Set<Connection>();
  private readonly sweeper: Timer;
  private listener: TcpListener | undefined;

  private constructor(
    private readonly clock: Clock,
    readonly served: Served,
    private readonly limits: TcpLimits,
    private readonly onPanic: OnPanic,
  ) {
    this.sweeper = repeat(clock, SWEEP, () => this.sweep());
  }

  static async listen(
    network: Network,
    clock: Clock,
    at: Endpoint,
    served: Served,
    onPanic: OnPanic,
    limits: TcpLimits = DEFAULT_TCP_LIMITS,
  ): Promise<TcpServer> {
    const server = new TcpServer(clock, served, limits, onPanic);
    try {
      server.listener = await network.listenTcp(at, (connection) => server.accept(connection));
    } catch (error) {
      server.sweeper.cancel();
      throw error;
    }
    return server;
  }

  get local(): Endpoint {
    return this.listener!.local;
  }

  get open(): number {
    return this.connections.size;
  }

  /** Takes no more connections; those without queries under way are closed, the others after their last answer. */
  close(): void {
    this.listener!.close();
    this.sweeper.cancel();
    for (const connection of this.connections) connection.closeWhenAnswered();
  }

  /** Closes everything at once. */
  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }

  private accept(socket: TcpConnection): void {
    if (this.connections.size >= this.limits.connections) [...take(this.connections, 1)][0]!.destroy();
    const connection = new Connection(socket, this.served, this.limits, this.clock, this.onPanic, {
      alive: () => this.touch(connection),
      closed: () => void this.connections.delete(connection),
    });
    this.connections.add(connection);
  }

  private touch(connection: Connection): void {
    if (this.connections.delete(connection)) this.connections.add(connection);
  }

  private sweep(): void {
    const now = this.clock.monotonic();
    for (const connection of this.connections) if (connection.overdue(now)) connection.destroy();
  }
}

function* take<T>(items: Iterable<T>, count: number): Generator<T> {
  let taken = 0;
  for (const item of items) {
    if (taken++ === count) return;
    yield item;
  }
}

interface Events {
  alive(): void;
  closed(): void;
}

class Connection {
  private readonly frames = new FrameReader();
  private pending = 0;
  private lastAnswer: Milliseconds;
  /** When the message that is being received began; undefined between messages. */
  private began: Milliseconds | undefined;
  private ending = false;
  private corked = false;

  constructor(
    private readonly socket: TcpConnection,
    private readonly served: Served,
    private readonly limits: TcpLimits,
    private readonly clock: Clock,
    private readonly onPanic: OnPanic,
    private readonly events: Events,
  ) {
    this.lastAnswer = clock.monotonic();
    const { stream } = socket;
    stream.on('data', (chunk: Buffer) => this.receive(chunk));
    // The client has sent its last query; what it waits for still goes out (RFC 7766 section 6.2.4).
    stream.on('end', () => this.closeWhenAnswered());
    stream.on('error', () => this.destroy());
    stream.on('close', () => events.closed());
  }

  /** Silent for too long, between messages or within one. */
  overdue(now: Milliseconds): boolean {
    if (this.began !== undefined) return now - this.began > this.limits.read;
    return this.pending === 0 && now - this.lastAnswer > this.limits.idle;
  }

  closeWhenAnswered(): void {
    this.ending = true;
    if (this.pending === 0) this.socket.stream.end();
  }

  destroy(): void {
    this.socket.stream.destroy();
  }

  private receive(chunk: Buffer): void {
    this.events.alive();
    this.frames.push(chunk);
    const received = this.clock.monotonic();
    for (let message = this.frames.next(); message !== undefined; message = this.frames.next()) {
      this.began = undefined;
      this.handle(message, received);
    }
    if (this.frames.buffered === 0) this.began = undefined;
    else this.began ??= received;
    this.lastAnswer = received;
    if (this.pending >= this.limits.pending) this.socket.stream.pause();
  }

  private handle(message: Buffer, received: Milliseconds): void {
    this.pending++;
    let answered = false;
    const done = (answer?: Buffer): void => {
      if (answered) return;
      answered = true;
      this.answered(answer);
    };
    respond(
      message,
      this.served,
      {
        transport: 'tcp',
        remote: this.socket.remote,
        local: this.socket.local,
        server: this.served.server,
        received,
        prefix: 2,
        send: done,
        dropped: () => done(),
      },
      this.onPanic,
    );
  }

  private answered(answer: Buffer | undefined): void {
    const { stream } = this.socket;
    this.pending--;
    this.lastAnswer = this.clock.monotonic();
    if (answer !== undefined && !stream.destroyed) {
      this.cork();
      answer.writeUInt16BE(answer.length - 2, 0);
      stream.write(answer);
      if (stream.writableLength > this.limits.unsent) return this.destroy();
    }
    if (stream.isPaused() && this.pending < this.limits.pending / 2) stream.resume();
    if (this.ending && this.pending === 0) stream.end();
  }

  /** Answers of one turn of the event loop leave in one write. */
  private cork(): void {
    if (this.corked) return;
    this.corked = true;
    this.socket.stream.cork();
    process.nextTick(() => {
      this.corked = false;
      this.socket.stream.uncork();
    });
  }
}
