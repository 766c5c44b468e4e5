import type { QuicConfig, QuicLibrary, QuicState } from '../../src/quic/library.js';

/** A stream as the client uses it, and what was sent to it. */
export interface FakeStream {
  /** What has come and was not taken; with `end`, its last byte is among it. */
  readonly chunks: Buffer[];
  end: boolean;
  /** The client takes it back (RESET_STREAM). */
  isReset: boolean;
  /** The client wants nothing more (STOP_SENDING). */
  isStopped: boolean;
  /** How many bytes the client has room for. */
  room: number;
  sent: string;
  ended: boolean;
  readonly shut: string[];
}

/** What the library knows of a connection: it does what a test says that the client does. */
export class FakeQuicState implements QuicState {
  readonly streams = new Map<number, FakeStream>();
  /** Packets that are to be sent, as texts. */
  readonly packets: string[] = [];
  /** Streams that the client has room on again. */
  writable_: number[] = [];
  established = false;
  closed = false;
  draining = false;
  wait: number | null = null;
  certificates: Uint8Array[] | null = null;
  name: string | null = null;
  /** How many packets have come, and how often its timer ran or was asked for. */
  received = 0;
  readonly ways: Parameters<QuicState['recv']>[1][] = [];
  timeouts = 0;
  asked = 0;

  /** The client has sent bytes on a stream. */
  arrive(id: number, bytes: Uint8Array | string, end = false): FakeStream {
    const stream = this.stream(id);
    if (bytes.length > 0) stream.chunks.push(Buffer.from(bytes));
    stream.end = end;
    return stream;
  }

  stream(id: number): FakeStream {
    const made = { chunks: [], end: false, isReset: false, isStopped: false, room: Infinity, sent: '', ended: false };
    const stream: FakeStream = this.streams.get(id) ?? { ...made, shut: [] };
    this.streams.set(id, stream);
    return stream;
  }

  recv(packet: Uint8Array, way: Parameters<QuicState['recv']>[1]): number {
    this.received++;
    this.ways.push(way);
    if (packet[0] === 0xff) throw new Error('InvalidPacket');
    return packet.length;
  }

  send(packet: Uint8Array): readonly [number, unknown] | null {
    const text = this.packets.shift();
    return text === undefined ? null : [Buffer.from(packet.buffer, packet.byteOffset).write(text, 'latin1'), undefined];
  }

  streamRecv(id: number, chunk: Uint8Array): readonly [number, boolean] | null {
    const stream = this.stream(id);
    if (stream.isReset) throw new Error('StreamReset(1)');
    const next = stream.chunks.shift();
    if (next === undefined && !stream.end) return null;
    chunk.set(next ?? []);
    const end = stream.end && stream.chunks.length === 0;
    if (end) stream.end = false;
    return [next?.length ?? 0, end];
  }

  streamSend(id: number, bytes: Uint8Array, end: boolean): number {
    const stream = this.stream(id);
    if (stream.isStopped || stream.ended) throw new Error('StreamStopped(0)');
    const sent = Math.min(bytes.length, stream.room);
    stream.room -= sent;
    stream.sent += Buffer.from(bytes.subarray(0, sent)).toString('latin1');
    stream.ended = end && sent === bytes.length;
    this.packets.push(`stream ${id}`);
    return sent;
  }

  streamCapacity(id: number): number {
    if (this.stream(id).isStopped) throw new Error('StreamStopped(0)');
    return this.stream(id).room;
  }

  streamShutdown(id: number, direction: 0 | 1, code: number): void {
    this.stream(id).shut.push(`${direction}: ${code}`);
    // The library has one side of it that is over.
    if (this.stream(id).isReset) throw new Error('Done');
  }

  readable(): number[] {
    return [...this.streams]
      .filter(([, { chunks, end, isReset }]) => chunks.length > 0 || end || isReset)
      .map(([id]) => id);
  }
  writable(): number[] {
    return this.writable_.splice(0);
  }
  timeout(): number | null {
    this.asked++;
    return this.wait;
  }
  onTimeout(): void {
    this.timeouts++;
  }
  close(application: boolean, code: number): void {
    this.packets.push(`close ${application ? 'application' : 'transport'} ${code}`);
  }
  isEstablished = (): boolean => this.established;
  isClosed = (): boolean => this.closed;
  isDraining = (): boolean => this.draining;
  serverName = (): string | null => this.name;
  peerCertChain = (): readonly Uint8Array[] | null => this.certificates;
  peerError = (): null => null;
}

