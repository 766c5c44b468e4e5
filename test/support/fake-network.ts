import { Duplex } from 'node:stream';
import { ManualClock } from '../../src/lib/clock.js';
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

const key = ({ address, port }: Endpoint): string => `${address} ${port}`;
const failure = (code: string, syscall: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall });

export interface Datagram {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Buffer;
}

/** What happens to a datagram: lost, or delivered once for each delay. */
export type Fate = 'drop' | readonly number[];

/**
 * A network in memory. Everything takes `latency` on a clock that the test drives, so that loss, delay, repetition
 * and forgery happen when the row says.
 */
export class FakeNetwork implements Network {
  /** Milliseconds one way. */
  latency = 1;
  /** Decides about each datagram; by default it arrives once. */
  fate: (datagram: Datagram) => Fate = () => [this.latency];
  /** Addresses that swallow everything. */
  readonly black = new Set<string>();
  /** Addresses without a route. */
  readonly unreachable = new Set<string>();
  /** Streams take nothing while it is set. */
  hold = false;
  /** Octets per chunk of a stream; Infinity leaves writes whole. */
  chunk = Infinity;
  /** Every source endpoint of a connected UDP socket or connection, in order of opening. */
  readonly opened: { protocol: 'udp' | 'tcp'; local: Endpoint; to: Endpoint }[] = [];
  /** Writes by clients, in octets: one per chunk handed to a stream. */
  readonly writes: number[] = [];
  /** Client ends of connections that are open. */
  readonly streams = new Set<FakeStream>();
  private readonly bound = new Map<
    string,
    { onDatagram: OnDatagram; onError?: (error: Error) => void; peer?: Endpoint }
  >();
  private readonly listeners = new Map<string, (connection: TcpConnection) => void>();
  private nextPort = 40_000;

  /** @param clock replaced where the clock is made later than the network */
  constructor(public clock: ManualClock = new ManualClock()) {}

  /** Ports that take datagrams or connections, such as `udp 53`. */
  get taken(): readonly string[] {
    const ports = (protocol: string, keys: Iterable<string>): string[] =>
      [...keys].map((at) => `${protocol} ${at.split(' ')[1]}`);
    return [...ports('udp', this.bound.keys()), ...ports('tcp', this.listeners.keys())].sort();
  }

  /** UDP sockets that are open, servers included. */
  get udpSockets(): number {
    return this.bound.size;
  }

  bindUdp(at: Endpoint, onDatagram: OnDatagram): Promise<UdpSocket> {
    const local = at.port === 0 ? { address: at.address, port: this.nextPort++ } : at;
    if (this.bound.has(key(local))) return Promise.reject(failure('EADDRINUSE', 'bind'));
    this.bound.set(key(local), { onDatagram });
    return Promise.resolve({
      local,
      close: () => void this.bound.delete(key(local)),
      send: (bytes: Uint8Array, length: number, to: Endpoint) =>
        this.carry({ from: local, to, bytes: Buffer.from(bytes.subarray(0, length)) }),
    });
  }

  connectUdp(
    to: Endpoint,
    onDatagram: (bytes: Buffer) => void,
    onError: (error: Error) => void,
  ): Promise<ConnectedUdpSocket> {
    if (this.unreachable.has(to.address)) return Promise.reject(failure('ENETUNREACH', 'connect'));
    const local = { address: '127.0.0.1', port: this.nextPort++ };
    this.opened.push({ protocol: 'udp', local, to });
    this.bound.set(key(local), { onDatagram, onError, peer: to });
    return Promise.resolve({
      local,
      close: () => void this.bound.delete(key(local)),
      send: (bytes: Uint8Array) => this.carry({ from: local, to, bytes: Buffer.from(bytes) }),
    });
  }

  listenTcp(at: Endpoint, onConnection: (connection: TcpConnection) => void): Promise<TcpListener> {
    if (this.listeners.has(key(at))) return Promise.reject(failure('EADDRINUSE', 'listen'));
    this.listeners.set(key(at), onConnection);
    return Promise.resolve({ local: at, close: () => void this.listeners.delete(key(at)) });
  }

