import http from 'node:http';
import { NodensError } from '../lib/errors.js';
import type { HttpAnswer, HttpRoute } from '../chain/index.js';
import { hostPort } from '../lib/cidr.js';
import type { Clock } from '../lib/clock.js';
import type { Network, TcpListener } from '../net/network.js';
import { descriptorLimit, httpLimitsWithin } from './descriptors.js';
import { HttpConnections, type HttpLimits } from './http-connections.js';

type RouteAnswer = HttpRoute['answer'];

/** One HTTP address: its routes can be exchanged while it listens. */
class HttpListener {
  private routes: ReadonlyMap<string, RouteAnswer> = new Map();
  private readonly connections: HttpConnections;
  private listener: TcpListener | undefined;

  constructor(clock: Clock, limits: HttpLimits) {
    // Node's HTTP server works on any stream: the connection comes from the network port, modelled or real.
    const server = http.createServer((request, response) => void this.serve(request, response));
    this.connections = new HttpConnections(server, clock, limits);
  }

  async open(network: Network, address: string, port: number): Promise<void> {
    this.listener = await network.listenTcp({ address, port }, ({ stream }) => this.connections.accept(stream));
  }

  get port(): number {
    return this.listener!.local.port;
  }

  route(routes: ReadonlyMap<string, RouteAnswer>): void {
    this.routes = routes;
  }

  close(): void {
    this.listener?.close();
    this.connections.destroy();
  }

  private async serve(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const [path = '/', query] = (request.url ?? '/').split(/\?(.*)/s, 2);
    const answer = this.routes.get(path);
    let result: HttpAnswer = { status: 404, body: '404 page not found\n' };
    try {
      if (answer) result = await answer({ query: new URLSearchParams(query) });
    } catch (error) {
      result = { status: 500, body: `${(error as Error).message}\n` };
    }
    response.writeHead(result.status, {
      'content-type': result.contentType ?? 'text/plain; charset=utf-8',
      ...result.headers,
    });
    response.end(request.method === 'HEAD' ? undefined : result.body);
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
    const wanted = new Map<string, Map<string, RouteAnswer>>();
    const fresh = new Map<string, HttpListener>();
    const abandon = (): void => fresh.forEach((listener) => listener.close());
    for (const route of routes) {
      const key = hostPort(route.address, route.port);
      const paths = wanted.get(key) ?? new Map<string, RouteAnswer>();
      wanted.set(key, paths);
      if (!paths.has(route.path)) paths.set(route.path, (request) => route.answer(request));
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

  private commit(
    wanted: ReadonlyMap<string, Map<string, RouteAnswer>>,
    fresh: ReadonlyMap<string, HttpListener>,
  ): void {
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
