import type { IncomingMessage, ServerResponse } from 'node:http';
import { MAX_HTTP_BODY, RefusedRequest, type HttpAnswer, type HttpRequest, type HttpRoute } from '../chain/index.js';
import type { Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';

/** What a route needs to be asked. */
export type HttpResource = Pick<HttpRoute, 'answer' | 'maxBody'>;

/** Writes to a response, and waits until its client takes more; false when it has left. */
export type WriteChunk = (response: ServerResponse, chunk: string | Uint8Array) => Promise<boolean>;

/** One request and its answer. Never rejects. */
export async function exchange(
  incoming: IncomingMessage,
  response: ServerResponse,
  resource: HttpResource | undefined,
  client: Endpoint,
  write: WriteChunk,
): Promise<void> {
  let answer: HttpAnswer = { status: 404, body: '404 page not found\n' };
  try {
    if (resource !== undefined) answer = await resource.answer(requestOf(incoming, response, client, resource));
  } catch (error) {
    answer = refusal(error);
  }
  // An answer before the whole body is the last one: what is left of the body is not waited for.
  if (hasBody(incoming) && !incoming.complete) response.setHeader('connection', 'close');
  try {
    await send(incoming.method, response, answer, write);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else await send(incoming.method, response, refusal(error), write);
  }
}

/** Whether a body follows the headers (RFC 9112 section 6). */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;

function refusal(error: unknown): HttpAnswer {
  const body = `${error instanceof Error ? error.message : String(error)}\n`;
  return { status: error instanceof RefusedRequest ? error.status : 500, body };
}

async function send(
  method: string | undefined,
  response: ServerResponse,
  { status = 200, headers, body }: HttpAnswer,
  write: WriteChunk,
): Promise<void> {
  const whole = typeof body === 'string' || body instanceof Uint8Array;
  // 1xx, 204 and 304 have no body, and 204 no length of one (RFC 9110 section 8.6).
  const length = whole && status >= 200 && status !== 204 ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...length, ...headers });
  if (method === 'HEAD') return void response.end();
  if (whole) return void response.end(body);
  response.flushHeaders();
  for await (const chunk of body) if (!(await write(response, chunk))) return;
  response.end();
}

/** Plain data and functions: a copy has all of it. */
function requestOf(
  incoming: IncomingMessage,
  response: ServerResponse,
  client: Endpoint,
  { maxBody = MAX_HTTP_BODY }: HttpResource,
): HttpRequest {
  const { method = 'GET', url = '/' } = incoming;
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort(new DOMException('the client has left', 'AbortError'));
  });
  return {
    method,
    url,
    query: new URLSearchParams(url.split(/\?(.*)/s)[1]),
    headers: Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value = '']) => [
        name,
        typeof value === 'string' ? value : value.join(', '),
      ]),
    ),
    client,
    signal: gone.signal,
    body: () => bodyOf(incoming, maxBody),
  };
}

/** What is beyond the bound is read and thrown away, as long as the connection lasts. */
function bodyOf(incoming: IncomingMessage, maxBody: Octets): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBody) tooLong();
      else chunks.push(chunk);
    };
    const tooLong = (): void => {
      incoming.off('data', take).resume();
      reject(new RefusedRequest(413, `the body is longer than ${maxBody} bytes`));
    };
    if (Number(incoming.headers['content-length'] ?? 0) > maxBody) return tooLong();
    incoming.on('data', take);
    incoming.once('end', () => resolve(Buffer.concat(chunks)));
    incoming.once('close', () => reject(new RefusedRequest(400, 'the body ends too early')));
  });
}
