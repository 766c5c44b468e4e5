import type { Client } from '../chain/index.js';
import type { ResponseWriter } from './respond.js';
import { GrpcStatus, packetOf, readPacket, type GrpcFault } from '../exchange/index.js';
import { acceptHttp2 } from './http2.js';
import type { ConnectionProtocol, Serving } from './tcp.js';
import { WebConnection, carriedBy, type Exchange, type HttpReply } from './web-connection.js';

/** The one method there is. */
const METHOD = '/coredns.dns.DnsService/Query';

/** Streams of one connection where no block says it: as many as with CoreDNS. */
const STREAMS = 256;

const HEADERS = { 'content-type': 'application/grpc' };

/** A failure: a status and its reason, percent-encoded, without a message. */
const failure = ({ status, reason }: GrpcFault): HttpReply => ({
  status: 200,
  headers: {
    ...HEADERS,
    'grpc-status': String(status),
    'grpc-message': encodeURI(reason).replaceAll('%20', ' '),
  },
  body: Buffer.alloc(0),
});

/** DNS over gRPC: one method that takes a packet and answers with one, as CoreDNS's pb/dns.proto has it. */
export const grpcServing: ConnectionProtocol['serve'] = ({ connection }, client, serving) => {
  const onRequest = (exchange: Exchange): void => answer(exchange, client, serving);
  const streams = serving.served.routes.transports.grpc?.streams ?? STREAMS;
  return new WebConnection({ ...serving, carrier: carriedBy(connection.stream), most: Infinity, onRequest }, (open) =>
    acceptHttp2(connection.stream, open, streams),
  );
};

function answer(exchange: Exchange, client: Client, { served, responder, clients }: Serving): void {
  const fail = (status: number, reason: string): void => exchange.answer(failure({ status, reason }));
  const { request } = exchange;
  if (request === 'too long') return fail(GrpcStatus.RESOURCE_EXHAUSTED, 'received message larger than max');
  const { method, url, headers, body } = request;
  if (method !== 'POST' || !/^application\/grpc($|[+;])/.test(String(headers['content-type'])))
    return exchange.answer({ status: 415, headers: {}, body: Buffer.alloc(0) });
  if (url !== METHOD) return fail(GrpcStatus.UNIMPLEMENTED, `unknown method ${url.slice(0, 100)}`);
  const message = readPacket(body);
  if ('status' in message) return fail(message.status, message.reason);
  const writer: ResponseWriter = {
    prefix: 0,
    connection: exchange.lifetime,
    send: (bytes) =>
      exchange.answer({ status: 200, headers: HEADERS, body: packetOf(bytes), trailers: { 'grpc-status': '0' } }),
    dropped: () => fail(GrpcStatus.UNKNOWN, 'no response'),
    rejected: () => fail(GrpcStatus.UNKNOWN, 'dns request rejected'),
  };
  responder.respond(message, served, client, clients.clock.monotonic(), writer);
}
