import type { Client } from '../chain/index.js';
import type { Endpoint, Network, TcpConnection, TcpListener } from '../net/network.js';
import type { Milliseconds } from '../lib/units.js';
import { behindProxy } from './proxy-protocol.js';
import type { Responder } from './respond.js';
import type { Served } from './routes.js';
import type { TcpClients } from './tcp-clients.js';
import { ClientConnection } from './tcp-connection.js';

/** A connection on which messages may come, and what is known of its client beside the addresses. */
export interface Accepted {
  readonly connection: TcpConnection;
  readonly facts: Pick<Client, 'transport' | 'tls'>;
  /** What was agreed to be spoken (ALPN, RFC 7301), if that was spoken of. */
  readonly protocol?: string | undefined;
}

/** A connection while it is served. */
export interface ServedConnection {
  /** When its client was last answered; before that, when it came. */
  readonly lastAnswer: Milliseconds;
  /** Takes no more queries, and closes after the last answer; with `quiet`, once none has come for so long. */
  closeWhenAnswered(quiet?: Milliseconds): void;
  destroy(): void;
}

/** What serving a connection needs of the server around it. */
export interface Serving extends Omit<TcpContext, 'network'> {
  readonly served: Served;
  /** To be called when the connection is gone. */
  readonly closed: (connection: ServedConnection) => void;
}

/** What is spoken at an address. */
export interface ConnectionProtocol {
  readonly accept: Accept;
  /** Takes the messages of a connection that is through. */
  readonly serve: (accepted: Accepted, client: Client, serving: Serving) => ServedConnection;
  /** How many connections the address may have, and how many that are not through yet, at the moment. */
  connections?(): { readonly open: number; readonly arriving: number };
}

/** What a connection has to go through before its first message, such as a handshake. Rejects where that fails. */
export type Accept = (connection: TcpConnection) => Accepted | Promise<Accepted>;

/** Messages follow each other, each behind its length (RFC 1035 section 4.2.2). */
export const framed: ConnectionProtocol['serve'] = ({ connection }, client, { served, clients, responder, closed }) =>
  new ClientConnection(connection, client, served, clients, responder, closed);

/** Takes a connection as it is. */
export const inTheClear: ConnectionProtocol = {
  accept: (connection) => ({ connection, facts: { transport: 'tcp' } }),
  serve: framed,
};

/** What the TCP servers of all addresses have in common. */
export interface TcpContext {
  readonly network: Network;
  /** Open connections, which have their bounds in common. */
  readonly clients: TcpClients;
  readonly responder: Responder;
}

/** Connections that wait for memory are looked at this often, and there are so many of them at most. */
const RETRY: Milliseconds = 100;
const MOST_WAITING = 256;

/** Takes connections at one address. */
export interface ConnectionServer {
  readonly listens: boolean;
  readonly local: Endpoint;
  /** How many connections there are. */
  readonly open: number;
  /** Connections that have come to its listener. */
  readonly accepted: number;
  listen(): Promise<void>;
  release(): void;
  turnAway(): boolean;
  close(quiet?: Milliseconds): void;
  destroy(): void;
}

/** Takes queries at one TCP address. */
export class TcpServer implements ConnectionServer {
  private readonly connections = new Set<ServedConnection>();
  /** Those that are not through yet. */
  private readonly arriving = new Set<TcpConnection>();
  /** Those that wait for memory. */
  private readonly waiting = new Set<TcpConnection>();
  private listener: TcpListener | undefined;
  private closed = false;
  /** Connections that have come to its listener. */
  accepted = 0;

  /**
   * @param serverAt who serves at an address that a listener at all of the host's addresses was reached by, where that
   *   is another server
   */
  constructor(
    private readonly context: TcpContext,
    private readonly at: Endpoint,
    readonly served: Served,
    private readonly protocol: ConnectionProtocol,
    private readonly serverAt: (local: Endpoint) => TcpServer | undefined = () => undefined,
  ) {}

  /** As the constructor; listening. */
  static async listen(...parts: ConstructorParameters<typeof TcpServer>): Promise<TcpServer> {
    const server = new TcpServer(...parts);
    await server.listen();
    return server;
  }

