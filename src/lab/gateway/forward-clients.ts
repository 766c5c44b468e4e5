import type { Timer } from '../../lib/clock.js';
import type { ConnectedUdpSocket, Endpoint, Network, UdpSocket } from '../../net/network.js';
import type { Lab } from '../lab.js';

/** A client's way into the lab is given up when nothing has gone through it for so long. */
const IDLE = 15_000;

interface ForwardClient {
  socket: ConnectedUdpSocket;
  timer: Timer;
}

/** Real clients of one pod's port: each has a socket of its own in the pod. */
export class ForwardClients {
  private readonly open = new Map<string, ForwardClient>();

  constructor(
    private readonly network: Network,
    private readonly server: () => Endpoint,
    private readonly lab: Lab,
  ) {}

  take(bytes: Buffer, peer: Endpoint, outside: UdpSocket): void {
    const key = `${peer.address} ${peer.port}`;
    const known = this.open.get(key);
    if (known) {
      known.timer.cancel();
      known.timer = this.expiry(key);
      known.socket.send(bytes);
      return;
    }
    this.network
      .connectUdp(
        this.server(),
        (answer) => outside.send(answer, answer.length, peer),
        () => this.forget(key),
      )
      .then(
        (socket) => {
          this.open.set(key, { socket, timer: this.expiry(key) });
          socket.send(bytes);
        },
        () => undefined,
      );
  }

  close(): void {
    for (const key of [...this.open.keys()]) this.forget(key);
  }

  private expiry(key: string): Timer {
    return this.lab.clock.setTimeout(() => this.forget(key), IDLE);
  }

  private forget(key: string): void {
    const client = this.open.get(key);
    if (!client) return;
    this.open.delete(key);
    client.timer.cancel();
    client.socket.close();
  }
}
