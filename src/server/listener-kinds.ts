import type { Client, ServerAddress, TlsListening } from '../chain/index.js';
import type { Scheme } from '../corefile/index.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Endpoint } from '../net/network.js';
import type { Served } from './routes.js';
import {
  TcpServer,
  framed,
  inTheClear,
  type Accept,
  type ConnectionProtocol,
  type ConnectionServer,
  type TcpContext,
} from './tcp.js';
import { secureConnection } from './tls.js';

/** What a protocol is made with. */
export interface KindContext extends TcpContext {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * A way for queries to come in, chosen by the scheme of a server block's key. Every message goes to the responder,
 * which judges its header in one place, whatever the way.
 */
export interface ListenerKind {
  /** Whether blocks have to say by `tls` which certificate to show. */
  readonly encrypted: boolean;
  /** What is asked of clients and cannot be had, in words; missing where everything can. */
  readonly objection?: (tls: TlsListening) => string | undefined;
  /** Whether datagrams are taken at the port too. */
  readonly datagrams: boolean;
  /**
   * What takes connections, before it listens; what that needs is loaded here, where a Corefile asks for it.
   *
   * @param serverAt as the constructor of `TcpServer`
   */
  connections(
    served: Served,
    context: KindContext,
    serverAt: (local: Endpoint) => TcpServer | undefined,
  ): Promise<ConnectionServer>;
}

/** Connections are of TCP, and the protocol is spoken on them. */
const onTcp =
  (
    protocol: (served: Served, context: KindContext) => ConnectionProtocol | Promise<ConnectionProtocol>,
  ): ListenerKind['connections'] =>
  async (served, context, serverAt) =>
    new TcpServer(context, served.server, served, await protocol(served, context), serverAt);

/** Handshakes that may be under way at one address: each takes some 50 kB. */
const HANDSHAKES = 1000;

/** Connections that an address for HTTPS or gRPC may have where no block says it: as many as with CoreDNS. */
const HTTP_CONNECTIONS = 200;

/** Does the handshake with the certificate that the blocks at the address have at the moment. */
const handshake =
  (served: Served, clock: Clock, transport: Client['transport'], protocols: readonly string[]): Accept =>
  async (connection) => {
    const { tls } = served.routes;
    if (tls === undefined) throw new Error('no block at this address has a certificate');
    const secured = await secureConnection(connection, tls, protocols, clock);
    const facts: Pick<Client, 'transport' | 'tls'> = { transport, tls: secured.facts };
    return { connection: secured.connection, facts, protocol: secured.protocol };
  };

/** Plain DNS: UDP and TCP at one port (RFC 7766 section 5). */
const plain: ListenerKind = { encrypted: false, datagrams: true, connections: onTcp(() => inTheClear) };

/** DNS over TLS (RFC 7858). Token of its ALPN: RFC 9103 section 7.1.1. */
const overTls: ListenerKind = {
  encrypted: true,
  datagrams: false,
  connections: onTcp((served, { clock }) => ({
    accept: handshake(served, clock, 'tls', ['dot']),
    serve: framed,
    connections: () => ({ open: Infinity, arriving: HANDSHAKES }),
  })),
};

/** DNS over HTTPS (RFC 8484), by HTTP/2 and HTTP/1.1 at one port. */
const overHttps: ListenerKind = {
  encrypted: true,
  datagrams: false,
  connections: onTcp(async (served, { clock, metrics }) => {
    const { httpsServing } = await import('./doh.js');
    return {
      accept: handshake(served, clock, 'https', ['h2', 'http/1.1']),
      serve: httpsServing(metrics),
      connections: () => ({
        open: served.routes.transports.https?.connections ?? HTTP_CONNECTIONS,
        arriving: HANDSHAKES,
      }),
    };
  }),
};

/** DNS over gRPC: HTTP/2, in the clear where no block has a certificate, as with CoreDNS. */
const overGrpc: ListenerKind = {
  encrypted: false,
  datagrams: false,
  connections: onTcp(async (served, { clock }) => {
    const { grpcServing } = await import('./grpc.js');
    const secure = handshake(served, clock, 'grpc', ['h2']);
    return {
      accept: (connection) =>
        served.routes.tls === undefined ? { connection, facts: { transport: 'grpc' } } : secure(connection),
      serve: grpcServing,
      connections: () => ({
        open: served.routes.transports.grpc?.connections ?? HTTP_CONNECTIONS,
        arriving: HANDSHAKES,
      }),
    };
  }),
};

/** DNS over QUIC (RFC 9250). Its library comes with an optional package. */
const overQuic: ListenerKind = {
  encrypted: true,
  datagrams: false,
  objection: ({ clientCertificate: wanted }) =>
    wanted === 'request' || wanted === 'verify-if-given'
      ? 'clients over QUIC have to give a certificate, or are not asked for one: client_auth allows nocert, require, ' +
        'require_and_verify here'
      : undefined,
  connections: async (served, context) => {
    const [{ QuicServer }, { loadQuic }] = await Promise.all([import('./quic.js'), import('../quic/library.js')]);
    return new QuicServer(context, await loadQuic(), served);
  },
};

/** Whether connections at an address are of TCP: ports of TCP and UDP have nothing to do with each other. */
export const isOnTcp = ({ scheme }: ServerAddress): boolean => scheme !== 'quic';

/** What can be listened with, by the scheme of a key. */
export const LISTENER_KINDS: Readonly<Record<Scheme, ListenerKind>> = {
  dns: plain,
  tls: overTls,
  https: overHttps,
  grpc: overGrpc,
  quic: overQuic,
};
