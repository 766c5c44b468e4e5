import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { NodensError } from '../../lib/errors.js';
import type { Clock, Timer } from '../../lib/clock.js';
import type { Milliseconds, Octets } from '../../lib/units.js';
import type { ApiConnection, ApiCredentials } from '../auth/connection.js';
import { KEEP_ALIVE, apiAgent } from './api-agent.js';
import type { RateLimiter } from './rate-limiter.js';
import { tlsOptions } from './tls-options.js';
import { objectAt, textAt } from '../objects/raw.js';

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

/** An answer of the API other than success. */
export class ApiError extends NodensError {
  override readonly name = 'ApiError';

  constructor(
    /** HTTP status, or the code of a Status object within a watch. */
    readonly status: number,
    /** Machine-readable word, such as `Expired`; empty when the answer had none. */
    readonly reason: string,
    message: string,
    /** What the Retry-After header asks for; 0 without one. */
    readonly retryAfter: Milliseconds = 0,
    /** Sent as an event of a watch that had begun. */
    readonly streamed = false,
  ) {
    super('NODENS_KUBE_API', message);
  }

  /**
   * The version asked for is too old (or a page's token is): only a new list helps (API concepts, "410 Gone
   * responses").
   */
  get expired(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }

  /** The version asked for is newer than anything the server knows: it was set back to an earlier state. */
  get tooNew(): boolean {
    return this.status === 504 && /too large resource version/i.test(this.message);
  }

  static of(code: number, status: unknown, retryAfter: Milliseconds = 0, streamed = false): ApiError {
    const text = textAt(status, 'message') || http.STATUS_CODES[code] || 'unknown error';
    const causes = JSON.stringify(objectAt(status, 'details')['causes'] ?? '');
    return new ApiError(
      code,
      textAt(status, 'reason'),
      /ResourceVersionTooLarge/.test(causes) ? `Too large resource version: ${text}` : text,
      retryAfter,
      streamed,
    );
  }
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
  /** Longest time without a single octet from there on. */
  readonly silence: Milliseconds;
  /** Called once, when the answer turns out to be a success. */
  onOpen?(): void;
  onData(chunk: Uint8Array): void;
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
  private readonly agent: http.Agent;
  private readonly secure: boolean;

  constructor(private readonly options: ApiClientOptions) {
    const { url, proxy } = options.connection;
    this.secure = url.protocol === 'https:';
    this.agent = apiAgent(url, proxy);
  }

  get host(): string {
    return this.options.connection.url.host;
  }

  /**
   * Resolves when the response has ended as it should. Rejects with an {@link ApiError} for any status but 200, with
   * the error of
   * the connection when it breaks, and with whatever `onData` throws. The connection is given up in all these cases.
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
    this.agent.destroy();
  }

  private async exchange(
    request: RequestOptions,
    credentials: ApiCredentials,
    limiterWait: Milliseconds | undefined,
  ): Promise<void> {
    const { clock, onRequest } = this.options;
    const guard = new SilenceGuard(clock, request.headerSilence, request.signal);
    const start = clock.monotonic();
    const report = (code: string): void =>
      onRequest?.({
        purpose: request.purpose,
        method: 'GET',
        host: this.host,
        code,
        duration: clock.monotonic() - start,
        limiterWait,
      });
    try {
      let response: IncomingMessage;
      try {
        response = await this.send(request, credentials, guard);
        guard.limit = request.silence;
        guard.heard();
      } catch (error) {
        if (!request.signal.aborted) report('<error>');
        throw error;
      }
      report(String(response.statusCode));
      if (response.statusCode !== 200) throw await errorOf(response, guard);
      request.onOpen?.();
      // Leaving this loop early, by an error or an abort, destroys the connection.
      for await (const chunk of bodyOf(response)) {
        guard.heard();
        request.onData(chunk as Uint8Array);
        // A long list comes quicker than it is worked off: others have their turn between two pieces, a millisecond
        // or two each.
        if (request.purpose === 'list') await setImmediate();
      }
    } catch (error) {
      throw guard.reason ?? error;
    } finally {
      guard.end();
    }
  }

  private send(request: RequestOptions, credentials: ApiCredentials, guard: SilenceGuard): Promise<IncomingMessage> {
    const url = new URL(this.options.connection.url);
    url.pathname = url.pathname.replace(/\/$/, '') + request.path;
    url.search = new URLSearchParams(request.query).toString();
    return new Promise((resolve, reject) => {
      const headers: http.OutgoingHttpHeaders = {
        accept: 'application/json',
        // Of a long list, a twelfth is sent then. A watch is not compressed: its events are to come at once.
        ...(request.purpose === 'list' && { 'accept-encoding': 'gzip' }),
        'user-agent': this.options.userAgent,
        ...credentials.headers,
      };
      const options = {
        agent: this.agent,
        headers,
        signal: guard.signal,
        ...(this.secure && tlsOptions(credentials.tls)),
      };
      const sent = this.secure ? https.get(url, options) : http.get(url, options);
      sent.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE));
      sent.on('response', resolve);
      sent.on('error', reject);
    });
  }
}

/** Ends a request when its caller does, or when nothing has come for too long. */
class SilenceGuard {
  private readonly controller = new AbortController();
  private readonly abort = (): void => this.controller.abort(this.outer.reason);
  private timer: Timer;
  /** Why the request was ended, when it was. */
  reason: Error | undefined;

  constructor(
    private readonly clock: Clock,
    public limit: Milliseconds,
    private readonly outer: AbortSignal,
  ) {
    this.timer = this.arm();
    outer.addEventListener('abort', this.abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    this.timer.cancel();
    this.timer = this.arm();
  }

  end(): void {
    this.timer.cancel();
    this.outer.removeEventListener('abort', this.abort);
  }

  private arm(): Timer {
    return this.clock.setTimeout(() => {
      this.reason = new Error(`nothing was received for ${this.limit / 1000} s`);
      this.controller.abort(this.reason);
    }, this.limit);
  }
}

/** The body of a response as it was before it was compressed. */
function bodyOf(response: IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  const body = createGunzip({ chunkSize: PIECE });
  // An error on either side ends both, and is thrown where the body is read.
  pipeline(response, body, () => undefined);
  return body;
}

async function errorOf(response: IncomingMessage, guard: SilenceGuard): Promise<ApiError> {
  const code = response.statusCode ?? 0;
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
    status = JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    // A proxy in between may answer in HTML; the code says enough.
  }
  const retryAfter = response.headers['retry-after'];
  return ApiError.of(
    code,
    status,
    retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : 0,
  );
}
