import type { Query, Reply, ServerAddress } from '../chain/index.js';
import type { DataPlane } from '../dataplane/plane.js';
import type { Shelf } from '../dataplane/shelf.js';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import type { Endpoint, Network, OnDatagram, UdpSocket } from '../net/network.js';
import { respond, type OnPanic, type Reception } from './respond.js';
import type { Routes, Served } from './routes.js';

/** Takes queries at UDP addresses. */
export interface UdpListening {
  listen(at: Endpoint, served: Served): Promise<UdpSocket>;
}

/** A query that came as a datagram to this thread. */
class Datagram implements Reception {
  readonly transport = 'udp';
  readonly prefix = 0;

  constructor(
    private readonly socket: UdpSocket,
    readonly remote: Endpoint,
    readonly server: ServerAddress,
    readonly received: Milliseconds,
  ) {}

  get local(): Endpoint {
    return this.socket.local;
  }

  send(answer: Buffer): void {
    this.socket.send(answer, answer.length, this.remote);
  }
}

/** Every datagram comes to this thread, through the network port. */
export class PlainUdp implements UdpListening {
  constructor(
    private readonly network: Network,
    private readonly clock: Clock,
    private readonly onPanic: OnPanic,
  ) {}

  async listen(at: Endpoint, served: Served): Promise<UdpSocket> {
    const { clock, onPanic } = this;
    const socket: UdpSocket = await this.network.bindUdp(at, (bytes, remote) => {
      respond(bytes, served, new Datagram(socket, remote, served.server, clock.monotonic()), onPanic);
    });
    return socket;
  }
}

/** A query that another thread handed over. */
class HandedOver extends Datagram {
  private readonly routes: Routes;

  constructor(
    socket: UdpSocket,
    remote: Endpoint,
    private readonly served: Served,
    received: Milliseconds,
    private readonly shelf: Shelf,
  ) {
    super(socket, remote, served.server, received);
    this.routes = served.routes;
  }

  standing(query: Query, reply: Reply): void {
    const { served, routes, shelf } = this;
    // A reply of a configuration that was replaced meanwhile is this client's, and nobody else's any more.
    const chain = served.routes === routes ? routes.chainOf(query) : undefined;
    if (chain?.mayBePassedBy) shelf.offer(query, reply, served.server.index, () => chain.tallies(query, reply));
  }
}

/**
 * Other threads take the datagrams and answer what the table holds; the rest comes here, and what may be given again
 * is put into the table.
 */
export class SharedUdp implements UdpListening {
  constructor(
    private readonly plane: DataPlane,
    private readonly shelf: Shelf,
    private readonly clock: Clock,
    private readonly onPanic: OnPanic,
  ) {}

  async listen(at: Endpoint, served: Served): Promise<UdpSocket> {
    const { clock, onPanic, shelf } = this;
    const onDatagram: OnDatagram = (bytes, remote) =>
      respond(bytes, served, new HandedOver(socket, remote, served, clock.monotonic(), shelf), onPanic);
    const socket = this.plane.bindUdp(at, served.server.index, onDatagram);
    await socket.serving;
    return socket;
  }
}
