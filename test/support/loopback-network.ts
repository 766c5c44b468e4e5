import { HostNetwork } from '../../src/net/host-network.js';
import type {
  ConnectedUdpSocket,
  Endpoint,
  InterfaceAddress,
  Network,
  OnDatagram,
  TcpConnection,
  TcpListener,
  UdpSocket,
} from '../../src/net/network.js';

const keyOf = ({ address, port }: Endpoint): string => `${address} ${port}`;

/**
 * Real sockets, all of them on one address: whatever address a Corefile names is listened for at a port that is free
 * here, and whoever it asks is one upstream. A server in it takes its own addresses for what the Corefile says.
 */
export class LoopbackNetwork implements Network {
  private readonly host = new HostNetwork();
  private readonly ports = new Map<string, number>();

  /**
   * @param upstream port of whoever is asked at 127.0.0.1, over UDP and TCP
   * @param address that is listened at
   */
  constructor(
    private readonly upstream: number,
    private readonly address = '127.0.0.1',
  ) {}

  /** Where an address of the Corefile is listened for. */
  actual(at: Endpoint): Endpoint {
    return { address: this.address, port: this.ports.get(keyOf(at)) ?? 0 };
  }

  async bindUdp(at: Endpoint, onDatagram: OnDatagram): Promise<UdpSocket> {
    const socket = await this.host.bindUdp(this.actual(at), onDatagram);
    return {
      local: at,
      send: (bytes, length, to) => socket.send(bytes, length, to),
      close: () => socket.close(),
      pause: () => socket.pause?.() ?? Promise.resolve(),
    };
  }

  async listenTcp(at: Endpoint, onConnection: (connection: TcpConnection) => void): Promise<TcpListener> {
    const listener = await this.host.listenTcp({ address: this.address, port: 0 }, (connection) =>
      onConnection({ stream: connection.stream, remote: connection.remote, local: at }),
    );
    const { port } = listener.local;
    const local = at.port === 0 ? { ...at, port } : at;
    this.ports.set(keyOf(local), port);
    return { local, close: () => listener.close() };
  }

  connectUdp(
    _to: Endpoint,
    onDatagram: (bytes: Buffer) => void,
    onError: (error: Error) => void,
  ): Promise<ConnectedUdpSocket> {
    return this.host.connectUdp({ address: '127.0.0.1', port: this.upstream }, onDatagram, onError);
  }

  connectTcp(_to: Endpoint, signal?: AbortSignal): Promise<TcpConnection> {
    return this.host.connectTcp({ address: '127.0.0.1', port: this.upstream }, signal);
  }

  interfaces(): readonly InterfaceAddress[] {
    return this.host.interfaces();
  }
}
