import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import { loadQuic, type QuicConfig, type QuicLibrary, type QuicState } from '../../src/quic/library.js';

/** The library, where its package can be loaded: it has no binary for every platform. */
export const quicLibrary: QuicLibrary | undefined = await loadQuic().catch((error: Error) => {
  console.log(`test/support/quic-client: ${error.message}; skipped`);
  return undefined;
});

/** What a client does otherwise than others. */
export interface QuicClientOptions {
  readonly from?: string;
  readonly protocol?: string;
  readonly key?: Buffer;
  readonly cert?: Buffer;
  /** Would send queries before the handshake is through. */
  readonly early?: true;
  /** What another connection left behind, to go on with. */
  readonly session?: Uint8Array;
}

/** What only clients ask of the library. */
interface ClientState extends QuicState {
  session(): Uint8Array | null;
  setSession(session: Uint8Array): void;
  isResumed(): boolean;
  isInEarlyData(): boolean;
  destinationId(): Uint8Array;
}

/** A client for QUIC that does on a connection what it is told to, with the library that the server has. */
export class QuicClient {
  private static config({ protocol = 'doq', key, cert, early }: QuicClientOptions): QuicConfig {
    const pem = (text?: Buffer): Uint8Array[] | null => (text === undefined ? null : [text]);
    const config = quicLibrary!.Config.withBoringSslCtx(false, false, null, pem(key), pem(cert), null);
    config.setApplicationProtos([protocol]);
    if (early) (config as QuicConfig & { enableEarlyData(): void }).enableEarlyData();
    config.setMaxIdleTimeout(30_000);
    config.setInitialMaxData(1 << 20);
    config.setInitialMaxStreamDataBidiLocal(1 << 17);
    return config;
  }

  private readonly streams = new Map<number, { chunks: Buffer[]; over: (bytes: Buffer) => void }>();
  /** What the server had no room for yet. */
  readonly unsent = new Map<number, { bytes: Uint8Array; end: boolean }>();
  private timer: NodeJS.Timeout | undefined;
  private next = 0;
  closed = false;
  /** The code that the server ended the connection with. */
  code: number | undefined;
  private tell: (() => void)[] = [];
  /** Whether it could have sent queries before the handshake was through. */
  wasEarly = false;

  private constructor(
    readonly state: ClientState,
    private readonly socket: dgram.Socket,
    private readonly port: number,
  ) {
    socket.on('message', (bytes) => {
      try {
        state.recv(bytes, { from: { host: '127.0.0.1', port }, to: this.local });
      } catch {
        // The library says by its state what became of it.
      }
      this.pump();
    });
  }

  /** Resolves when the handshake is through; rejects when the server does not want it. */
  static async connect(port: number, options: QuicClientOptions = {}): Promise<QuicClient> {
    const client = await QuicClient.begin(port, options);
    await client.when(() => client.state.isEstablished());
    if (client.closed) throw new Error('the server ended the connection');
    return client;
  }

  /** Sends a first packet, and no more than comes back makes it. */
  static async begin(port: number, options: QuicClientOptions = {}): Promise<QuicClient> {
    const socket = dgram.createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, options.from ?? '127.0.0.1', resolve));
    const { address: host, port: own } = socket.address();
    const to = { host: '127.0.0.1', port };
    const config = QuicClient.config(options);
    const { Connection } = quicLibrary!;
    const state = Connection.connect('dns.example', randomBytes(20), { host, port: own }, to, config) as ClientState;
    if (options.session !== undefined) state.setSession(options.session);
    const client = new QuicClient(state, socket, port);
    client.pump();
    return client;
  }

  private get local(): { host: string; port: number } {
    const { address: host, port } = this.socket.address();
    return { host, port };
  }

  /** Resolves when it holds, or the connection is over. */
  async when(holds: () => boolean): Promise<void> {
    while (!this.closed && !holds()) await new Promise<void>((resolve) => this.tell.push(resolve));
  }

  /** Opens a stream, sends bytes on it and ends it; `answered` is given all that comes back. Returns its number. */
  ask(bytes: Uint8Array, answered: (bytes: Buffer) => void, end = true): number {
    const id = this.next;
    this.next += 4;
    const over = (got: Buffer): void => {
      this.streams.delete(id);
      answered(got);
    };
    this.streams.set(id, { chunks: [], over });
    this.write(id, bytes, end);
    return id;
  }

  /** Sends more on a stream. */
  write(id: number, bytes: Uint8Array, end = false): void {
    this.unsent.set(id, { bytes, end });
    this.pump();
  }

  /** Sends what there is to be sent, and reads what has come. */
  pump(): void {
    if (this.closed) return;
    for (const id of this.state.readable()) this.read(id);
    for (const [id, { bytes, end }] of this.unsent) {
      let sent: number;
      try {
        sent = this.state.streamSend(id, bytes, end) ?? 0;
      } catch (error) {
        // It has as many streams as it may.
        if ((error as Error).message !== 'StreamLimit') throw error;
        continue;
      }
      if (sent === bytes.length) this.unsent.delete(id);
      else this.unsent.set(id, { bytes: bytes.subarray(sent), end });
    }
    for (;;) {
      const packet = Buffer.alloc(1350);
      const made = this.state.send(packet);
      if (made === null) break;
      this.socket.send(packet.subarray(0, made[0]), this.port, '127.0.0.1');
    }
    this.wasEarly ||= this.state.isInEarlyData();
    clearTimeout(this.timer);
    const wait = this.state.timeout();
    if (this.state.isClosed() || this.state.isDraining()) this.finish();
    else if (wait !== null) this.timer = setTimeout(() => (this.state.onTimeout(), this.pump()), wait + 1);
    for (const tell of this.tell.splice(0)) tell();
  }

  get session(): Uint8Array | null {
    return this.state.session();
  }

  get resumed(): boolean {
    return this.state.isResumed();
  }

  /** Sends a packet for this connection that nobody can read. */
  noise(): void {
    if (this.closed) return;
    const packet = Buffer.alloc(1300, 0x5a);
    packet.set(this.state.destinationId(), 1);
    this.socket.send(packet, this.port, '127.0.0.1');
  }

  close(): void {
    if (this.closed) return;
    this.state.close(true, 0, Buffer.alloc(0));
    this.pump();
    this.finish();
  }

  private read(id: number): void {
    const stream = this.streams.get(id);
    const chunk = Buffer.alloc(64 << 10);
    try {
      for (;;) {
        const got = this.state.streamRecv(id, chunk);
        if (got === null) return;
        stream?.chunks.push(Buffer.from(chunk.subarray(0, got[0])));
        if (got[1]) return stream?.over(Buffer.concat(stream.chunks));
      }
    } catch {
      stream?.over(Buffer.alloc(0));
    }
  }

  private finish(): void {
    if (this.closed) return;
    this.closed = true;
    this.code = this.state.peerError()?.errorCode;
    clearTimeout(this.timer);
    // What was sent last is handed over a moment later.
    setImmediate(() => this.socket.close());
    for (const { over } of [...this.streams.values()]) over(Buffer.alloc(0));
    for (const tell of this.tell.splice(0)) tell();
  }
}
