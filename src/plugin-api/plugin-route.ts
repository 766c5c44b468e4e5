import { RefusedRequest, httpAddress, type HttpAnswer, type HttpRequest, type HttpRoute } from '../chain/index.js';
import type { Directive } from '../corefile/index.js';
import type { Logger } from '../lib/log.js';
import type { PluginRoute } from './contract.js';
import { shown } from './data-fields.js';
import { PluginFault, wordsOf } from './faults.js';

/** A plugin's route as the server takes it. Throws what the plugin did wrong; a bad address at its directive. */
export function routeOf(plugin: string, route: PluginRoute, directive: Directive, log: Logger): HttpRoute {
  const { address, path, maxBody } = route;
  const wrong = (field: string, got: unknown, allowed: string): never => {
    throw new PluginFault(plugin, `serveHttp: ${field}: got ${shown(got)}, allowed: ${allowed}`);
  };
  if (typeof address !== 'string') wrong('address', address, 'IP:PORT, [IPV6]:PORT, localhost:PORT or :PORT');
  if (typeof path !== 'string' || !path.startsWith('/')) wrong('path', path, 'text that begins with /');
  if (typeof route.answer !== 'function') wrong('answer', route.answer, 'a function (request)');
  if (maxBody !== undefined && !(Number.isSafeInteger(maxBody) && maxBody >= 0)) wrong('maxBody', maxBody, 'bytes');
  const failed = (request: HttpRequest, error: unknown): void =>
    log.error(`${request.method} ${path}: ${wordsOf(error)}`);
  return {
    ...httpAddress(directive, address),
    path,
    owner: plugin,
    ...(maxBody !== undefined && { maxBody }),
    async answer(request) {
      try {
        const given = checked(await route.answer(request));
        const { body } = given;
        if (typeof body === 'string' || body instanceof Uint8Array) return given;
        return { ...given, body: watched(body, (error) => failed(request, error)) };
      } catch (error) {
        if (!(error instanceof RefusedRequest) && !request.signal.aborted) failed(request, error);
        throw error;
      }
    },
  };
}

function checked(answer: unknown): HttpAnswer {
  const { status = 200, headers = {}, body } = (answer ?? {}) as Partial<HttpAnswer>;
  const streamed = typeof body === 'object' && Symbol.asyncIterator in body;
  if (typeof body !== 'string' && !(body instanceof Uint8Array) && !streamed)
    throw new TypeError(`body: got ${shown(body)}, allowed: text, bytes, or an async iterable of them`);
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw new TypeError(`status: got ${shown(status)}, allowed: 200 to 599`);
  for (const [name, value] of Object.entries(headers))
    if (typeof value !== 'string') throw new TypeError(`headers: ${name}: got ${shown(value)}, allowed: text`);
  return { status, headers, body };
}

/** The stream itself, whose failure is told. */
async function* watched(
  body: AsyncIterable<string | Uint8Array>,
  failed: (error: unknown) => void,
): AsyncGenerator<string | Uint8Array, void, void> {
  try {
    yield* body;
  } catch (error) {
    failed(error);
    throw error;
  }
}