/** What a connection was begun with. */
interface Accepted {
  readonly id: Buffer;
  readonly firstId: Buffer | null;
  readonly local: { readonly host: string; readonly port: number };
  readonly remote: { readonly host: string; readonly port: number };
  readonly config: QuicConfig;
  readonly state: FakeQuicState;
}

/** The library as servers use it. Packets are none that are encrypted: their heads are as RFC 8999 has them. */
export class FakeQuicLibrary implements QuicLibrary {
  readonly accepted: Accepted[] = [];
  /** Tokens of retries, and the ids that clients are told by them. */
  readonly retries: { readonly token: Buffer; readonly id: Buffer }[] = [];
  /** What is asked of configurations, in turn; the first are of the certificate. */
  readonly configured: string[] = [];
  readonly Type = { Initial: 1 };

  readonly Config = {
    withBoringSslCtx: (...args: unknown[]): QuicConfig => {
      const told = args
        .flat()
        .map((each) => (each instanceof Uint8Array ? Buffer.from(each).toString() : String(each)));
      this.configured.push(`with ${told.join(', ')}`);
      if (told.includes('bad')) throw new Error('no certificate');
      const set = (name: string) => (value: unknown) => void this.configured.push(`${name} ${String(value)}`);
      return new Proxy({} as QuicConfig, { get: (_, name) => set(String(name)) });
    },
  };

  readonly Connection: QuicLibrary['Connection'] = {
    accept: (id, firstId, local, remote, config) => {
      const ids = { id: Buffer.from(id), firstId: firstId === null ? null : Buffer.from(firstId) };
      const state = new FakeQuicState();
      this.accepted.push({ ...ids, local, remote, config, state });
      return state;
    },
    connect: (): never => {
      throw new Error('servers do not connect');
    },
  };

  readonly Header = {
    fromSlice: (packet: Uint8Array): ReturnType<QuicLibrary['Header']['fromSlice']> => {
      const bytes = Buffer.from(packet);
      if ((bytes[0]! & 0x40) === 0) throw new Error('InvalidPacket');
      let at = 5;
      const next = (): Buffer => bytes.subarray(at + 1, (at += 1 + bytes[at]!));
      return { ty: bytes[0]! & 0x3, version: bytes.readUInt32BE(1), dcid: next(), scid: next(), token: next() };
    },
  };

  versionIsSupported = (version: number): boolean => version === 1;
  negotiateVersion = (to: Uint8Array, from: Uint8Array, packet: Uint8Array): number =>
    write(packet, `versions to ${Buffer.from(to).toString()} from ${Buffer.from(from).toString()}`);
  retry = (...[to, from, id, token, version, packet]: Parameters<QuicLibrary['retry']>): number => {
    this.retries.push({ token: Buffer.from(token), id: Buffer.from(id) });
    return write(packet, `retry to ${Buffer.from(to).toString()} from ${Buffer.from(from).toString()} in ${version}`);
  };
}

const write = (packet: Uint8Array, text: string): number =>
  Buffer.from(packet.buffer, packet.byteOffset).write(text, 'latin1');

/** What a packet's head says: the bits of its kind, and of how many bytes it is. */
interface PacketHead {
  readonly type?: number;
  readonly version?: number;
  readonly token?: Uint8Array;
  readonly size?: number;
}

/** A packet with a long head, as a client begins with. */
export function longPacket(
  to: string | Uint8Array,
  { type = 0xc1, version = 1, token = Buffer.alloc(0), size = 1200 }: PacketHead = {},
): Buffer {
  const packet = Buffer.alloc(size);
  const id = Buffer.from(to);
  packet[0] = type;
  packet.writeUInt32BE(version, 1);
  const parts = [id, Buffer.from('client'), Buffer.from(token)].map((part) => [Buffer.from([part.length]), part]);
  Buffer.concat(parts.flat()).copy(packet, 5);
  return packet;
}

/** A packet of a connection whose handshake is through. */
export const shortPacket = (to: Uint8Array, size = 40): Buffer =>
  Buffer.concat([Buffer.from([0x40]), to, Buffer.alloc(size - 1 - to.length)]);
