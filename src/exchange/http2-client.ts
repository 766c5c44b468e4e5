import http2, { type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import { untilAborted } from '../lib/until-aborted.js';
import type { Endpoint, Network } from '../net/network.js';
import { dialError, dialTimeout } from './errors.js';
import type { TlsClient } from './tls.js';

/** A connection opens, and its handshake ends, within this time. */
const CONNECT: Milliseconds = 5000;
/** Memory of a session, in MB. */
const SESSION_MEMORY = 4;

/** What a server answers with. */
export interface Http2Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Http2ClientParts {
  readonly network: Network;
  readonly clock: Clock;
  readonly to: Endpoint;
  /** Left out for a connection in the clear. */
  readonly tls: TlsClient | undefined;
  /** Whom requests are for: `dns.example:443`. */
  readonly authority: string;
  /** Told before each request whether there was a connection for it already. */
  reused(was: boolean): void;
}

/** Requests to one server over one HTTP/2 connection, which is opened when one is needed. */
export class Http2Client {
  private session: Promise<ClientHttp2Session> | undefined;
  private abort: AbortController | undefined;
  /** Requests under way. */
  pending = 0;
  /** When the last one ended, or the connection was opened. */
  lastUsed: Milliseconds = 0;

  constructor(private readonly parts: Http2ClientParts) {}

  get isOpen(): boolean {
    return this.session !== undefined;
  }

  /**
   * Rejects where the connection or the request fails, and when an answer has more than `limit` bytes. Aborting
   * `signal` takes the request back.
   */
  async request(
    path: string,
    headers: Readonly<Record<string, string>>,
    method: 'GET' | 'POST',
    body: Uint8Array | undefined,
    limit: Octets,
    signal?: AbortSignal,
  ): Promise<Http2Answer> {
    this.pending++;
    try {
      this.parts.reused(this.session !== undefined);
      // Others may wait for it still.
      const opening = (this.session ??= this.connect());
      const session = await (signal ? untilAborted(opening, signal) : opening);
      const stream = session.request(
        { ...headers, ':method': method, ':path': path },
        { endStream: body === undefined, ...(signal && { signal }) },
      );
      if (body !== undefined) stream.end(body);
      return await answerOf(stream, limit);
    } finally {
      this.pending--;
      this.lastUsed = this.parts.clock.monotonic();
    }
  }

  /** Closes the connection; requests under way fail. The next one opens another. */
  close(): void {
    const { session } = this;
    this.session = undefined;
    this.abort?.abort(new Error('connection given up'));
    session?.then(
      (open) => open.destroy(),
      () => undefined,
    );
  }

  private async connect(): Promise<ClientHttp2Session> {
    const { clock, to } = this.parts;
    const abort = (this.abort = new AbortController());
    const timer = clock.setTimeout(() => abort.abort(dialTimeout('tcp', to)), CONNECT);
    // Not where another one was opened meanwhile.
    const forget = (): void => {
      if (this.abort === abort) this.session = undefined;
    };
    try {
      const session = await this.open(abort.signal);
      session.on('error', () => undefined);
      session.on('close', forget);
      // A server that goes away gets no more requests; those under way may still be answered.
      session.on('goaway', forget);
      this.lastUsed = clock.monotonic();
      return session;
    } catch (error) {
      forget();
      throw abort.signal.aborted ? (abort.signal.reason as Error) : dialError('tcp', to, error as Error);
    } finally {
      timer.cancel();
    }
  }

  private async open(signal: AbortSignal): Promise<ClientHttp2Session> {
    const { network, to, tls, authority } = this.parts;
    const { stream } = await network.connectTcp(to, signal);
    // Between here and the session's own listener an error without one would end the process.
    stream.on('error', () => undefined);
    const secured = tls === undefined ? stream : await tls.secure(stream, to.address, signal);
    if (tls !== undefined && (secured as { alpnProtocol?: string | false }).alpnProtocol !== 'h2') {
      secured.destroy();
      throw new Error('tls: the upstream speaks no HTTP/2');
    }
    return http2.connect(`${tls === undefined ? 'http' : 'https'}://${authority}`, {
      createConnection: () => secured,
      maxSessionMemory: SESSION_MEMORY,
      settings: { enablePush: false },
    });
  }
}

function answerOf(stream: ClientHttp2Stream, limit: Octets): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on('response', (got) => (headers = got));
    stream.on('trailers', (got: IncomingHttpHeaders) => (trailers = got));
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > limit) stream.destroy(new Error(`answer of more than ${limit} bytes`));
    });
    stream.on('error', reject);
    stream.on('end', () => {
      if (headers[':status'] !== undefined) resolve({ headers, trailers, body: Buffer.concat(chunks) });
    });
    stream.on('close', () => reject(new Error('the upstream has closed the connection')));
  });
}