  connectTcp(to: Endpoint, signal?: AbortSignal): Promise<TcpConnection> {
    if (this.unreachable.has(to.address)) return Promise.reject(failure('ENETUNREACH', 'connect'));
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      if (this.black.has(to.address)) return;
      this.clock.setTimeout(() => {
        const accept = this.listeners.get(key(to));
        if (accept === undefined) return reject(failure('ECONNREFUSED', 'connect'));
        const local = { address: '127.0.0.1', port: this.nextPort++ };
        this.opened.push({ protocol: 'tcp', local, to });
        const [near, far] = this.pair();
        accept({ stream: far, local: to, remote: local });
        resolve({ stream: near, local, remote: to });
      }, 2 * this.latency);
    });
  }

  interfaces(): readonly InterfaceAddress[] {
    return [{ device: 'lo', address: '127.0.0.1', loopback: true }];
  }

  /** Delivers a datagram at once, whoever it claims to be from. */
  forge(datagram: Datagram): void {
    this.deliver(datagram);
  }

  /** Has the socket at `local` told of an error, as the system does after an ICMP message or a failed call. */
  fail(local: Endpoint, code: string, syscall: string): void {
    this.bound.get(key(local))?.onError?.(failure(code, syscall));
  }

  private carry(datagram: Datagram): void {
    if (this.black.has(datagram.to.address)) return;
    const fate = this.fate(datagram);
    if (fate === 'drop') return;
    for (const delay of fate) this.clock.setTimeout(() => this.deliver(datagram), delay);
  }

  private deliver({ from, to, bytes }: Datagram): void {
    const socket = this.bound.get(key(to));
    if (socket === undefined) {
      this.bound.get(key(from))?.onError?.(failure('ECONNREFUSED', 'recvmsg'));
      return;
    }
    // The kernel keeps what is not from the peer away from a connected socket.
    if (socket.peer === undefined || key(socket.peer) === key(from)) socket.onDatagram(Buffer.from(bytes), from);
  }

  private pair(): [FakeStream, FakeStream] {
    const near = new FakeStream(this, true);
    const far = new FakeStream(this, false);
    near.other = far;
    far.other = near;
    this.streams.add(near);
    near.on('close', () => this.streams.delete(near));
    for (const stream of [near, far]) stream.on('error', () => undefined);
    return [near, far];
  }
}

/** One end of a connection; what is written arrives at the other end after the latency, in chunks. */
export class FakeStream extends Duplex {
  other!: FakeStream;

  constructor(
    private readonly network: FakeNetwork,
    private readonly client: boolean,
  ) {
    super({ allowHalfOpen: true });
  }

  override _read(): void {
    // What arrives is pushed.
  }

  override _write(bytes: Buffer, encoding: string, done: () => void): void {
    if (this.network.hold)
      return void this.network.clock.setTimeout(() => this._write(bytes, encoding, done), this.network.latency);
    if (this.client) this.network.writes.push(bytes.length);
    const size = Math.min(this.network.chunk, bytes.length);
    for (let at = 0; at < bytes.length; at += size) {
      const chunk = Buffer.from(bytes.subarray(at, at + size));
      this.later(() => this.other.push(chunk));
    }
    done();
  }

  override _final(done: () => void): void {
    this.later(() => this.other.push(null));
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.later(() => this.other.push(null));
    done(error);
  }

  /** Breaks the connection as a reset does: the other end gets an error. */
  reset(): void {
    this.later(() => this.other.destroy(failure('ECONNRESET', 'read')));
    this.removeAllListeners('data');
  }

  private later(deliver: () => void): void {
    this.network.clock.setTimeout(() => {
      if (!this.other.destroyed && !this.other.readableEnded) deliver();
    }, this.network.latency);
  }
}

/** Lets `time` pass on the clock in small steps, with streams and promises settling in between. */
export async function elapse(clock: ManualClock, time: number): Promise<void> {
  for (let left = time; left > 0; left -= 5) await clock.advanceAsync(Math.min(5, left));
}
