import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { repeat, type Clock, type Timer } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import type { Endpoint, TcpConnection } from '../net/network.js';

/** Bounds on what clients of one HTTP port may keep busy. */
export interface HttpLimits {
  /** Open connections, at least 1; one more closes the one that has been waited for longest. */
  readonly connections: number;
  /** A request must be there this long after its connection was opened, or after the answer before it. */
  readonly request: Milliseconds;
  /** The client must have taken an answer this long after it was complete, and a part of a stream after it was there. */
  readonly write: Milliseconds;
  /** Requests of one connection that may wait for their answers; a client that sends more is closed. */
  readonly pending: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = { connections: 128, request: 5000, write: 10_000, pending: 16 };

/** How often connections that are late are looked for: one timer for all. */
const SWEEP: Milliseconds = 500;

/** One connection: what is waited for, and since when. */
interface Open {
  readonly stream: Duplex;
  readonly client: Endpoint;
  /** The last one whose headers have come; its body may be missing. */
  request: IncomingMessage | undefined;
  /** Answers under way. Who waits for the server is in no hurry. */
  pending: number;
  /** Those of them that wait for the client to take them: all of it, or what there is so far. */
  writing: number;
  /** When the wait for the client began: to take an answer where there is one, else to send its next request. */
  since: Milliseconds;
}

/**
 * The connections of an HTTP server that never listens itself, as the network port hands them over. Node's own time
 * limits start with listening and need sockets; these hold for any stream.
 */
export class HttpConnections {
  /** In the order in which they were last waited for: the first has kept us waiting for longest. */
  private readonly open = new Map<Duplex, Open>();
  private sweeper: Timer | undefined;

  constructor(
    private readonly server: HttpServer,
    private readonly clock: Clock,
    private readonly limits: HttpLimits = DEFAULT_HTTP_LIMITS,
  ) {
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) =>
      this.requested(request, response),
    );
  }

  get size(): number {
    return this.open.size;
  }

  /** Takes a connection on, perhaps in the place of another. */
  accept({ stream, remote }: Pick<TcpConnection, 'stream' | 'remote'>): void {
    if (this.open.size >= this.limits.connections && !this.makeRoom()) return void stream.destroy();
    const since = this.clock.monotonic();
    const connection: Open = { stream, client: remote, request: undefined, pending: 0, writing: 0, since };
    this.open.set(stream, connection);
    this.sweeper ??= repeat(this.clock, SWEEP, () => this.sweep());
    stream.once('close', () => this.forget(stream));
    this.server.emit('connection', stream);
  }

  /** Who sent a request; nobody once its connection is closed. */
  clientOf({ socket }: IncomingMessage): Endpoint {
    return this.open.get(socket)?.client ?? { address: '', port: 0 };
  }

  /** Writes a part of an answer, and resolves when the client takes more; false when it has left. */
  async write(response: ServerResponse, chunk: string | Uint8Array): Promise<boolean> {
    if (response.destroyed || response.write(chunk)) return !response.destroyed;
    const connection = this.open.get(response.req.socket);
    if (connection === undefined) return false;
    connection.writing++;
    this.wait(connection);
    await new Promise<void>((resolve) => {
      const end = (): void => {
        response.off('drain', end).off('close', end);
        resolve();
      };
      response.on('drain', end).on('close', end);
    });
    connection.writing--;
    this.wait(connection);
    return !response.destroyed;
  }

  /** Closes everything at once. */
  destroy(): void {
    for (const { stream } of this.open.values()) stream.destroy();
    this.open.clear();
  }

  private requested(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.open.get(request.socket);
    if (connection === undefined) return;
    connection.request = request;
    if (++connection.pending > this.limits.pending) return void connection.stream.destroy();
    // The last octet of the answer is the server's to give; from then on the client is waited for.
    let complete = 0;
    response.once('prefinish', () => {
      connection.writing += complete = 1;
      this.wait(connection);
    });
    response.once('close', () => {
      connection.pending--;
      connection.writing -= complete;
      this.wait(connection);
    });
  }

  private wait(connection: Open): void {
    const { stream } = connection;
    if (!this.open.delete(stream)) return;
    connection.since = this.clock.monotonic();
    this.open.set(stream, connection);
  }

  /** Closes the connection that has kept us waiting for longest; false when all wait for us. */
  private makeRoom(): boolean {
    for (const connection of this.open.values()) {
      if (!waitsForClient(connection)) continue;
      this.forget(connection.stream);
      connection.stream.destroy();
      return true;
    }
    return false;
  }

  private sweep(): void {
    const now = this.clock.monotonic();
    const { request, write } = this.limits;
    for (const connection of this.open.values()) {
      const patience = connection.writing > 0 ? write : request;
      if (waitsForClient(connection) && now - connection.since > patience) connection.stream.destroy();
    }
  }

  private forget(stream: Duplex): void {
    this.open.delete(stream);
    if (this.open.size === 0) this.rest();
  }

  private rest(): void {
    this.sweeper?.cancel();
    this.sweeper = undefined;
  }
}

/** Whether it is the client's turn: to send a request or the rest of one, or to take an answer. */
const waitsForClient = ({ request, pending, writing }: Open): boolean =>
  pending === 0 || writing > 0 || request?.complete === false;
