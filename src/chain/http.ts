import { NodensError } from '../lib/errors.js';
import type { Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import type { TlsListening } from './tls-listening.js';

/** Longest body of a request, in bytes, for a route that says nothing about it. */
export const MAX_HTTP_BODY: Octets = 65_536;

/** An HTTP request as a route gets it. */
export interface HttpRequest {
  /** As the client wrote it, in capitals as a rule: `GET`, `HEAD`, `POST`. */
  readonly method: string;
  /** As the client wrote it: the path, and what stands behind the question mark. */
  readonly url: string;
  readonly query: URLSearchParams;
  /** By their names in lower case; the values of several with one name have `, ` between them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly client: Endpoint;
  /** Fires when the client's connection ends before the answer is complete. */
  readonly signal: AbortSignal;
  /**
   * The whole body; empty where there is none. Asked for once. Rejects with a RefusedRequest (413) for one that is
   * longer than the route allows, and (400) for one that ends too early.
   */
  readonly body: () => Promise<Uint8Array>;
}

/** An answer to an HTTP request. */
export interface HttpAnswer {
  /** 200 where nothing is said. */
  readonly status?: number;
  /** Their names in lower case; `content-type` is plain text in UTF-8 where nothing is said. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Text, bytes, or either piece by piece, as fast as the client takes them: each piece goes out when it is there. A
   * stream is left (`return`) when the client leaves; one that throws cuts the connection.
   */
  readonly body: string | Uint8Array | AsyncIterable<string | Uint8Array>;
}

export interface HttpRoute {
  /** IPv4 or IPv6 address; an empty string listens on all. */
  readonly address: string;
  readonly port: number;
  /** The path that is asked for, without query: `/metrics`. */
  readonly path: string;
  /** Which plugin it belongs to, for messages. */
  readonly owner: string;
  /**
   * Requests come over TLS. Where several routes share an address, what the first that says something says holds for
   * all of them.
   */
  readonly tls?: TlsListening;
  /** Longest body of a request; MAX_HTTP_BODY where nothing is said. */
  readonly maxBody?: Octets;
  /** What it throws is answered with its message: a RefusedRequest with its status, all else with 500. */
  answer(request: HttpRequest): HttpAnswer | Promise<HttpAnswer>;
  /** Told the port that was opened, before the first request: another than `port` where that is 0. */
  listening?(port: number): void;
}

/** A request that gets an answer other than success, in one line of text. */
export class RefusedRequest extends NodensError {
  override readonly name = 'RefusedRequest';

  /** @param status 400 to 599 */
  constructor(
    readonly status: number,
    message: string,
  ) {
    super('NODENS_REQUEST', message);
  }
}

/** Whether the client takes gzip (RFC 9110 section 12.5.3), said by name and not with a weight of 0. */
export const takesGzip = ({ headers }: Pick<HttpRequest, 'headers'>): boolean =>
  (headers['accept-encoding'] ?? '').split(',').some((coding) => {
    const [name = '', ...parameters] = coding
      .toLowerCase()
      .split(';')
      .map((part) => part.trim());
    return /^(x-)?gzip$/.test(name) && !parameters.some((parameter) => /^q\s*=\s*0(\.0*)?$/.test(parameter));
  });
