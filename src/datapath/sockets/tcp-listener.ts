import { requireIp } from '../address.js';
import { SocketError } from '../errors.js';
import { hasFlag } from '../packet.js';
import type { Packet, TcpFlag } from '../packet.js';
import { isWildcard } from '../netns/port-table.js';
import type { Bound } from '../netns/port-table.js';
import type { PacketDraft, PacketReceiver, Stack } from './stack.js';
import { wrap } from './tcp-figures.js';
import { ModelTcpSocket } from './tcp-socket.js';

/** A listening TCP socket. Connections are handed over once the handshake is complete. */
export class ModelTcpListener implements PacketReceiver, Bound {
  readonly protocol = 'TCP';
  readonly cookie: number;
  readonly peer = undefined;
  readonly reusePort: boolean;
  readonly localAddress: string;
  readonly localPort: number;

  /** Throws EADDRNOTAVAIL for an address that the namespace does not have and EADDRINUSE for a taken port. */
  constructor(
    private readonly stack: Stack,
    address: string,
    port: number,
    private readonly onConnection: (socket: ModelTcpSocket) => void,
    options: { readonly reusePort?: boolean } = {},
  ) {
    const ip = isWildcard(address) ? address : requireIp(address, 'address');
    if (!isWildcard(ip) && !stack.netns.hasAddress(ip))
      throw new SocketError('EADDRNOTAVAIL', `${stack.netns.id} does not have the address ${ip}`);
    this.cookie = stack.nextCookie();
    this.reusePort = options.reusePort ?? false;
    this.localAddress = ip;
    this.localPort = port || stack.netns.ports.ephemeral('TCP', stack.random);
    stack.netns.ports.add(this);
    stack.register(this);
  }

  close(): void {
    this.stack.netns.ports.remove(this);
    this.stack.unregister(this);
  }

  receive(packet: Packet): void {
    if (hasFlag(packet, 'SYN') && !hasFlag(packet, 'ACK')) ModelTcpSocket.accept(this.stack, packet, this.onConnection);
    else if (!hasFlag(packet, 'RST')) this.stack.output(resetFor(packet));
  }

  fail(): void {
    // A listener has sent nothing that an error could be about.
  }
}

/** The RST that answers a segment for which there is no connection (RFC 9293 section 3.5.2). */
export function resetFor(packet: Packet): PacketDraft {
  const tcp = packet.tcp!;
  const acked = hasFlag(packet, 'ACK');
  const flags: readonly TcpFlag[] = acked ? ['RST'] : ['ACK', 'RST'];
  const length = packet.payload.length + (hasFlag(packet, 'SYN') ? 1 : 0) + (hasFlag(packet, 'FIN') ? 1 : 0);
  return {
    protocol: 'TCP',
    src: packet.dst,
    dst: packet.src,
    sport: packet.dport,
    dport: packet.sport,
    tcp: {
      flags,
      seq: acked ? tcp.ack : 0,
      ack: acked ? 0 : wrap(tcp.seq + length),
      window: 0,
      options: { tsVal: 0, tsEcr: tcp.options.tsVal },
    },
    payload: new Uint8Array(0),
  };
}