  /** Takes connections from now on. Without a call it serves those that another server's listener was reached by. */
  async listen(): Promise<void> {
    this.listener = await this.context.network.listenTcp(this.at, (connection) => {
      this.accepted++;
      (this.serverAt(connection.local) ?? this).take(connection);
    });
  }

  /** Leaves the place to another listener; connections stay. */
  release(): void {
    this.listener?.close();
    this.listener = undefined;
  }

  get listens(): boolean {
    return this.listener !== undefined;
  }

  get local(): Endpoint {
    return this.listener?.local ?? this.at;
  }

  /** Has new connections go to other processes at the same place; whether that is so. */
  turnAway(): boolean {
    return this.listener?.turnAway?.() === true;
  }

  get open(): number {
    return this.connections.size + this.arriving.size;
  }

  /**
   * Takes no more connections; those without queries under way are closed, the others after their last answer.
   *
   * @param quiet connections still take queries until none has come for so long
   */
  close(quiet?: Milliseconds): void {
    this.closed = true;
    this.release();
    for (const { stream } of this.arriving) stream.destroy();
    for (const connection of this.connections) connection.closeWhenAnswered(quiet);
  }

  /** Closes everything at once. */
  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }

  private take(connection: TcpConnection): void {
    const { clients } = this.context;
    if (!clients.delays()) return this.admit(connection);
    // It waits unread, with little more than its descriptor; one more than there may be takes the oldest one's place.
    const { stream } = connection;
    const wait = (): void => {
      if (stream.destroyed) return void this.waiting.delete(connection);
      if (clients.delays() && !this.closed) return void clients.clock.setTimeout(wait, RETRY);
      this.waiting.delete(connection);
      if (this.closed) stream.destroy();
      else this.admit(connection);
    };
    stream.on('error', () => stream.destroy());
    this.waiting.add(connection);
    if (this.waiting.size > MOST_WAITING) {
      const [oldest] = this.waiting;
      this.waiting.delete(oldest!);
      oldest!.stream.destroy();
    }
    wait();
  }

  private admit(connection: TcpConnection): void {
    const accepted = this.accept(connection);
    if (!(accepted instanceof Promise)) return this.serve(accepted);
    accepted.then(
      (secured) => {
        this.arriving.delete(connection);
        if (this.closed) secured.connection.stream.destroy();
        else this.serve(secured);
      },
      () => {
        this.arriving.delete(connection);
        connection.stream.destroy();
      },
    );
    this.arriving.add(connection);
    // A handshake is work and memory: the one that takes longest goes.
    const most = this.protocol.connections?.().arriving ?? this.context.clients.limits.connections;
    for (const oldest of this.arriving) {
      if (this.arriving.size <= most) break;
      this.arriving.delete(oldest);
      oldest.stream.destroy();
    }
  }

  private accept(connection: TcpConnection): Accepted | Promise<Accepted> {
    const { proxies } = this.served.routes;
    const { protocol, context } = this;
    if (proxies === undefined) return protocol.accept(connection);
    return behindProxy(connection, proxies, context.clients.clock).then((behind) => protocol.accept(behind));
  }

  private serve(accepted: Accepted): void {
    const { clients, responder } = this.context;
    const { remote, local } = accepted.connection;
    const client: Client = { ...accepted.facts, remote, local, server: this.served.server };
    const closed = (ended: ServedConnection): void => void this.connections.delete(ended);
    const most = this.protocol.connections?.().open ?? Infinity;
    if (this.connections.size >= most) silentForLongest(this.connections)?.destroy();
    this.connections.add(this.protocol.serve(accepted, client, { served: this.served, clients, responder, closed }));
  }
}

/** The one whose client was not answered for longest. */
export function silentForLongest(connections: Iterable<ServedConnection>): ServedConnection | undefined {
  let found: ServedConnection | undefined;
  for (const connection of connections)
    if (found === undefined || connection.lastAnswer < found.lastAnswer) found = connection;
  return found;
}
