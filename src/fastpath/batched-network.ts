import dgram from 'node:dgram';
import type { Duplex } from 'node:stream';
import { copyOctets } from '../lib/octets.js';
import type { Losses } from '../net/losses.js';
import type {
  ConnectedUdpSocket,
  Destination,
  Endpoint,
  InterfaceAddress,
  Network,
  OnDatagram,
  TcpConnection,
  TcpListener,
  UdpSocket,
} from '../net/network.js';
import { Batch } from './batch.js';
import {
  AF_INET,
  AF_INET6,
  EAGAIN,
  ENOBUFS,
  IPPROTO_TCP,
  MSG_DONTWAIT,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  TCP_QUICKACK,
  callError,
  type Libc,
} from './libc.js';
import { Sender } from './sender.js';
import { encodeSockaddr } from './sockaddr.js';

/** Datagrams of one call. */
const BATCH = 32;
/**
 * Longest datagram, in octets; of the memory set aside for it, what is never written to is never taken from the
 * system.
 */
const SIZE = 65_536;
/** Batches taken at a time before other events get their turn. */
const ROUNDS = 8;

/** An `int` of 1. */
const ON = new Uint8Array(Int32Array.of(1).buffer);

interface Connected {
  readonly fd: number;
  readonly to: Endpoint;
  readonly onDatagram: (bytes: Buffer) => void;
  readonly onError: (error: Error) => void;
  open: boolean;
}

/**
 * A network whose connected UDP sockets send and take datagrams with batched calls: those of one turn of the event
 * loop in one call, and with the first
 * reply that Node's own socket brings, all that have come by then. Everything else is the inner network's.
 */
export class BatchedNetwork implements Network {
  private readonly received: Batch;
  private readonly sender: Sender;
  private readonly sockets = new Map<number, Connected>();

  /** @param inner a network of this host */
  constructor(
    private readonly inner: Network,
    private readonly libc: Libc,
    losses: Losses,
  ) {
    this.received = new Batch(libc, BATCH, SIZE);
    this.sender = new Sender(libc, (fd, errno, lost) => {
      losses.count(errno, lost);
      this.failed('sendmmsg', fd, errno);
    });
  }

  async connectUdp(
    to: Destination,
    onDatagram: (bytes: Buffer) => void,
    onError: (error: Error) => void,
  ): Promise<ConnectedUdpSocket> {
    const { sender } = this;
    const socket: Connected = { fd: this.connect(to), to, onDatagram, onError, open: true };
    const { fd } = socket;
    // Node's own socket says when something has come.
    const events = dgram.createSocket(to.address.includes(':') ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      events.once('error', reject);
      events.bind({ fd, exclusive: true }, () => resolve(events.off('error', reject) && undefined));
    });
    this.sockets.set(fd, socket);
    events.on('error', onError);
    events.on('message', (bytes) => {
      onDatagram(bytes);
      this.drain(socket);
    });
    return {
      local: events.address(),
      copies: true,
      send: (bytes) => socket.open && sender.send(fd, bytes, bytes.length, undefined),
      close: () => {
        if (!socket.open) return;
        sender.flush();
        socket.open = false;
        this.sockets.delete(fd);
        events.close();
      },
    };
  }

  bindUdp(at: Endpoint, onDatagram: OnDatagram): Promise<UdpSocket> {
    return this.inner.bindUdp(at, onDatagram);
  }

  listenTcp(at: Endpoint, onConnection: (connection: TcpConnection) => void): Promise<TcpListener> {
    return this.inner.listenTcp(at, onConnection);
  }

  async connectTcp(to: Destination, signal?: AbortSignal): Promise<TcpConnection> {
    const { libc } = this;
    const connection = await this.inner.connectTcp(to, signal);
    const { stream } = connection;
    // Node keeps it from its users; without it, acknowledgements wait as usual.
    const fd = (stream as Duplex & { _handle?: { fd?: number } })._handle?.fd;
    if (fd === undefined || fd < 0) return connection;
    return {
      ...connection,
      acknowledge: () => {
        if (!stream.destroyed) libc.setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, ON, ON.length);
      },
    };
  }

  interfaces(): readonly InterfaceAddress[] {
    return this.inner.interfaces();
  }

  /** A connected descriptor; its port is drawn by the kernel. */
  private connect(to: Destination): number {
    const { libc } = this;
    const sockaddr = encodeSockaddr(to);
    const fd = libc.socket(sockaddr.length === 16 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) throw callError('socket', libc.errno(), to);
    const fail = (call: string, at: Endpoint): never => {
      const error = callError(call, libc.errno(), at);
      libc.close(fd);
      throw error;
    };
    if (to.from !== undefined) {
      const at = { address: to.from, port: 0 };
      const local = encodeSockaddr(at);
      if (libc.bind(fd, local, local.length) < 0) fail('bind', at);
    }
    if (libc.connect(fd, sockaddr, sockaddr.length) < 0) fail('connect', to);
    return fd;
  }

  private drain(socket: Connected): void {
    const { libc, received } = this;
    for (let round = 0; round < ROUNDS && socket.open; round++) {
      const count = libc.recvmmsg(socket.fd, received.pointer, BATCH, MSG_DONTWAIT, null);
      if (count < 0) this.failed('recvmmsg', socket.fd, libc.errno());
      for (let i = 0; i < count && socket.open; i++)
        socket.onDatagram(copyOctets(received.bytes, i * SIZE, i * SIZE + received.length(i)));
      if (count < BATCH) return;
    }
  }

  /**
   * An error arrives with a call of its own, never within one: whoever is in the middle of sending is not told of
   * another query's end.
   */
  private failed(syscall: string, fd: number, errno: number): void {
    if (errno === EAGAIN || errno === ENOBUFS) return;
    const socket = this.sockets.get(fd);
    if (socket) queueMicrotask(() => socket.open && socket.onError(callError(syscall, errno, socket.to)));
  }
}
