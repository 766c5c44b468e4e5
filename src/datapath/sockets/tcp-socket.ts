import type { Octets } from '../../lib/units.js';
import { isIpv4, requireIp } from '../address.js';
import { SocketError } from '../errors.js';
import { hasFlag } from '../packet.js';
import type { Packet } from '../packet.js';
import { isWildcard } from '../netns/port-table.js';
import type { Bound } from '../netns/port-table.js';
import type { PacketReceiver, Stack } from './stack.js';
import type { SocketTarget } from '../loadbalancer/socket-lb.js';
import {
  AFTER_FIN,
  DELAYED_ACK,
  SEQUENCE_SPACE,
  TIME_WAIT,
  WINDOW,
  WINDOW_AFTER_DATA,
  WINDOW_SCALE,
  wrap,
  type TcpState,
} from './tcp-figures.js';
import { SendQueue } from './tcp-queue.js';
import type { Segment } from './tcp-queue.js';

export interface TcpHandlers {
  readonly onConnect?: (socket: ModelTcpSocket) => void;
  readonly onData?: (socket: ModelTcpSocket, data: Uint8Array) => void;
  /** The peer has sent its FIN. */
  readonly onEnd?: (socket: ModelTcpSocket) => void;
  /** Once, at the end; with the error that ended it, if one did. */
  readonly onClose?: (socket: ModelTcpSocket, error?: SocketError) => void;
}

export interface TcpConnectOptions extends TcpHandlers {
  readonly localAddress?: string;
  readonly localPort?: number;
}

/** A TCP connection of a modelled program: the segments of RFC 9293 without congestion or window control. */
export class ModelTcpSocket implements PacketReceiver, Bound {
  readonly protocol = 'TCP';
  readonly cookie: number;
  readonly reusePort = false;
  readonly localAddress: string;
  readonly localPort: number;
  /** The peer on the wire: the backend where `asked` is a service. */
  readonly peer: SocketTarget;
  private current: TcpState;
  private readonly queue: SendQueue;
  private received = 0;
  private peerTimestamp = 0;
  private window: number;
  private ackPending: (() => void) | undefined;
  private readonly mss: Octets;

  private constructor(
    private readonly stack: Stack,
    private handlers: TcpHandlers,
    private readonly asked: SocketTarget,
    peer: SocketTarget,
    local: SocketTarget,
    private readonly role: 'client' | 'server',
    cookie: number,
  ) {
    this.cookie = cookie;
    this.peer = peer;
    this.localAddress = local.ip;
    this.localPort = local.port;
    this.current = role === 'client' ? 'SYN_SENT' : 'SYN_RECEIVED';
    this.window = WINDOW[role];
    this.mss = stack.netns.mtuTo(peer.ip) - (isIpv4(peer.ip) ? 20 : 40) - 20;
    this.queue = new SendQueue(
      stack.timers,
      () => stack.now(),
      stack.random.uint32(),
      (segment) => this.emit(segment),
      () => this.finish(new SocketError('ETIMEDOUT', `${asked.ip}:${asked.port} does not answer`)),
    );
    stack.netns.ports.add(this);
    stack.register(this);
  }

  /**
   * Starts a connection. A service address is translated once, here. Throws what the call would: EHOSTUNREACH,
   * ENETUNREACH, EADDRNOTAVAIL.
   */
  static connect(stack: Stack, address: string, port: number, options: TcpConnectOptions = {}): ModelTcpSocket {
    return stack.call(() => {
      const asked = { ip: requireIp(address, 'address'), port };
      const cookie = stack.nextCookie();
      const { caller, hooks } = stack.owner;
      const to = hooks?.forward(caller, asked, 'TCP', cookie) ?? asked;
      const given = options.localAddress ?? '';
      if (!isWildcard(given) && !stack.netns.hasAddress(given))
        throw new SocketError('EADDRNOTAVAIL', `${stack.netns.id} does not have the address ${given}`);
      const ip = isWildcard(given) ? stack.netns.sourceFor(to.ip) : given;
      const local = { ip, port: options.localPort || stack.netns.ports.ephemeral('TCP', stack.random) };
      const socket = new ModelTcpSocket(stack, options, asked, { ip: to.ip, port: to.port }, local, 'client', cookie);
      socket.queue.send({ flags: ['SYN'], payload: EMPTY, length: 1 });
      return socket;
    });
  }

