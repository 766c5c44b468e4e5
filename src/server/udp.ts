import type { Clock } from '../lib/clock.js';
import type { Endpoint, Network, UdpSocket } from '../net/network.js';
import { respond, type OnPanic } from './respond.js';
import type { Served } from './routes.js';

/** Takes queries at one UDP address. */
export async function listenUdp(network: Network, clock: Clock, at: Endpoint, served: Served, onPanic: OnPanic): Promise<UdpSocket> {
  const socket = await network.bindUdp(at, (bytes, remote) => {
    respond(bytes, served, { transport: 'udp', remote, local, received: clock.monotonic(), prefix: 0, send: (answer) => socket.send(answer, answer.length, remote) }, onPanic);
  });
  const local = socket.local;
  return socket;
}
