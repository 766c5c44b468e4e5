import type { Milliseconds } from '../../lib/units.js';
import { isIpv4, requireIp } from '../address.js';
import { SocketError } from '../errors.js';
import type { PacketOutcome } from '../events.js';
import type { Packet } from '../packet.js';
import { isWildcard } from '../netns/port-table.js';
import type { Bound } from '../netns/port-table.js';
import type { PacketReceiver, Stack } from './stack.js';
import type { SocketTarget } from '../loadbalancer/socket-lb.js';

/** A datagram as a program gets it. */
export interface ReceivedDatagram {
  readonly payload: Uint8Array;
  /** The sender, translated back where the call asked for the address. */
  readonly address: string;
  readonly port: number;
  /** The address it was sent to (IP_PKTINFO). */
  readonly localAddress: string;
  readonly at: Milliseconds;
}

export interface UdpOptions {
  readonly reusePort?: boolean;
  /** Called when a datagram or an error waits; the program then calls `recv`. */
  readonly onReadable?: (socket: ModelUdpSocket) => void;
}

/** Largest payload of a UDP datagram over IPv4: 65535 less the IP and UDP headers. */
export const MAX_UDP_PAYLOAD = 65_507;
/** Datagrams that may wait unread; more are lost, as with a full receive buffer. */
const MAX_WAITING = 1024;

/** A UDP socket of a modelled program. Which calls the socket hook sees is the same as on Linux: see `SocketLb`. */
export class ModelUdpSocket implements PacketReceiver, Bound {
  readonly protocol = 'UDP';
  readonly cookie: number;
  readonly reusePort: boolean;
  localAddress = '';
  localPort = 0;
  /** The peer on the wire: the backend where `asked` is a service. */
  peer: SocketTarget | undefined;
  private asked: SocketTarget | undefined;
  private closed = false;
  private error: SocketError | undefined;
  private readonly waiting: Packet[] = [];
  private readonly arrived: Milliseconds[] = [];
  private readonly translated = new Map<string, SocketTarget>();

  constructor(
    private readonly stack: Stack,
    private readonly options: UdpOptions = {},
  ) {
    this.cookie = stack.nextCookie();
    this.reusePort = options.reusePort ?? false;
  }

  /**
   * Takes an address of the namespace (or a wildcard) and a port, 0 for any free one. Throws EADDRNOTAVAIL,
   * EADDRINUSE, EINVAL.
   */
  bind(address: string, port = 0): void {
    this.check();
    if (this.localPort !== 0) throw new SocketError('EINVAL', `socket is already bound to port ${this.localPort}`);
    const ip = isWildcard(address) ? address : requireIp(address, 'address');
    if (!isWildcard(ip) && !this.stack.netns.hasAddress(ip))
      throw new SocketError('EADDRNOTAVAIL', `${this.stack.netns.id} does not have the address ${ip}`);
    this.take(ip, port);
  }

  /** Sets the peer for `send`. A service address is translated here, once: later calls go to the same backend. */
  connect(address: string, port: number): void {
    this.check();
    this.stack.call(() => {
      const asked = { ip: requireIp(address, 'address'), port };
      const { caller, hooks } = this.stack.owner;
      const peer = hooks?.forward(caller, asked, 'UDP', this.cookie) ?? asked;
      const source = isWildcard(this.localAddress) ? this.stack.netns.sourceFor(peer.ip) : this.localAddress;
      const localPort = this.localPort || this.stack.netns.ports.ephemeral('UDP', this.stack.random);
      if (this.localPort !== 0) this.stack.netns.ports.remove(this);
      this.asked = asked;
      this.peer = { ip: peer.ip, port: peer.port };
      this.localAddress = source;
      this.localPort = localPort;
      this.note(peer !== asked, this.peer);
      this.stack.netns.ports.add(this);
      this.stack.register(this);
    });
  }

  /**
   * Sends to the connected peer, which is not looked up again. Throws ENOTCONN, EMSGSIZE, and a pending ECONNREFUSED.
   */
  send(payload: Uint8Array): PacketOutcome {
    this.check();
    if (!this.peer) throw new SocketError('ENOTCONN', 'the socket is not connected');
    const peer = this.peer;
    return this.stack.call(() => this.transmit(payload, this.localAddress, peer));
  }

