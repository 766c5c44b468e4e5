import http from 'node:http';
import { NodensError } from '../lib/errors.js';
import type { HttpRoute, TlsListening } from '../chain/index.js';
import { hostPort } from '../lib/cidr.js';
import type { Clock } from '../lib/clock.js';
import type { Network, TcpConnection, TcpListener } from '../net/network.js';
import { descriptorLimit } from '../lib/descriptor-limit.js';
import { httpLimitsWithin } from './descriptors.js';
import { HttpConnections, type HttpLimits } from './http-connections.js';
import { exchange, type HttpResource } from './http-exchange.js';
import { secureConnection } from './tls.js';

/** One HTTP address: its routes can be exchanged while it listens. */
class HttpListener {
  private routes: ReadonlyMap<string, HttpResource> = new Map();
  private readonly connections: HttpConnections;
  private listener: TcpListener | undefined;
  private tls: TlsListening | undefined;
  private handshakes = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: HttpLimits,
  ) {
    // Node's HTTP server works on any stream: the connection comes from the network port, modelled or real.
    const server = http.createServer((request, response) => this.serve(request, response));
    this.connections = new HttpConnections(server, clock, limits);
  }

  async open(network: Network, address: string, port: number): Promise<void> {
    this.listener = await network.listenTcp({ address, port }, (connection) => this.accept(connection));
  }

  get port(): number {
    return this.listener!.local.port;
  }

  route(routes: ReadonlyMap<string, HttpRoute>): void {
    this.routes = routes;
    this.tls = [...routes.values()].find(({ tls }) => tls !== undefined)?.tls;
  }

  close(): void {
    this.listener?.close();
    this.connections.destroy();
  }

  private accept(connection: TcpConnection): void {
    const { tls } = this;
    if (tls === undefined) return this.connections.accept(connection);
    if (this.handshakes >= this.limits.connections) return void connection.stream.destroy();
    this.handshakes++;
    secureConnection(connection, tls, ['http/1.1'], this.clock)
      .then(
        (secure) => this.connections.accept(secure.connection),
        () => undefined,
      )
      .finally(() => this.handshakes--);
  }

  private serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const resource = this.routes.get(request.url?.split('?', 1)[0] ?? '/');
    const client = this.connections.clientOf(request);
    void exchange(request, response, resource, client, (to, chunk) => this.connections.write(to, chunk));
  }
}

/**
 * All HTTP addresses of the server. An address that the next configuration names too goes on listening, so a reload
 * misses no request.
 */
export class HttpListeners {
  private readonly open = new Map<string, HttpListener>();

  /** @param limits of each address; by default as many connections as the process's descriptors allow */
  constructor(
    private readonly network: Network,
    private readonly clock: Clock,
    private readonly limits: HttpLimits = httpLimitsWithin(descriptorLimit()),
  ) {}

  /**
   * Opens what `routes` need and is not open yet. The returned `commit` puts the routes in place and closes what is
   * no longer needed; `abandon` closes what
   * was opened. Rejects, with nothing opened, when an address cannot be bound.
   */
  async prepare(routes: readonly HttpRoute[]): Promise<{ commit: () => void; abandon: () => void }> {
    const wanted = new Map<string, Map<string, HttpRoute>>();
    const fresh = new Map<string, HttpListener>();
    const abandon = (): void => fresh.forEach((listener) => listener.close());
    for (const route of routes) {
      const key = hostPort(route.address, route.port);
      const paths = wanted.get(key) ?? new Map<string, HttpRoute>();
      wanted.set(key, paths);
      if (!paths.has(route.path)) paths.set(route.path, route);
      if (this.open.has(key) || fresh.has(key)) continue;
      const listener = new HttpListener(this.clock, this.limits);
      fresh.set(key, listener);
      try {
        await listener.open(this.network, route.address, route.port);
      } catch (error) {
        abandon();
        throw new NodensError(
          'NODENS_LISTEN',
          `${route.owner}: cannot listen on ${key} (tcp): ${(error as Error).message}`,
          { cause: error },
        );
      }
    }
    return {
      abandon,
      commit: () => {
        this.commit(wanted, fresh);
        for (const route of routes) route.listening?.(this.open.get(hostPort(route.address, route.port))!.port);
      },
    };
  }

  closeAll(): void {
    this.open.forEach((listener) => listener.close());
    this.open.clear();
  }

  private commit(wanted: ReadonlyMap<string, Map<string, HttpRoute>>, fresh: ReadonlyMap<string, HttpListener>): void {
    fresh.forEach((listener, key) => this.open.set(key, listener));
    for (const [key, listener] of this.open) {
      const paths = wanted.get(key);
      if (paths) listener.route(paths);
      else {
        listener.close();
        this.open.delete(key);
      }
    }
  }
}
