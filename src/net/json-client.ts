import http from 'node:http';
import https from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { NodensError } from '../lib/errors.js';
import type { Milliseconds, Octets } from '../lib/units.js';

/** Longest body of an answer. */
const MAX_BODY: Octets = 16 << 20;

/** An HTTP service that cannot be reached, or answers with what is no JSON. */
export class ServiceError extends NodensError {
  override readonly name = 'ServiceError';

  constructor(message: string, cause?: unknown) {
    super('NODENS_SERVICE', message, { cause });
  }
}

export interface JsonRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The whole answer must be there after this time. */
  readonly timeout: Milliseconds;
}

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Where a service is: at an `http` or `https` URL, or at a Unix socket with a `unix` URL. */
export interface JsonEndpoint {
  readonly url: URL;
  readonly tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
}

/** Asks one HTTP service for JSON, over connections that are used again. */
export class JsonClient {
  private readonly agent: http.Agent;

  constructor(private readonly endpoint: JsonEndpoint) {
    const options = { keepAlive: true, ...endpoint.tls };
    this.agent = this.secure ? new https.Agent(options) : new http.Agent(options);
  }

  /** Rejects with a ServiceError; an answer with an error's status is an answer. */
  request(request: JsonRequest): Promise<JsonAnswer> {
    const { url } = this.endpoint;
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(new ServiceError(`${url.href}: ${error.message}`, error));
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const sent = (this.secure ? https : http).request(
        {
          ...this.target,
          agent: this.agent,
          method: request.method,
          path: request.path,
          headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...request.headers },
          signal: AbortSignal.timeout(request.timeout),
        },
        (response) =>
          void readJson(response).then((json) => resolve({ status: response.statusCode!, body: json }), fail),
      );
      sent.on('error', (error) => fail(error.name === 'AbortError' ? new Error('no answer in time') : error));
      sent.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }

  private get secure(): boolean {
    return this.endpoint.url.protocol === 'https:';
  }

  private get target(): http.RequestOptions {
    const { protocol, hostname, port, pathname } = this.endpoint.url;
    if (protocol === 'unix:') return { socketPath: decodeURI(pathname) };
    return { hostname: hostname.replace(/^\[|\]$/g, ''), ...(port !== '' && { port }) };
  }
}

async function readJson(response: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    // The loop closes the connection when it is left.
    if (size > MAX_BODY) throw new Error(`an answer of more than ${MAX_BODY} bytes`);
  }
  const text = Buffer.concat(chunks).toString();
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new Error(`an answer that is no JSON: ${text.slice(0, 100)}`);
  }
}
