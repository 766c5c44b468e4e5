import { X509Certificate } from 'node:crypto';
import { rootCertificates, type SecureContext } from 'node:tls';
import type { Client, ProxyRules, TlsFacts, TlsListening } from '../chain/index.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Endpoint, UdpSocket } from '../net/network.js';
import type { QuicConnection } from '../quic/connection.js';
import { QuicEndpoint } from '../quic/endpoint.js';
import type { QuicConfig, QuicLibrary, QuicState } from '../quic/library.js';
import { DoqConnection, QuicResponses, type DoqParts } from './doq.js';
import { Places } from './places.js';
import { ProxiedDatagrams } from './proxy-protocol.js';
import type { Served } from './routes.js';
import { silentForLongest, type ConnectionServer, type ServedConnection, type TcpContext } from './tcp.js';

/** Where no block says it: connections, streams of each, and queries under way on all, as with CoreDNS. */
const CONNECTIONS = 200;
const STREAMS = 256;
const QUERIES = 1024;

/** What a client may send before it is taken: on one stream a message and its length, on all together four. */
const STREAM_WINDOW = (64 << 10) + 2;
const WINDOW = 4 * STREAM_WINDOW;

/** The longest silence that the library bears; `timeouts` ends connections before. */
const SILENCE: Milliseconds = 600_000;

/** What an address for QUIC is served with. */
export interface QuicContext extends TcpContext {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Takes DNS over QUIC at one address. */
export class QuicServer implements ConnectionServer {
  /** The kernel knows which socket is meant, however many are at one port. */
  readonly listens = true;
  /** None waits to be accepted. */
  readonly accepted = 0;
  private readonly connections = new Set<ServedConnection>();
  private readonly endpoint: QuicEndpoint;
  private readonly parts: DoqParts;
  private socket: UdpSocket | undefined;
  private config: QuicConfig | undefined;
  private configured: readonly unknown[] = [];
  private rules: ProxyRules | undefined;
  private proxied!: ProxiedDatagrams;

  /** Throws where the blocks' certificate or what they ask of clients cannot be had here. */
  constructor(
    private readonly context: QuicContext,
    private readonly library: QuicLibrary,
    private readonly served: Served,
  ) {
    const { clock, metrics } = context;
    const places = new Places(() => served.routes.transports.quic?.queries ?? QUERIES);
    this.parts = { responses: new QuicResponses(metrics), places };
    this.configNow();
    this.endpoint = new QuicEndpoint({
      library,
      clock,
      config: () => this.configNow(),
      send: (packet, to) => this.socket?.send(packet, packet.length, to),
      accept: (connection) => this.accept(connection),
    });
  }

  async listen(): Promise<void> {
    const { address, port } = this.served.server;
    this.socket = await this.context.network.bindUdp({ address, port }, (bytes, remote) => this.take(bytes, remote));
  }

  /** Packets of open connections are nobody else's. */
  turnAway(): boolean {
    return false;
  }

  release(): void {
    // Nobody else needs the place.
  }

  get local(): Endpoint {
    return this.socket?.local ?? this.served.server;
  }

  get open(): number {
    return this.endpoint.open;
  }

  close(quiet: Milliseconds = 0): void {
    this.endpoint.close();
    for (const connection of this.connections) connection.closeWhenAnswered(quiet);
  }

  destroy(): void {
    for (const connection of this.connections) connection.destroy();
    this.socket?.close();
  }

  private take(bytes: Buffer, remote: Endpoint): void {
    const { proxies } = this.served.routes;
    if (proxies === undefined) return this.endpoint.receive(bytes, remote);
    if (this.rules !== proxies) this.proxied = new ProxiedDatagrams((this.rules = proxies), this.context.clock);
    const taken = this.proxied.take(bytes, remote);
    if (taken !== undefined) this.endpoint.receive(taken.bytes, remote, taken.from);
  }

  private accept(connection: QuicConnection): DoqConnection | undefined {
    const { served, context, connections } = this;
    const { tls } = served.routes;
    if (tls?.clientCertificate === 'any' && !connection.state.peerCertChain()?.length) return void connection.close(0);
    const most = served.routes.transports.quic?.connections ?? CONNECTIONS;
    if (connections.size >= most) silentForLongest(connections)?.destroy();
    const { client: remote, state } = connection;
    const { local } = this;
    const client: Client = { transport: 'quic', tls: factsOf(state), remote, local, server: served.server };
    const closed = (ended: ServedConnection): void => void connections.delete(ended);
    const { clients, responder } = context;
    const taken = new DoqConnection(connection, client, { served, clients, responder, closed }, this.parts);
    connections.add(taken.served);
    return taken;
  }

  /** How connections that come now are made; made anew when the certificate was. */
  private configNow(): QuicConfig | undefined {
    const { tls, transports } = this.served.routes;
    const streams = transports.quic?.streams ?? STREAMS;
    const wanted = [tls, contextOf(tls), streams];
    if (this.config !== undefined && wanted.every((value, i) => value === this.configured[i])) return this.config;
    this.configured = wanted;
    // One that is ordered may not be there yet.
    if (wanted[1] === undefined) return undefined;
    try {
      this.config = configOf(this.library, tls!, streams);
    } catch (error) {
      if (this.config === undefined) throw error;
      // What was good stays in force, as where a file cannot be read.
      this.context.log.error(`QUIC at ${this.served.server.label} keeps its certificate: ${(error as Error).message}`);
    }
    return this.config;
  }
}

function contextOf(tls: TlsListening | undefined): SecureContext | undefined {
  try {
    return tls?.context();
  } catch {
    return undefined;
  }
}

function factsOf(state: QuicState): TlsFacts {
  const [der] = state.peerCertChain() ?? [];
  const { CN } = der === undefined ? {} : (new X509Certificate(der).toLegacyObject().subject as { CN?: string });
  return { version: 'TLSv1.3', serverName: state.serverName() ?? undefined, subject: CN };
}

function configOf(library: QuicLibrary, { pem, clientCertificate }: TlsListening, streams: number): QuicConfig {
  const texts = pem?.();
  if (texts === undefined) throw new Error('the certificate is not to be had as text');
  const asks = clientCertificate !== 'none';
  const ca = asks ? Buffer.from(texts.ca ?? rootCertificates.join('\n')) : null;
  const [key, cert] = [Buffer.from(texts.key), Buffer.from(texts.cert)];
  const config = library.Config.withBoringSslCtx(asks, clientCertificate === 'any', ca, [key], [cert], null);
  config.setApplicationProtos(['doq']);
  config.grease(false);
  config.setMaxIdleTimeout(SILENCE);
  config.setInitialMaxData(WINDOW);
  config.setMaxConnectionWindow(WINDOW);
  config.setInitialMaxStreamDataBidiRemote(STREAM_WINDOW);
  config.setMaxStreamWindow(STREAM_WINDOW);
  config.setInitialMaxStreamsBidi(streams);
  // One path for each connection; no streams in one direction, none that the server opens, and no early data.
  config.setDisableActiveMigration(true);
  return config;
}