  /**
   * Sends with an address: the address is translated for each datagram. `source` picks the local address
   * (IP_PKTINFO).
   */
  sendTo(payload: Uint8Array, address: string, port: number, source?: string): PacketOutcome {
    this.check();
    return this.stack.call(() => {
      const asked = { ip: requireIp(address, 'address'), port };
      const { caller, hooks } = this.stack.owner;
      const target = hooks?.forward(caller, asked, 'UDP', this.cookie) ?? asked;
      if (this.localPort === 0) this.take(isIpv4(target.ip) ? '0.0.0.0' : '::', 0);
      this.note(target !== asked, target);
      const from =
        source ?? (isWildcard(this.localAddress) ? this.stack.netns.sourceFor(target.ip) : this.localAddress);
      return this.transmit(payload, from, target);
    });
  }

  /**
   * The oldest datagram that waits; undefined when none does. With an address buffer (the default) the hook sees the
   * call
   * and the sender is translated back; without, as read and recv on a connected socket, it does not and the sender is
   * the
   * connected peer as asked. Throws a pending error first.
   */
  recv(withAddress = true): ReceivedDatagram | undefined {
    this.check();
    const packet = this.waiting.shift();
    if (!packet) return undefined;
    const at = this.arrived.shift()!;
    return this.stack.call(() => {
      const sender = { ip: packet.src, port: packet.sport };
      const { caller, hooks } = this.stack.owner;
      const shown = withAddress
        ? (hooks?.reverse(caller, sender, 'UDP', this.cookie) ?? sender)
        : (this.asked ?? sender);
      return { payload: packet.payload, address: shown.ip, port: shown.port, localAddress: packet.dst, at };
    });
  }

  /** The connected peer as the program asked for it. Throws ENOTCONN, before the hook, when there is none. */
  getpeername(): SocketTarget {
    this.check();
    if (!this.peer) throw new SocketError('ENOTCONN', 'the socket is not connected');
    const { caller, hooks } = this.stack.owner;
    return this.stack.call(() => hooks?.reverse(caller, this.peer!, 'UDP', this.cookie) ?? this.peer!);
  }

  /** The backend that connect chose; undefined when the peer is no service. */
  get backend(): SocketTarget | undefined {
    return this.peer && this.translated.get(`${this.peer.ip}:${this.peer.port}`);
  }

  /** Number of datagrams that wait. */
  get readable(): number {
    return this.waiting.length;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.waiting.length = 0;
    this.stack.netns.ports.remove(this);
    this.stack.unregister(this);
    this.stack.owner.hooks?.release(this.cookie, this.translated.values());
  }

  receive(packet: Packet, at: Milliseconds): void {
    if (this.closed || this.waiting.length >= MAX_WAITING) return;
    this.waiting.push(packet);
    this.arrived.push(at);
    this.options.onReadable?.(this);
  }

  fail(packet: Packet): void {
    // Only a connected socket learns of ICMP errors (udp(7)).
    if (!this.peer || packet.icmp?.kind !== 'port-unreachable') return;
    this.error = new SocketError('ECONNREFUSED', `${this.peer.ip}:${this.peer.port} is closed`);
    this.options.onReadable?.(this);
  }

  abort(): void {
    this.error = new SocketError('ECONNABORTED', 'the backend of this socket is gone');
    this.options.onReadable?.(this);
  }

  private transmit(payload: Uint8Array, src: string, target: SocketTarget): PacketOutcome {
    if (payload.length > MAX_UDP_PAYLOAD)
      throw new SocketError('EMSGSIZE', `${payload.length} bytes do not fit a datagram, at most ${MAX_UDP_PAYLOAD} do`);
    return this.stack.output({
      protocol: 'UDP',
      src,
      dst: target.ip,
      sport: this.localPort,
      dport: target.port,
      payload,
    });
  }

  private take(address: string, port: number): void {
    this.localAddress = address;
    this.localPort = port || this.stack.netns.ports.ephemeral('UDP', this.stack.random);
    try {
      this.stack.netns.ports.add(this);
    } catch (error) {
      this.localPort = 0;
      throw error;
    }
    this.stack.register(this);
  }

  private note(translated: boolean, target: SocketTarget): void {
    if (translated) this.translated.set(`${target.ip}:${target.port}`, { ip: target.ip, port: target.port });
  }

  private check(): void {
    if (this.closed) throw new SocketError('EBADF', 'the socket is closed');
    const { error } = this;
    this.error = undefined;
    if (error) throw error;
  }
}
