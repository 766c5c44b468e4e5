import dgram from 'node:dgram';
import net from 'node:net';
import os from 'node:os';
import type { InheritedSockets } from './inherited-sockets.js';
import { Losses } from './losses.js';
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
} from './network.js';

/** Kernel buffer of a listening UDP socket, in octets: a burst of some thousand queries waits instead of being lost. */
const RECEIVE_BUFFER = 4 << 20;
/** The same on the way out: what waits on a slow way leaves room for others. */
const SEND_BUFFER = 4 << 20;
/** Answers that may wait in this process for the kernel to take them, per socket, in bytes. */
const SEND_QUEUE = 1 << 20;
/** Answers after which the queue is looked at: that costs as much as a small part of sending one. */
const LOOK = 32;

/** Connections that wait for the process to accept them. */
const BACKLOG = 1024;

/** Whether Node can share a TCP port, which it does on Linux only among the systems that it runs on for us. */
const HAS_REUSE_PORT = hasReusePort(process.platform, process.versions.node);

/** Node 23.1 and newer, on Linux. */
export function hasReusePort(platform: NodeJS.Platform, version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return platform === 'linux' && (major > 23 || (major === 23 && minor >= 1));
}

/**
 * Addresses are always given as such, so looking one up is handing it back; Node's own lookup costs a turn of the
 * event loop per datagram.
 */
type DnsLookup = (host: string, options: unknown, done: (error: null, address: string, family: number) => void) => void;
const asIs: DnsLookup = (host, _options, done) => done(null, host, host.includes(':') ? 6 : 4);

const udpType = (address: string): 'udp4' | 'udp6' => (address.includes(':') ? 'udp6' : 'udp4');

/** TCP sockets whose places other processes of the same user may share (SO_REUSEPORT). */
export interface SharedTcp {
  /** Binds one and gives its descriptor. Throws a NodeJS.ErrnoException. */
  open(at: Endpoint): number;
  /** To be called when it listens; what it gives is `TcpListener.turnAway`. */
  listens(fd: number, local: Endpoint): () => boolean;
}

/**
 * The operating system's sockets. Where another process passed on a socket that is bound to the wanted place, that
 * one is listened at.
 */
export class HostNetwork implements Network {
  readonly losses = new Losses();

  /**
   * @param sharedTcp opens TCP sockets at ports that are named, to be shared with other processes, or `node` for what
   *   Node has for that, from 23.1 on; by default a place is for one process
   */
  constructor(
    private readonly inherited?: InheritedSockets,
    private readonly sharedTcp?: SharedTcp | 'node',
  ) {}

  bindUdp(at: Endpoint, onDatagram: OnDatagram): Promise<UdpSocket> {
    if (at.address === '')
      return everywhere(
        (address) => this.bindUdp({ address, port: at.port }, (bytes, peer) => onDatagram(bytes, unmapped(peer))),
        mapTo,
      );
    return new Promise((resolve, reject) => {
      // Sockets at one address and at all of them share a port.
      const socket = dgram.createSocket({ type: udpType(at.address), lookup: asIs, reuseAddr: true });
      socket.once('error', reject);
      const fd = this.inherited?.take('udp', at);
      socket.bind(
        fd === undefined ? { address: at.address, port: at.port, exclusive: true } : { fd, exclusive: true },
        () => {
          socket.off('error', reject);
          // A datagram that could not be sent is lost; an error without a listener would end the process.
          socket.on('error', (error: NodeJS.ErrnoException) => this.losses.count(-(error.errno ?? 0)));
          growBuffers(socket);
          socket.on('message', onDatagram);
          resolve(this.boundSocket(socket));
        },
      );
    });
  }

  private boundSocket(socket: dgram.Socket): UdpSocket {
    let open = true;
    let unlooked = 0;
    let full = false;
    return {
      local: socket.address(),
      send: (bytes, length, to) => {
        if (!open) return;
        if (full || ++unlooked > LOOK) {
          unlooked = 0;
          full = socket.getSendQueueSize() > SEND_QUEUE;
          if (full) return this.losses.add('buffer_full', 1);
        }
        socket.send(bytes, 0, length, to.port, to.address);
      },
      close: () => {
        open = false;
        closeUdp(socket);
      },
    };
  }

