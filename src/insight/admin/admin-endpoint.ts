import http from 'node:http';
import { RefusedRequest, type HttpAnswer, type HttpRequest } from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import { NodensError } from '../../lib/errors.js';
import type { Octets } from '../../lib/units.js';
import type { Network } from '../../net/network.js';
import { adminAddressText, type AdminAddress, type AdminOptions } from '../../server/admin-flags.js';
import { DEFAULT_HTTP_LIMITS, HttpConnections } from '../../server/http-connections.js';
import { exchange, type HttpResource } from '../../server/http-exchange.js';
import { readToken, showsToken } from './token.js';
import { listenUnix } from './unix-listener.js';

/** What is asked for at one path. All of them are asked with GET, have no body, and answer with bounded JSON. */
export interface AdminRoute {
  /** Such as `/explain`. */
  readonly path: string;
  /** What it throws is answered with its message: a RefusedRequest with its status, all else with 500. */
  answer(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>;
}

/** Who asks is a person at a terminal, or a few programs. */
const LIMITS = { ...DEFAULT_HTTP_LIMITS, connections: 16, pending: 2 };
const LARGEST_HEAD: Octets = 8192;
const LONGEST_URL = 4096;
/** Requests that are answered at once. */
const MOST_AT_ONCE = 8;

/**
 * Where a running server tells about itself, to the user it runs as and to root, or to whoever shows its token: never
 * to another host. One place listens, checks who asks, and hands on by path.
 */
export class AdminEndpoint {
  private readonly connections: HttpConnections;
  private readonly resources: ReadonlyMap<string, HttpResource>;
  private readonly token: string | undefined;
  private busy = 0;
  private listener: { close(): void } | undefined;
  private place: AdminAddress;

  /**
   * Reads the token and listens. Rejects with a NodensError where that cannot be done, or cannot be done safely.
   */
  static async open(
    options: AdminOptions,
    routes: readonly AdminRoute[],
    { network, clock }: { readonly network: Network; readonly clock: Clock },
  ): Promise<AdminEndpoint> {
    const endpoint = new AdminEndpoint(options, routes, clock);
    await endpoint.listen(options, network);
    return endpoint;
  }

  private constructor({ at, tokenFile }: AdminOptions, routes: readonly AdminRoute[], clock: Clock) {
    this.place = at;
    this.token = tokenFile === undefined ? undefined : readToken(tokenFile);
    this.resources = new Map(routes.map((route) => [route.path, this.guarded(route)]));
    const server = http.createServer({ maxHeaderSize: LARGEST_HEAD }, (request, response) => {
      const resource = this.resources.get(request.url?.split('?', 1)[0] ?? '') ?? this.guarded(undefined);
      const write = this.connections.write.bind(this.connections);
      void exchange(request, response, resource, this.connections.clientOf(request), write);
    });
    this.connections = new HttpConnections(server, clock, LIMITS);
  }

  /** Where it listens, with the port that was drawn where none was named. */
  get at(): AdminAddress {
    return this.place;
  }

  /** Ends all connections; the socket goes where it is still this one's. */
  close(): void {
    this.listener?.close();
    this.connections.destroy();
  }

  private async listen({ at }: AdminOptions, network: Network): Promise<void> {
    const accept = this.connections.accept.bind(this.connections);
    try {
      if ('path' in at) this.listener = await listenUnix(at.path, accept);
      else {
        const listener = await network.listenTcp(at, accept);
        this.listener = listener;
        this.place = listener.local;
      }
    } catch (error) {
      if (error instanceof NodensError) throw error;
      const text = `-admin: cannot listen on ${adminAddressText(at)}: ${(error as Error).message}`;
      throw new NodensError('NODENS_LISTEN', text, { cause: error });
    }
  }

  /** Who may not ask learns nothing, not even which paths there are. */
  private guarded(route: AdminRoute | undefined): HttpResource {
    const answer = async (request: HttpRequest): Promise<HttpAnswer> => {
      if (this.token !== undefined && !showsToken(request.headers.authorization, this.token))
        throw new RefusedRequest(401, 'the token is missing or another one: -token FILE shows it');
      if (route === undefined) throw new RefusedRequest(404, `allowed: ${[...this.resources.keys()].join(', ')}`);
      if (request.method !== 'GET') throw new RefusedRequest(405, `got ${request.method}, allowed: GET`);
      if (request.url.length > LONGEST_URL) throw new RefusedRequest(414, `allowed: ${LONGEST_URL} characters`);
      if (this.busy >= MOST_AT_ONCE) throw new RefusedRequest(503, `${MOST_AT_ONCE} requests are under way`);
      this.busy++;
      try {
        return await route.answer(request);
      } finally {
        this.busy--;
      }
    };
    return { maxBody: 0, answer: (request) => answer(request).catch(refusal) };
  }
}

/** An answer in JSON. */
export const jsonAnswer = (value: unknown, status = 200): HttpAnswer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: `${JSON.stringify(value)}\n`,
});

const refusal = (error: unknown): HttpAnswer =>
  jsonAnswer(
    { error: error instanceof Error ? error.message : String(error) },
    error instanceof RefusedRequest ? error.status : 500,
  );
