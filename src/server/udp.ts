import type { ProxyRules, Query, Reply } from '../chain/index.js';
import type { UdpWorkerPool } from '../fastpath/udp-worker-pool.js';
import type { SharedAnswerCache } from '../fastpath/shared-answer-cache.js';
import type { Clock } from '../lib/clock.js';
import type { Endpoint, Network, OnDatagram, UdpSocket } from '../net/network.js';
import { ProxiedDatagrams } from './proxy-protocol.js';
import type { Responder, ResponseWriter } from './respond.js';
import type { Chain, Routes, Served } from './routes.js';

/** Takes queries at UDP addresses. */
export interface UdpListening {
  listen(at: Endpoint, served: Served): Promise<UdpSocket>;
}

/** Sends the answer to a datagram. */
class DatagramWriter implements ResponseWriter {
  readonly prefix = 0;

  constructor(
    private readonly socket: UdpSocket,
    protected readonly remote: Endpoint,
  ) {}

  send(answer: Buffer): void {
    this.socket.send(answer, answer.length, this.remote);
  }
}

/** Takes datagrams that may have come through a proxy: the answer goes back to it, and is given to nobody else. */
function proxiedTaker(
  served: Served,
  clock: Clock,
  responder: Responder,
): (socket: UdpSocket, bytes: Buffer, remote: Endpoint) => void {
  let rules: ProxyRules | undefined;
  let proxied: ProxiedDatagrams;
  return (socket, bytes, remote) => {
    if (served.routes.proxies !== rules) proxied = new ProxiedDatagrams((rules = served.routes.proxies)!, clock);
    const taken = proxied.take(bytes, remote);
    if (taken === undefined) return;
    const client = { transport: 'udp', remote: taken.from, local: socket.local, server: served.server } as const;
    responder.respond(taken.bytes, served, client, clock.monotonic(), new DatagramWriter(socket, remote));
  };
}

/** Every datagram comes to this thread, through the network port. */
export class PlainUdp implements UdpListening {
  constructor(
    private readonly network: Network,
    private readonly clock: Clock,
    private readonly responder: Responder,
  ) {}

  async listen(at: Endpoint, served: Served): Promise<UdpSocket> {
    const { clock, responder } = this;
    const takeProxied = proxiedTaker(served, clock, responder);
    const socket: UdpSocket = await this.network.bindUdp(at, (bytes, remote) => {
      if (served.routes.proxies !== undefined) return takeProxied(socket, bytes, remote);
      const client = { transport: 'udp', remote, local: socket.local, server: served.server } as const;
      responder.respond(bytes, served, client, clock.monotonic(), new DatagramWriter(socket, remote));
    });
    return socket;
  }
}

/** Sends the answer to a datagram that another thread handed over, and lets the threads give it again. */
class SharingWriter extends DatagramWriter {
  private readonly routes: Routes;

  constructor(
    socket: UdpSocket,
    remote: Endpoint,
    private readonly served: Served,
    private readonly sharedAnswers: SharedAnswerCache,
  ) {
    super(socket, remote);
    this.routes = served.routes;
  }

  share(chain: Chain, query: Query, reply: Reply): void {
    const { served, routes, sharedAnswers } = this;
    // A reply of a configuration that was replaced meanwhile is this client's, and nobody else's any more.
    if (served.routes !== routes || chain.seesEach(query, reply)) return;
    sharedAnswers.offer(
      query,
      reply,
      served.server.index,
      () => chain.hitCounters(query, reply),
      () => chain.hitNoters(query, reply),
    );
  }
}

/**
 * Other threads take the datagrams and answer what the table holds; the rest comes here, and what may be given again is
 * put into the table. Where there are none in the end, datagrams are taken without them.
 */
export class SharedUdp implements UdpListening {
  constructor(
    private readonly workerPool: UdpWorkerPool,
    private readonly sharedAnswers: SharedAnswerCache,
    private readonly clock: Clock,
    private readonly responder: Responder,
    private readonly plain: PlainUdp,
  ) {}

  async listen(at: Endpoint, served: Served): Promise<UdpSocket> {
    const { clock, responder, sharedAnswers } = this;
    if (this.workerPool.stopped) return this.plain.listen(at, served);
    const takeProxied = proxiedTaker(served, clock, responder);
    const onDatagram: OnDatagram = (bytes, remote) => {
      if (served.routes.proxies !== undefined) return takeProxied(socket, bytes, remote);
      const client = { transport: 'udp', remote, local: socket.local, server: served.server } as const;
      responder.respond(
        bytes,
        served,
        client,
        clock.monotonic(),
        new SharingWriter(socket, remote, served, sharedAnswers),
      );
    };
    const socket = this.workerPool.bindUdp(at, served.server.index, onDatagram);
    await socket.serving;
    return socket;
  }
}
