import type { Clock, Timer } from '../lib/clock.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import type { QuicState } from './library.js';

/** Room for a packet: the library sends none that is longer. */
export const PACKET: Octets = 1350;

/** A handshake that has not ended after this time is given up, as over TLS. */
const HANDSHAKE: Milliseconds = 3000;

/**
 * Bytes that a connection may send beyond what its queries take: acknowledgements, pings, and what the library keeps
 * for as long as the connection lasts, such as connection ids (CVE-2024-1410) and bytes of handshakes that have long
 * ended (CVE-2024-1765).
 */
const IDLE_TALK: Octets = 1 << 20;
/** What a query takes on the wire beside its stream's bytes: heads of packets, and the acknowledgement of its answer. */
const PER_QUERY: Octets = 256;

/** A stream that the client has opened, as what is spoken on it sees it. */
export interface StreamReader {
  data(chunk: Buffer): void;
  /** The client has sent its last byte. */
  end(): void;
  /** The stream is over: all was taken over that was to be sent, or the client wants it no more. */
  closed(): void;
}

/** What is spoken on a connection. */
export interface ConnectionReader {
  opened(stream: QuicStream): StreamReader;
  /** Called once. */
  closed(): void;
}

/** What a connection needs of the socket that it shares. */
export interface ConnectionHost {
  readonly clock: Clock;
  send(packet: Buffer, to: Endpoint): void;
  /** The handshake is through. */
  arrived(connection: QuicConnection): ConnectionReader | undefined;
  gone(connection: QuicConnection): void;
}

/** Everybody's chunks pass through here. */
const SCRATCH = Buffer.alloc(64 << 10);

/** One stream: what is left to be sent on it. */
export class QuicStream {
  reader: StreamReader | undefined;
  private rest: Buffer | undefined;
  /** The client has sent its last byte. */
  private received = false;
  /** All that was to be sent was taken over, or is wanted no more. */
  private over = false;

  constructor(
    private readonly connection: QuicConnection,
    private readonly state: QuicState,
    private readonly id: number,
  ) {}

  /** Sends bytes, and with them the end of the stream. */
  end(bytes: Buffer): void {
    if (this.over) return;
    this.rest = bytes;
    this.advance();
    this.connection.flushSoon();
  }

  /** Breaks off, in both directions, with a code of what is spoken. */
  reset(code: number): void {
    for (const direction of [0, 1] as const) attempt(() => this.state.streamShutdown(this.id, direction, code));
    this.received = true;
    this.close();
    this.connection.flushSoon();
  }

  /** Sends what the client has room for, or sees that it wants nothing any more. */
  advance(): void {
    const { rest } = this;
    if (this.over) return;
    const sent = attempt(() =>
      rest === undefined ? this.state.streamCapacity(this.id) : (this.state.streamSend(this.id, rest, true) ?? 0),
    );
    // The client wants nothing more (STOP_SENDING).
    if (sent === undefined) return this.reset(0);
    if (rest === undefined) return;
    this.rest = rest.subarray(sent);
    if (this.rest.length === 0) this.close();
  }

  /** Takes what has come. */
  receive(): void {
    while (!this.received) {
      const got = attempt(() => this.state.streamRecv(this.id, SCRATCH));
      if (got === null) return;
      // The client takes it back (RESET_STREAM).
      if (got === undefined) return this.reset(0);
      const [length, end] = got;
      this.connection.credit(length);
      // What comes behind an answer is of no interest, and has to be taken all the same.
      if (length > 0 && !this.over) this.reader?.data(Buffer.from(SCRATCH.subarray(0, length)));
      if (!end) continue;
      this.received = true;
      if (this.over) this.connection.forget(this.id);
      else this.reader?.end();
    }
  }

  /** Nothing more is to be sent. */
  close(): void {
    if (this.received) this.connection.forget(this.id);
    if (this.over) return;
    this.over = true;
    this.reader?.closed();
  }
}

/** One client's connection. */
export class QuicConnection {
  private readonly streams = new Map<number, QuicStream>();
  private reader: ConnectionReader | undefined;
  private readonly began: Milliseconds;
  private timer: Timer | undefined;
  private due: Milliseconds = Infinity;
  private flushing = false;
  private over = false;
  private talk: Octets = 0;

