import type { Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Delivery } from './delivery.js';
import type { PacketOutcome } from '../events.js';
import type { NetNs } from '../netns/netns.js';
import type { Packet } from '../packet.js';
import type { Caller, SocketLb } from '../loadbalancer/socket-lb.js';
import type { Owner, PacketDraft, PacketReceiver, Stack } from './stack.js';
import { ModelTcpListener } from './tcp-listener.js';
import { ModelTcpSocket } from './tcp-socket.js';
import type { TcpConnectOptions } from './tcp-socket.js';
import type { Timers } from '../timers.js';
import { ModelUdpSocket } from './udp-socket.js';
import type { UdpOptions } from './udp-socket.js';

/** The world as a process sees it. */
export interface ProcessPort {
  readonly random: Random;
  readonly timers: Timers;
  readonly delivery: Delivery;
  now(): Milliseconds;
  nextCookie(): number;
  /** Numbers the packet and forwards it. */
  output(process: Process, draft: PacketDraft): PacketOutcome;
}

export interface PingOptions {
  readonly id: number;
  readonly seq: number;
  /** Bytes of payload; ping's default is 56. */
  readonly size?: number;
  readonly onReply?: (reply: Packet, at: Milliseconds) => void;
}

/** Programs in one network namespace: they open sockets. A pod, a node and a host outside have one each. */
export class Process implements Stack {
  constructor(
    readonly netns: NetNs,
    private readonly port: ProcessPort,
    private readonly describe: () => Caller,
    private readonly lb: () => SocketLb | undefined,
  ) {}

  get owner(): Owner {
    return { caller: this.describe(), hooks: this.lb() };
  }

  get random(): Random {
    return this.port.random;
  }

  get timers(): Timers {
    return this.port.timers;
  }

  now(): Milliseconds {
    return this.port.now();
  }

  nextCookie(): number {
    return this.port.nextCookie();
  }

  /** Opens a UDP socket; bind, connect or send comes next. */
  udp(options: UdpOptions = {}): ModelUdpSocket {
    return new ModelUdpSocket(this, options);
  }

  /**
   * Connects by TCP. The handshake runs inside the call where the world has no latency; `onConnect` tells of its end.
   */
  connect(address: string, port: number, options: TcpConnectOptions = {}): ModelTcpSocket {
    return ModelTcpSocket.connect(this, address, port, options);
  }

  /** Listens; port 0 takes any free one. */
  listen(
    address: string,
    port: number,
    onConnection: (socket: ModelTcpSocket) => void,
    options: { readonly reusePort?: boolean } = {},
  ): ModelTcpListener {
    return new ModelTcpListener(this, address, port, onConnection, options);
  }

  /** Sends an ICMP echo request; the kernel of the other side answers. */
  ping(address: string, options: PingOptions): PacketOutcome {
    return this.call(() => {
      const src = this.netns.sourceFor(address);
      if (options.onReply) this.port.delivery.awaitEcho(this.netns, options.id, options.onReply);
      const icmp = { kind: 'echo-request' as const, id: options.id, seq: options.seq };
      return this.output({
        protocol: 'ICMP',
        src,
        dst: address,
        sport: 0,
        dport: 0,
        icmp,
        payload: new Uint8Array(options.size ?? 56),
      });
    });
  }

  output(draft: PacketDraft): PacketOutcome {
    return this.port.output(this, draft);
  }

  call<T>(run: () => T): T {
    return this.port.delivery.call(run);
  }

  register(socket: PacketReceiver): void {
    this.port.delivery.register(this.netns, socket);
  }

  unregister(socket: PacketReceiver): void {
    this.port.delivery.unregister(socket);
  }
}
