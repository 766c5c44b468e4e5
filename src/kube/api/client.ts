import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds, Octets } from '../../lib/units.js';
import type { ApiConnection, ApiCredentials } from '../auth/connection.js';
import { readObject } from '../protobuf/envelope.js';
import { ApiError } from './api-error.js';
import { JSON_TYPE, PROTOBUF_TYPE, isProtobuf } from './body.js';
import type { ApiQuestion, ApiResponse } from './exchange.js';
import { Http1 } from './http1.js';
import { Http2 } from './http2.js';
import type { RateLimiter } from './rate-limiter.js';
import { SilenceGuard } from './silence-guard.js';

/** Of an error's body: a Status object is far smaller. */
const MAX_ERROR_BODY: Octets = 64 * 1024;

/** Of a compressed list, taken apart at a time: about a millisecond's work. */
const PIECE: Octets = 64 << 10;

/** What one request to the API did, for metrics. */
export interface ApiRequest {
  readonly purpose: 'list' | 'watch';
  readonly method: 'GET';
  /** Host and port. */
  readonly host: string;
  /** Status code, or `<error>` when there was no response. */
  readonly code: string;
  /** Until the headers of the response were there, without the wait for the rate limiter. */
  readonly duration: Milliseconds;
  /** Wait for the rate limiter; undefined for a watch, which is not limited. */
  readonly limiterWait: Milliseconds | undefined;
}

export interface RequestOptions {
  readonly purpose: ApiRequest['purpose'];
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** A list that does not count against the limits. */
  readonly unlimited?: boolean;
  /** Longest time until the headers of the response. */
  readonly headerSilence: Milliseconds;
  /** Longest time without a single byte from there on; read anew with each piece. */
  readonly silence: Milliseconds;
  /** Whether protobuf is taken, too. */
  readonly protobuf?: boolean;
  /** Called once, when the answer turns out to be a success, with its content type. */
  onOpen?(contentType: string): void;
  /** The next piece comes when the promise, if there is one, has resolved. */
  onData(chunk: Uint8Array): Promise<void> | void;
}

export interface ApiClientOptions {
  readonly connection: ApiConnection;
  readonly limiter: RateLimiter;
  readonly clock: Clock;
  readonly userAgent: string;
  readonly onRequest?: (request: ApiRequest) => void;
}

/** Sends requests to one API server, with credentials that may change between any two of them. */
export class ApiClient {
  /** Made when it is first needed: with HTTP/2 it never is. */
  private http1: Http1 | undefined;
  /** undefined where only HTTP/1.1 will do. */
  private http2: Http2 | undefined;

  constructor(private readonly options: ApiClientOptions) {
    const { url, proxy } = options.connection;
    if (url.protocol === 'https:' && proxy === undefined) this.http2 = new Http2(url, options.clock);
  }

  get host(): string {
    return this.options.connection.url.host;
  }

  /**
   * Resolves when the response has ended as it should. Rejects with an {@link ApiError} for any status but 200, with
   * the error of the connection when it breaks, and with whatever `onData` throws. The request is given up in all
   * these cases.
   */
  async get(request: RequestOptions): Promise<void> {
    const { limiter, connection } = this.options;
    const limited = request.purpose === 'list' && request.unlimited !== true;
    const wait = limited ? await limiter.acquire(request.signal) : undefined;
    try {
      const credentials = await connection.credentials();
      request.signal.throwIfAborted();
      await this.exchange(request, credentials, wait);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) connection.refused();
      throw error;
    } finally {
      if (limited) limiter.release();
    }
  }

  close(): void {
    this.http1?.close();
    this.http2?.close();
  }

  private async exchange(
    request: RequestOptions,
    credentials: ApiCredentials,
    limiterWait: Milliseconds | undefined,
  ): Promise<void> {
    const guard = new SilenceGuard(this.options.clock, request.headerSilence, request.signal);
    try {
      const response = await this.open(request, credentials, guard, limiterWait);
      if (response.status !== 200) throw await errorOf(response, guard);
      request.onOpen?.(response.header('content-type'));
      // Leaving this loop early, by an error or an abort, gives the request up.
      for await (const chunk of bodyOf(response)) {
        guard.heard();
        await request.onData(chunk as Uint8Array);
        guard.limit = request.silence;
        guard.heard();
      }
      await response.ended();
    } catch (error) {
      throw guard.reason ?? error;
    } finally {
      guard.end();
    }
  }

  /** Resolves when the headers of the response are there. */
  private async open(
    request: RequestOptions,
    credentials: ApiCredentials,
    guard: SilenceGuard,
    limiterWait: Milliseconds | undefined,
  ): Promise<ApiResponse> {
    const { clock, onRequest } = this.options;
    const start = clock.monotonic();
    const { purpose } = request;
    const report = (code: string): void =>
      onRequest?.({ purpose, method: 'GET', host: this.host, code, duration: clock.monotonic() - start, limiterWait });
    try {
      const response = await this.ask(request, credentials, guard.signal);
      guard.limit = request.silence;
      guard.heard();
      report(String(response.status));
      return response;
    } catch (error) {
      if (!request.signal.aborted) report('<error>');
      throw error;
    }
  }

  private async ask(
    { purpose, path, query, protobuf }: RequestOptions,
    { headers, tls }: ApiCredentials,
    signal: AbortSignal,
  ): Promise<ApiResponse> {
    const base = this.options.connection.url.pathname.replace(/\/$/, '');
    const question: ApiQuestion = {
      target: `${base}${path}?${new URLSearchParams(query).toString()}`,
      headers: {
        accept: protobuf === true ? `${PROTOBUF_TYPE},${JSON_TYPE}` : JSON_TYPE,
        // Of a long list, a twelfth is sent then. A watch is not compressed: its events are to come at once.
        ...(purpose === 'list' && { 'accept-encoding': 'gzip' }),
        'user-agent': this.options.userAgent,
        ...headers,
      },
      tls,
      signal,
    };
    const response = await this.http2?.ask(question);
    if (response !== undefined) return response;
    this.http2 = undefined;
    const { url, proxy } = this.options.connection;
    this.http1 ??= new Http1(url, proxy);
    return this.http1.ask(question);
  }
}

/** The body of a response as it was before it was compressed. */
function bodyOf(response: ApiResponse): Readable {
  if (response.header('content-encoding') !== 'gzip') return response.body;
  const body = createGunzip({ chunkSize: PIECE });
  // An error on either side ends both, and is thrown where the body is read.
  pipeline(response.body, body, () => undefined);
  return body;
}

async function errorOf(response: ApiResponse, guard: SilenceGuard): Promise<ApiError> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of bodyOf(response)) {
    guard.heard();
    parts.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
    if (size > MAX_ERROR_BODY) break;
  }
  let status: unknown;
  try {
    const bytes = Buffer.concat(parts);
    status = isProtobuf(response.header('content-type'))
      ? readObject(bytes, 0, bytes.length, undefined)
      : JSON.parse(bytes.toString('utf8'));
  } catch {
    // A proxy in between may answer in HTML; the code says enough.
  }
  const retryAfter = response.header('retry-after');
  return ApiError.of(response.status, status, /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : 0);
}