  /** The server's side of a connection, made by a listener from a SYN. */
  static accept(stack: Stack, syn: Packet, onConnect: (socket: ModelTcpSocket) => void): ModelTcpSocket {
    const peer = { ip: syn.src, port: syn.sport };
    const socket = new ModelTcpSocket(
      stack,
      { onConnect },
      peer,
      peer,
      { ip: syn.dst, port: syn.dport },
      'server',
      stack.nextCookie(),
    );
    socket.received = wrap(syn.tcp!.seq + 1);
    socket.peerTimestamp = syn.tcp!.options.tsVal;
    socket.queue.send({ flags: ['SYN', 'ACK'], payload: EMPTY, length: 1 });
    return socket;
  }

  get state(): TcpState {
    return this.current;
  }

  /** The address that the program asked for, or the client's for an accepted connection. */
  get remote(): SocketTarget {
    return this.asked;
  }

  /** Sets what an accepted connection calls; call it inside `onConnection`. */
  handle(handlers: TcpHandlers): void {
    this.handlers = handlers;
  }

  /**
   * Sends data, cut to the segment size; PSH is on the last piece. Throws ENOTCONN unless the connection is open for
   * sending.
   */
  write(data: Uint8Array): void {
    if (this.current !== 'ESTABLISHED' && this.current !== 'CLOSE_WAIT')
      throw new SocketError('ENOTCONN', `the connection is ${this.current}`);
    // Timestamps take 12 bytes of each segment's room.
    const room = this.mss - 12;
    this.stack.call(() => {
      for (let from = 0; from < data.length; from += room) {
        const payload = data.slice(from, from + room);
        const last = from + room >= data.length;
        this.queue.send({ flags: last ? ['ACK', 'PSH'] : ['ACK'], payload, length: payload.length });
      }
    });
  }

  /** Sends a FIN. Does nothing when one has been sent. */
  end(): void {
    if (this.current === 'SYN_SENT') return this.finish();
    const state = AFTER_FIN[this.current];
    if (!state) return;
    this.current = state;
    this.stack.call(() => this.queue.send({ flags: ['ACK', 'FIN'], payload: EMPTY, length: 1 }));
  }

  /** Ends at once with a RST. */
  destroy(): void {
    if (this.current === 'CLOSED') return;
    if (this.current !== 'SYN_SENT' && this.current !== 'TIME_WAIT')
      this.stack.call(() => this.emit({ flags: ['ACK', 'RST'], payload: EMPTY, length: 0, seq: this.queue.next }));
    this.finish();
  }

  /** The peer as the program is shown it; the hook sees the call. */
  getpeername(): SocketTarget {
    const { caller, hooks } = this.stack.owner;
    return this.stack.call(() => hooks?.reverse(caller, this.peer, 'TCP', this.cookie) ?? this.peer);
  }

  receive(packet: Packet): void {
    const tcp = packet.tcp!;
    if (this.current === 'CLOSED') return;
    if (hasFlag(packet, 'RST')) return this.reset();
    this.peerTimestamp = tcp.options.tsVal;
    if (this.current === 'SYN_SENT') return this.synSent(packet);
    if (hasFlag(packet, 'SYN')) return this.acknowledge();
    if (hasFlag(packet, 'ACK')) this.acked(this.queue.acknowledge(tcp.ack));
    if (packet.payload.length > 0) this.data(packet);
    if (hasFlag(packet, 'FIN')) this.fin(packet);
  }

  fail(packet: Packet): void {
    if (this.current === 'SYN_SENT' && packet.icmp?.kind !== 'frag-needed')
      this.finish(new SocketError('EHOSTUNREACH', `${this.asked.ip}:${this.asked.port} cannot be reached`));
  }

