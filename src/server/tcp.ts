import type { Endpoint, Network, TcpConnection, TcpListener } from '../net/network.js';
import type { Responder } from './respond.js';
import type { Served } from './routes.js';
import type { TcpClients } from './tcp-clients.js';
import { ClientConnection } from './tcp-connection.js';

/** Takes queries at one TCP address. */
export class TcpServer {
  private readonly connections = new Set<ClientConnection>();
  private listener: TcpListener | undefined;

  /**
   * @param clients those of all addresses
   * @param serverAt who serves at an address that a listener at all of the host's addresses was reached by, where that
   *   is another server
   */
  constructor(
    private readonly network: Network,
    private readonly at: Endpoint,
    readonly served: Served,
    private readonly clients: TcpClients,
    private readonly responder: Responder,
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
    this.listener = await this.network.listenTcp(this.at, (connection) =>
      (this.serverAt(connection.local) ?? this).accept(connection),
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
    return this.connections.size;
  }

  /** Takes no more connections; those without queries under way are closed, the others after their last answer. */
  close(): void {
    this.release();
    for (const connection of this.connections) connection.closeWhenAnswered();
  }

  /** Closes everything at once. */
  destroy(): void {
    for (const connection of this.connections) connection.destroy();
  }

  private accept(socket: TcpConnection): void {
    const closed = (connection: ClientConnection): void => void this.connections.delete(connection);
    this.connections.add(new ClientConnection(socket, this.served, this.clients, this.responder, closed));
  }
}