  /**
   * @param ids the connection ids by which packets come to it
   * @param remote where packets come from and go to; those from elsewhere are nobody's
   * @param client who asks, which is another where a proxy stands between
   */
  constructor(
    readonly state: QuicState,
    readonly ids: readonly string[],
    readonly remote: Endpoint,
    readonly client: Endpoint,
    private readonly host: ConnectionHost,
  ) {
    this.began = host.clock.monotonic();
  }

  /** Takes a packet; `way` are its ends. */
  receive(packet: Buffer, way: Parameters<QuicState['recv']>[1]): void {
    this.talk += packet.length;
    // What is wrong with a packet the library answers itself.
    attempt(() => this.state.recv(packet, way));
    if (this.reader === undefined && this.state.isEstablished()) this.reader = this.host.arrived(this);
    if (this.over) return;
    if (this.reader !== undefined) this.takeStreams(this.reader);
    if (this.talk > IDLE_TALK) return this.close(EXCESSIVE_LOAD);
    this.flush();
  }

  /** Bytes of a stream, which count for what they are. */
  credit(length: Octets): void {
    this.talk = Math.max(0, this.talk - length);
  }

  /** A query was answered. */
  answered(): void {
    this.credit(PER_QUERY);
  }

  /** Ends the connection, with a code of what is spoken. */
  close(code: number): void {
    if (this.over) return;
    // Answers go before the end.
    this.drain();
    attempt(() => this.state.close(true, code, Buffer.alloc(0)));
    this.end();
  }

  forget(stream: number): void {
    this.streams.delete(stream);
  }

  /** At the end of this turn: answers of one turn leave in one packet. */
  flushSoon(): void {
    if (this.flushing) return;
    this.flushing = true;
    process.nextTick(() => {
      this.flushing = false;
      if (!this.over) this.flush();
    });
  }

  private takeStreams(reader: ConnectionReader): void {
    for (const id of this.state.readable()) {
      const stream = this.streams.get(id) ?? this.open(id, reader);
      stream.receive();
      if (this.over) return;
    }
    for (const id of this.state.writable()) this.streams.get(id)?.advance();
  }

  private open(id: number, reader: ConnectionReader): QuicStream {
    const stream = new QuicStream(this, this.state, id);
    this.streams.set(id, stream);
    stream.reader = reader.opened(stream);
    return stream;
  }

  private flush(): void {
    this.drain();
    if (this.state.isClosed() || this.state.isDraining()) return this.end();
    this.arm();
  }

  private drain(): void {
    for (;;) {
      const packet = Buffer.allocUnsafe(PACKET);
      const made = attempt(() => this.state.send(packet) ?? undefined);
      if (made === undefined) return;
      this.host.send(packet.subarray(0, made[0]), this.remote);
    }
  }

  /** One timer, which is set again when it is too late, and looks for itself when it is too early. */
  private arm(): void {
    const now = this.host.clock.monotonic();
    const patience = this.reader === undefined ? this.began + HANDSHAKE - now : Infinity;
    const wait = Math.min(this.state.timeout() ?? Infinity, patience);
    if (wait === Infinity || now + wait >= this.due) return;
    this.timer?.cancel();
    this.due = now + wait;
    this.timer = this.host.clock.setTimeout(() => this.tick(), wait);
  }

  private tick(): void {
    this.due = Infinity;
    if (this.reader === undefined && this.host.clock.monotonic() - this.began >= HANDSHAKE) return this.end();
    this.state.onTimeout();
    this.flush();
  }

  /** Sends what says that it is over, and keeps nothing: late packets are nobody's. */
  private end(): void {
    if (this.over) return;
    this.over = true;
    this.timer?.cancel();
    this.drain();
    this.reader?.closed();
    for (const stream of [...this.streams.values()]) stream.close();
    this.host.gone(this);
  }
}

/** DOQ_EXCESSIVE_LOAD (RFC 9250 section 4.3). */
const EXCESSIVE_LOAD = 4;

/** The library throws what it has to say of clients; undefined where it does. */
function attempt<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch {
    return undefined;
  }
}
