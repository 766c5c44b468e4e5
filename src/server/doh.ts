import type { Client } from '../chain/index.js';
import type { Metrics, Value } from '../metrics/metrics.js';
import type { ResponseWriter } from './respond.js';
import { freshness, messageOf } from './doh-request.js';
import { acceptHttp1 } from './http1.js';
import { acceptHttp2 } from './http2.js';
import type { ConnectionProtocol, Serving } from './tcp.js';
import { WebConnection, carriedBy, type Exchange, type HttpReply } from './web-connection.js';

/** Streams of one HTTP/2 connection: as many as the HTTP/2 server of CoreDNS allows. */
const STREAMS = 250;

const FAILURES: Readonly<Record<number, string>> = { 400: 'invalid request\n', 404: '\n', 500: 'No response\n' };

const failure = (status: number): HttpReply => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  body: Buffer.from(FAILURES[status]!),
});

/** DNS over HTTPS (RFC 8484). */
export function httpsServing(metrics: Metrics): ConnectionProtocol['serve'] {
  const counts = new Responses(metrics);
  return ({ connection, protocol }, client, serving) => {
    const onRequest = (exchange: Exchange): void => answer(exchange, client, serving, counts);
    // HTTP/2 has its own bound, which clients are told.
    const most = protocol === 'h2' ? Infinity : serving.clients.limits.pending;
    const parts = { ...serving, carrier: carriedBy(connection.stream), most, onRequest };
    return new WebConnection(parts, (open) =>
      protocol === 'h2' ? acceptHttp2(connection.stream, open, STREAMS) : acceptHttp1(connection.stream, open),
    );
  };
}

function answer(exchange: Exchange, client: Client, { served, responder, clients }: Serving, counts: Responses): void {
  const give = (given: HttpReply): void => {
    counts.of(client.server.label, given.status).inc();
    exchange.answer(given);
  };
  const { request } = exchange;
  if (request === 'too long') return give(failure(400));
  const message = messageOf(request);
  if (typeof message === 'number') return give(failure(message));
  const { method, url, headers } = request;
  const writer: ResponseWriter = {
    prefix: 0,
    connection: exchange.lifetime,
    send: (bytes) =>
      give({
        status: 200,
        headers: { 'content-type': 'application/dns-message', 'cache-control': `max-age=${freshness(bytes)}` },
        body: bytes,
      }),
    dropped: () => give(failure(500)),
    rejected: () => give(failure(400)),
  };
  const asking: Client = { ...client, http: { method, url, headers } };
  responder.respond(message, served, asking, clients.clock.monotonic(), writer);
}

/** Counters of answers by address and status, each looked up once. */
class Responses {
  private readonly family;
  private readonly known = new Map<string, Value>();

  constructor(metrics: Metrics) {
    this.family = metrics.counter(
      'dns',
      'https_responses_total',
      'Counter of DoH responses per server and http status code.',
      ['server', 'status'],
    );
  }

  of(server: string, status: number): Value {
    const key = `${status} ${server}`;
    let value = this.known.get(key);
    if (value === undefined) this.known.set(key, (value = this.family.with({ server, status: String(status) })));
    return value;
  }
}
