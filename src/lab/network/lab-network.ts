import { isLoopback } from '../../datapath/netns/netns.js';
import type { Process } from '../../datapath/sockets/process.js';
import type { ModelTcpSocket } from '../../datapath/sockets/tcp-socket.js';
import type { ReceivedDatagram, ModelUdpSocket as ModelUdp } from '../../datapath/sockets/udp-socket.js';
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
} from '../../net/network.js';
import { LabStream } from './lab-stream.js';
import { LIBC } from './syscall-profile.js';
import type { SyscallProfile } from './syscall-profile.js';

export interface LabNetworkOptions {
  /** What kind of program it is. Default: a C library's. */
  readonly habits?: SyscallProfile;
  /**
   * Told of exceptions that a handler of the program throws; without it they are thrown out of a later turn of the
   * event loop.
   */
  readonly onFault?: (error: unknown) => void;
}

/** Peers whose last local address is kept, so that an answer comes from the address that was asked. */
const MAX_PEERS = 4096;

/**
 * The network of one modelled pod, node or host: `bind 169.254.20.10` in a Corefile, a dial of 10.96.0.10 and a
 * lookup through a
 * pod's resolv.conf work on it as on the operating system's, and each packet is forwarded through the world.
 *
 * Everything happens inside the call that causes it: a datagram is delivered, answered and the answer handed over
 * before `send`
 * returns, unless the program on the other side waits for something. An exception of a handler never reaches the
 * sender.
 */
export class LabNetwork implements Network {
  private readonly habits: SyscallProfile;

  constructor(
    readonly process: Process,
    private readonly options: LabNetworkOptions = {},
  ) {
    this.habits = options.habits ?? LIBC;
  }

  async bindUdp(at: Endpoint, onDatagram: OnDatagram): Promise<UdpSocket> {
    const asked = new LocalAddresses();
    const socket = this.process.udp({
      onReadable: (readable) =>
        this.drain(readable, true, (datagram) => {
          asked.set(datagram);
          onDatagram(Buffer.from(datagram.payload), { address: datagram.address, port: datagram.port });
        }),
    });
    bind(socket, at);
    return {
      local: { address: at.address, port: socket.localPort },
      send: (bytes, length, to) => {
        if (socket.isClosed) return;
        try {
          socket.sendTo(Uint8Array.from(bytes.subarray(0, length)), to.address, to.port, asked.get(to));
        } catch {
          // What cannot be sent is lost, as datagrams are.
        }
      },
      close: () => socket.close(),
    };
  }

  async connectUdp(
    to: Destination,
    onDatagram: (bytes: Buffer) => void,
    onError: (error: Error) => void,
  ): Promise<ConnectedUdpSocket> {
    const { habits } = this;
    const socket = this.process.udp({
      onReadable: (readable) =>
        this.drain(readable, habits.readsAddress, (datagram) => onDatagram(Buffer.from(datagram.payload)), onError),
    });
    try {
      if (to.from !== undefined) bind(socket, { address: to.from, port: 0 });
      socket.connect(to.address, to.port);
      for (let call = 0; call < habits.getpeernameAfterConnect; call++) socket.getpeername();
    } catch (error) {
      socket.close();
      throw error;
    }
    let fresh = true;
    return {
      local: { address: socket.localAddress, port: socket.localPort },
      send: (bytes) => {
        if (socket.isClosed) return;
        try {
          // The calls after the first datagram are made before its answer can be read: both run in one turn of the
          // program.
          this.process.call(() => {
            socket.send(Uint8Array.from(bytes));
            if (fresh) for (let call = 0; call < habits.namesAfterSend; call++) socket.getpeername();
            fresh = false;
          });
        } catch (error) {
          queueMicrotask(() => this.guard(() => onError(error as Error)));
        }
      },
      close: () => socket.close(),
    };
  }

  async listenTcp(at: Endpoint, onConnection: (connection: TcpConnection) => void): Promise<TcpListener> {
    const listener = this.process.listen(wildcard(at.address), at.port, (socket) => {
      const stream = streamOf(socket);
      this.guard(() =>
        onConnection({
          stream,
          local: { address: socket.localAddress, port: socket.localPort },
          remote: { address: socket.peer.ip, port: socket.peer.port },
        }),
      );
    });
    return { local: { address: at.address, port: listener.localPort }, close: () => listener.close() };
  }

  connectTcp(to: Destination, signal?: AbortSignal): Promise<TcpConnection> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      // The route chooses among several addresses of the modelled host.
      if (to.from !== undefined && !this.interfaces().some(({ address }) => address === to.from))
        return reject(Object.assign(new Error(`bind EADDRNOTAVAIL ${to.from}`), { code: 'EADDRNOTAVAIL' }));
      let opened = false;
      const abort = (): void => {
        reject(signal!.reason as Error);
        socket.destroy();
      };
      const settle = (): void => signal?.removeEventListener('abort', abort);
      const socket = this.process.connect(to.address, to.port, {
        onConnect: (connected) => {
          opened = true;
          settle();
          resolve({
            stream: streamOf(connected),
            local: { address: connected.localAddress, port: connected.localPort },
            remote: to,
          });
        },
        onClose: (_, error) => {
          settle();
          if (!opened) reject(error ?? new Error('the connection was closed'));
        },
      });
      if (!opened) signal?.addEventListener('abort', abort);
    });
  }

  interfaces(): readonly InterfaceAddress[] {
    return this.process.netns.interfaces.flatMap(({ name, addresses }) =>
      addresses.map(({ ip }) => ({ device: name, address: ip, loopback: isLoopback(ip) })),
    );
  }

  /**
   * Reads what waits. Errors of the socket go to `onError`, where there is one; exceptions of the handlers to
   * `onFault`.
   */
  private drain(
    socket: ModelUdp,
    withAddress: boolean,
    take: (datagram: ReceivedDatagram) => void,
    onError?: (error: Error) => void,
  ): void {
    while (!socket.isClosed) {
      let datagram: ReceivedDatagram | undefined;
      try {
        datagram = socket.recv(withAddress);
      } catch (error) {
        if (onError) this.guard(() => onError(error as Error));
        continue;
      }
      if (!datagram) return;
      const received = datagram;
      this.guard(() => take(received));
    }
  }

  private guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      if (this.options.onFault) this.options.onFault(error);
      else
        setImmediate(() => {
          throw error;
        });
    }
  }
}

/** The address that each peer asked at a socket of several addresses; the oldest are forgotten. */
class LocalAddresses {
  private readonly byPeer = new Map<string, string>();

  set({ address, port, localAddress }: ReceivedDatagram): void {
    const key = `${address}|${port}`;
    this.byPeer.delete(key);
    if (this.byPeer.size >= MAX_PEERS) this.byPeer.delete(this.byPeer.keys().next().value!);
    this.byPeer.set(key, localAddress);
  }

  get({ address, port }: Endpoint): string | undefined {
    return this.byPeer.get(`${address}|${port}`);
  }
}

/**
 * All of a host's addresses: a socket at `::` takes packets of both families, as on Linux, and the model's empty
 * address does the same.
 */
const wildcard = (address: string): string => (address === '::' ? '' : address);

function bind(socket: ModelUdp, at: Endpoint): void {
  try {
    socket.bind(wildcard(at.address), at.port);
  } catch (error) {
    socket.close();
    throw error;
  }
}

function streamOf(socket: ModelTcpSocket): LabStream {
  const stream = new LabStream(socket);
  socket.handle({
    onData: (_, data) => stream.received(data),
    onEnd: () => stream.peerEnded(),
    onClose: (_, error) => stream.finished(error),
  });
  return stream;
}
