import type { Pod } from '../../datapath/cluster/endpoint.js';
import type {
  ConnectedUdpSocket,
  Endpoint,
  InterfaceAddress,
  Network,
  OnDatagram,
  TcpConnection,
  TcpListener,
  UdpSocket,
} from '../../net/network.js';
import { LabNetwork } from '../network/lab-network.js';
import { GO_SERVER } from '../network/syscall-profile.js';
import type { PodLog } from './pod-log.js';

/**
 * A program's network that can be paused: the program then hangs, and its clients wait. Its sockets stay open.
 */
export class PausableNetwork implements Network {
  paused = false;
  /** Where the program listens by TCP, in the order of opening. */
  readonly listening = new Set<Endpoint>();
  /** Told when the program has opened or closed a place where it listens. */
  onListening: () => void = () => undefined;

  constructor(private readonly inner: Network) {}

  bindUdp(at: Endpoint, onDatagram: OnDatagram): Promise<UdpSocket> {
    return this.inner.bindUdp(at, (bytes, peer) => {
      if (!this.paused) onDatagram(bytes, peer);
    });
  }

  connectUdp(
    to: Endpoint,
    onDatagram: (bytes: Buffer) => void,
    onError: (error: Error) => void,
  ): Promise<ConnectedUdpSocket> {
    return this.inner.connectUdp(to, onDatagram, onError);
  }

  async listenTcp(at: Endpoint, onConnection: (connection: TcpConnection) => void): Promise<TcpListener> {
    const listener = await this.inner.listenTcp(at, (connection) => {
      if (!this.paused) return onConnection(connection);
      // The kernel has taken the connection; the program does not read from it and ignores how it ends.
      connection.stream.on('error', () => undefined);
    });
    const { local } = listener;
    this.listening.add(local);
    this.onListening();
    return {
      local,
      close: () => {
        this.listening.delete(local);
        this.onListening();
        listener.close();
      },
    };
  }

  connectTcp(to: Endpoint, signal?: AbortSignal): Promise<TcpConnection> {
    return this.inner.connectTcp(to, signal);
  }

  interfaces(): readonly InterfaceAddress[] {
    return this.inner.interfaces();
  }
}

/**
 * A network that is listened at in one place and asked from in another: a modelled resolver that asks the real world.
 */
export class SplitNetwork implements Network {
  constructor(
    private readonly inside: Network,
    private readonly outside: Network,
  ) {}

  bindUdp(at: Endpoint, onDatagram: OnDatagram): Promise<UdpSocket> {
    return this.inside.bindUdp(at, onDatagram);
  }

  listenTcp(at: Endpoint, onConnection: (connection: TcpConnection) => void): Promise<TcpListener> {
    return this.inside.listenTcp(at, onConnection);
  }

  connectUdp(
    to: Endpoint,
    onDatagram: (bytes: Buffer) => void,
    onError: (error: Error) => void,
  ): Promise<ConnectedUdpSocket> {
    return this.outside.connectUdp(to, onDatagram, onError);
  }

  connectTcp(to: Endpoint, signal?: AbortSignal): Promise<TcpConnection> {
    return this.outside.connectTcp(to, signal);
  }

  interfaces(): readonly InterfaceAddress[] {
    return this.inside.interfaces();
  }
}

/** The network of a pod's program, with a gate. */
export const pausableNetwork = (pod: Pod, log: PodLog): PausableNetwork =>
  new PausableNetwork(
    new LabNetwork(pod.process, {
      habits: GO_SERVER,
      onFault: (error) =>
        log.write(`[ERROR] ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`),
    }),
  );
