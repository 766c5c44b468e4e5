import type { Endpoint, Network, TcpConnection, TcpListener } from '../net/network.js';
import type { Responder } from './respond.js';
import type { Served } from './routes.js';
import type { TcpClients } from './tcp-clients.js';
import { ClientConnection } from './tcp-connection.js';

/** Takes queries at one TCP address. */
export class TcpServer {
  private readonly connections = new Set<ClientConnection>();
  private listener: TcpListener | undefined;

  private constructor(
    readonly served: Served,
    private readonly clients: TcpClients,
    private readonly responder: Responder,
  ) {}

  /** @param clients those of all addresses */
  static async listen(
    network: Network,
    at: Endpoint,
    served: Served,
    clients: TcpClients,
    responder: Responder,
  ): Promise<TcpServer> {
    const server = new TcpServer(served, clients, responder);
    server.listener = await network.listenTcp(at, (connection) => server.accept(connection));
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