  private synSent(packet: Packet): void {
    if (!hasFlag(packet, 'SYN') || !hasFlag(packet, 'ACK')) return;
    this.received = wrap(packet.tcp!.seq + 1);
    this.queue.acknowledge(packet.tcp!.ack);
    this.current = 'ESTABLISHED';
    this.acknowledge();
    this.handlers.onConnect?.(this);
  }

  private acked(all: boolean): void {
    if (this.current === 'SYN_RECEIVED') {
      this.current = 'ESTABLISHED';
      this.handlers.onConnect?.(this);
    } else if (all && this.current === 'FIN_WAIT_1') this.current = 'FIN_WAIT_2';
    else if (all && this.current === 'CLOSING') this.timeWait();
    else if (all && this.current === 'LAST_ACK') this.finish();
  }

  private data(packet: Packet): void {
    const fresh = packet.tcp!.seq === this.received;
    if (fresh) this.received = wrap(this.received + packet.payload.length);
    if (this.role === 'client') this.window = WINDOW_AFTER_DATA;
    // A young connection is in quick-ack mode: each segment is acknowledged at once, a stale or early one too.
    this.acknowledge();
    if (fresh) this.handlers.onData?.(this, packet.payload);
  }

  private fin(packet: Packet): void {
    if (wrap(packet.tcp!.seq + packet.payload.length) !== this.received) return this.acknowledge();
    this.received = wrap(this.received + 1);
    if (this.current === 'FIN_WAIT_2' || this.current === 'FIN_WAIT_1') {
      const wasAcked = this.current === 'FIN_WAIT_2';
      this.acknowledge();
      if (wasAcked) this.timeWait();
      else this.current = 'CLOSING';
      this.handlers.onEnd?.(this);
      return;
    }
    if (this.current !== 'ESTABLISHED') return;
    this.current = 'CLOSE_WAIT';
    // The ACK waits for the program's own FIN to carry it.
    this.ackPending ??= this.stack.timers.set(this.stack.now() + DELAYED_ACK, () =>
      this.stack.call(() => this.acknowledge()),
    );
    this.handlers.onEnd?.(this);
  }

  private acknowledge(): void {
    this.emit({ flags: ['ACK'], payload: EMPTY, length: 0, seq: this.queue.next });
  }

  private emit(segment: Segment): void {
    const flags = segment.flags;
    if (flags.includes('ACK')) {
      this.ackPending?.();
      this.ackPending = undefined;
    }
    const syn = flags.includes('SYN');
    const window = syn ? (this.role === 'client' ? WINDOW.syn : WINDOW.synAck) : this.window;
    const stamps = { tsVal: Math.floor(this.stack.now()) % SEQUENCE_SPACE, tsEcr: this.peerTimestamp };
    const options = syn ? { mss: this.mss, sackOk: true, windowScale: WINDOW_SCALE, ...stamps } : stamps;
    const ack = flags.includes('ACK') ? this.received : 0;
    this.stack.output({
      protocol: 'TCP',
      src: this.localAddress,
      dst: this.peer.ip,
      sport: this.localPort,
      dport: this.peer.port,
      tcp: { flags, seq: segment.seq, ack, window, options },
      payload: segment.payload,
    });
  }

  private reset(): void {
    const refused = this.current === 'SYN_SENT';
    if (this.current === 'TIME_WAIT' || this.current === 'LAST_ACK') return this.finish();
    this.finish(
      new SocketError(
        refused ? 'ECONNREFUSED' : 'ECONNRESET',
        `${this.asked.ip}:${this.asked.port} ${refused ? 'refused the connection' : 'reset the connection'}`,
      ),
    );
  }

  private timeWait(): void {
    this.current = 'TIME_WAIT';
    this.stack.timers.set(this.stack.now() + TIME_WAIT, () => this.finish());
    this.handlers.onClose?.(this);
    this.handlers = {};
  }

  private finish(error?: SocketError): void {
    if (this.current === 'CLOSED') return;
    this.current = 'CLOSED';
    this.ackPending?.();
    this.queue.clear();
    this.stack.netns.ports.remove(this);
    this.stack.unregister(this);
    this.stack.owner.hooks?.release(this.cookie, [this.peer]);
    this.handlers.onClose?.(this, error);
  }
}

const EMPTY = new Uint8Array(0);
