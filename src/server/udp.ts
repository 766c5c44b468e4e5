import type { Query, Reply } from '../chain/index.js';
import type { DataPlane } from '../dataplane/plane.js';
import type { Shelf } from '../dataplane/shelf.js';
import type { Clock } from '../lib/clock.js';
import type { Endpoint, Network, OnDatagram, UdpSocket } from '../net/network.js';
import { respond, type OnPanic } from './respond.js';
import type { Served } from './routes.js';

/** Takes queries at UDP addresses. */
export interface UdpListening {
  listen(at: Endpoint, served: Served): Promise<UdpSocket>;
}

/** Every datagram comes to this thread, through the network port. */
export class PlainUdp implements UdpListening {
  constructor(private readonly network: Network, private readonly clock: Clock, private readonly onPanic: OnPanic) {}

  async listen(at: Endpoint, served: Served): Promise<UdpSocket> {
    const { clock, onPanic } = this;
    const socket: UdpSocket = await this.network.bindUdp(at, (bytes, remote) => {
      respond(bytes, served, { transport: 'udp', remote, local, received: clock.monotonic(), prefix: 0, send: (answer) => socket.send(answer, answer.length, remote) }, onPanic);
    });
    const { local } = socket;
    return socket;
  }
}

/** Other threads take the datagrams and answer what the table holds; the rest comes here, and what may be given again is put into the table. */
export class SharedUdp implements UdpListening {
  constructor(private readonly plane: DataPlane, private readonly shelf: Shelf, private readonly clock: Clock, private readonly onPanic: OnPanic) {}

  async listen(at: Endpoint, served: Served): Promise<UdpSocket> {
    const { clock, onPanic } = this;
    const onDatagram: OnDatagram = (bytes, remote) => {
      const { routes } = served;
      const standing = (query: Query, reply: Reply): void => {
        // A reply of a configuration that was replaced meanwhile is this client's, and nobody else's any more.
        const chain = served.routes === routes ? routes.chainOf(query) : undefined;
        if (chain?.mayBePassedBy) this.shelf.offer(query, reply, served.server.index, () => chain.tallies(query, reply));
      };
      respond(bytes, served, { transport: 'udp', remote, local, received: clock.monotonic(), prefix: 0, standing, send: (answer) => socket.send(answer, answer.length, remote) }, onPanic);
    };
    const socket = this.plane.bindUdp(at, served.server.index, onDatagram);
    const { local } = socket;
    await socket.serving;
    return socket;
  }
}
