import type { Client } from '../chain/index.js';
import type { Endpoint, Network, TcpConnection, TcpListener } from '../net/network.js';
import type { Responder } from './respond.js';
import type { Served } from './routes.js';
import type { TcpClients } from './tcp-clients.js';
import { ClientConnection } from './tcp-connection.js';

/** A connection on which messages may come, and what is known of its client beside the addresses. */
export interface Accepted {
  readonly connection: TcpConnection;
  readonly facts: Pick<Client, 'transport' | 'tls'>;
}

/** What a connection has to go through before its first message, such as a handshake. Rejects where that fails. */
export type Accept = (connection: TcpConnection) => Accepted | Promise<Accepted>;

/** Takes a connection as it is. */
export const inTheClear: Accept = (connection) => ({ connection, facts: { transport: 'tcp' } });

/** What the TCP servers of all addresses have in common. */
export interface TcpContext {
  readonly network: Network;
  /** Open connections, which have their bounds in common. */
  readonly clients: TcpClients;
  readonly responder: Responder;
}

/** Takes queries, each behind its length (RFC 1035 section 4.2.2), at one TCP address. */
export class TcpServer {
  private readonly connections = new Set<ClientConnection>();
  /** Those that are not through yet. */
  private readonly arriving = new Set<TcpConnection>();
  private listener: TcpListener | undefined;
  private closed = false;

  /**
   * @param serverAt who serves at an address that a listener at all of the host's addresses was reached by, where that
   *   is another server
   */
  constructor(
    private readonly context: TcpContext,
    private readonly at: Endpoint,
    readonly served: Served,
    private readonly accept: Accept,
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
    this.listener = await this.context.network.listenTcp(this.at, (connection) =>
      (this.serverAt(connection.local) ?? this).take(connection),
    );
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

  get open(): number {
    return this.connections.size + this.arriving.size;
  }

  /** Takes no more connections; those without queries under way are closed, the others after their last answer. */
  close(): void {
    this.closed = true;
    this.release();
    for (const { stream } of this.arriving) stream.destroy();
    for (const connection of this.connections) connection.closeWhenAnswered();
  }

  /** Closes everything at once. */
  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }

  private take(connection: TcpConnection): void {
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
    // A handshake is work and memory: those under way have the bound that open connections have.
    if (this.arriving.size >= this.context.clients.limits.connections) connection.stream.destroy();
    else this.arriving.add(connection);
  }

  private serve({ connection, facts }: Accepted): void {
    const { clients, responder } = this.context;
    const { remote, local } = connection;
    const client: Client = { ...facts, remote, local, server: this.served.server };
    const closed = (ended: ClientConnection): void => void this.connections.delete(ended);
    this.connections.add(new ClientConnection(connection, client, this.served, clients, responder, closed));
  }
}