  connectUdp(
    to: Destination,
    onDatagram: (bytes: Buffer) => void,
    onError: (error: Error) => void,
  ): Promise<ConnectedUdpSocket> {
    return new Promise((resolve, reject) => {
      const socket = dgram.createSocket({ type: udpType(to.address), lookup: asIs });
      socket.once('error', reject);
      // Node's types leave out that a connection that cannot be made is told here, not by an event.
      const connect = (): void =>
        socket.connect(to.port, to.address, (error?: Error) => {
          socket.off('error', reject);
          if (error) {
            closeUdp(socket);
            return reject(error);
          }
          socket.on('error', onError);
          socket.on('message', onDatagram);
          resolve({ local: socket.address(), send: (bytes) => socket.send(bytes), close: () => closeUdp(socket) });
        });
      if (to.from === undefined) connect();
      else socket.bind({ address: to.from, port: 0, exclusive: true }, connect);
    });
  }

  listenTcp(at: Endpoint, onConnection: (connection: TcpConnection) => void): Promise<TcpListener> {
    if (at.address === '')
      return everywhere(
        (address) => this.listenTcp({ address, port: at.port }, onConnection),
        (listener) => listener,
      );
    return new Promise((resolve, reject) => {
      // What throws here rejects. A port that is drawn is nobody else's.
      const shared = at.port === 0 ? undefined : this.sharedTcp;
      const passed = this.inherited?.take('tcp', at);
      const reusePort = passed === undefined && shared === 'node' && HAS_REUSE_PORT;
      // What was passed on may be another process's too, and would be turned away from that as well.
      const open = passed === undefined && shared !== 'node' ? shared : undefined;
      const own = open?.open(at);
      const fd = passed ?? own;
      const server = net.createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
        onConnection(connection(socket)),
      );
      server.once('error', reject);
      server.listen(
        fd === undefined
          ? { host: at.address, port: at.port, backlog: BACKLOG, exclusive: true, ...(reusePort && { reusePort }) }
          : { fd, backlog: BACKLOG, exclusive: true },
        () => {
          server.off('error', reject);
          // Accepting fails when descriptors run out; the connection is refused and the next one may fit.
          server.on('error', ignore);
          const { address, port } = server.address() as net.AddressInfo;
          const local = { address, port };
          const leave = own === undefined ? undefined : open?.listens(own, local);
          const turnAway = (): boolean => server.listening && leave?.() === true;
          resolve({ local, turnAway, close: () => void server.close() });
        },
      );
    });
  }

  connectTcp(to: Destination, signal?: AbortSignal): Promise<TcpConnection> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const from = to.from === undefined ? {} : { localAddress: to.from };
      const socket = net.connect({ host: to.address, port: to.port, noDelay: true, allowHalfOpen: true, ...from });
      const abort = (): void => void socket.destroy(signal!.reason as Error);
      const settle = (): void => {
        signal?.removeEventListener('abort', abort);
        socket.off('error', fail);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      signal?.addEventListener('abort', abort, { once: true });
      socket.once('error', fail);
      socket.once('connect', () => {
        settle();
        resolve(connection(socket));
      });
    });
  }

  interfaces(): readonly InterfaceAddress[] {
    return Object.entries(os.networkInterfaces()).flatMap(([device, addresses]) =>
      (addresses ?? []).map(({ address, internal }) => ({ device, address, loopback: internal })),
    );
  }
}

function connection(socket: net.Socket): TcpConnection {
  return {
    stream: socket,
    local: unmapped({ address: socket.localAddress ?? '', port: socket.localPort ?? 0 }),
    remote: unmapped({ address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }),
  };
}

/** Opens at both families at once, or at IPv4 alone where the system has no IPv6. */
async function everywhere<T>(open: (address: string) => Promise<T>, both: (socket: T) => T): Promise<T> {
  try {
    return both(await open('::'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return open('0.0.0.0');
  }
}

/** How a socket of both families spells an IPv4 peer (RFC 4291 section 2.5.5.2). */
const MAPPED = '::ffff:';

const unmapped = (peer: Endpoint): Endpoint =>
  peer.address.startsWith(MAPPED) ? { address: peer.address.slice(MAPPED.length), port: peer.port } : peer;

function mapTo(socket: UdpSocket): UdpSocket {
  return {
    ...socket,
    send: (bytes, length, to) =>
      socket.send(bytes, length, to.address.includes(':') ? to : { address: MAPPED + to.address, port: to.port }),
  };
}

function ignore(): void {
  // Said where it is used.
}

function growBuffers(socket: dgram.Socket): void {
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER);
    socket.setSendBufferSize(SEND_BUFFER);
  } catch {
    // The system allows less; it then keeps its default.
  }
}

function closeUdp(socket: dgram.Socket): void {
  try {
    socket.close();
  } catch {
    // Already closed, by an error.
  }
}
