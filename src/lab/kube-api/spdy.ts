import { Duplex } from 'node:stream';
import { createInflate } from 'node:zlib';
import type { Inflate } from 'node:zlib';
import { SPDY_DICTIONARY } from './spdy-dictionary.js';

const enum SpdyFrame {
  SYN_STREAM = 1,
  SYN_REPLY = 2,
  RST_STREAM = 3,
  PING = 6,
  HEADERS = 8,
}

const CONTROL_BIT = 0x80;
const VERSION = 3;
const FIN = 1;
const CANCEL = 5;
const HEADER_LENGTH = 8;
const MAX_STREAM_ID = 0x7fffffff;
/** What may lie unread in one stream: its reader has given up. */
const BACKLOG = 16 * 1024 * 1024;
const MAX_FRAME = 1024 * 1024;

/**
 * Compressed headers without any name, as zlib takes them at any place of its stream: one block that is stored as it
 * is, and an empty one behind which all must be handed over. Before the first of them stands the head of the stream.
 */
const ZLIB_HEAD = Buffer.from([0x78, 0x01]);
const NO_HEADERS = Buffer.from([0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** One stream of a connection; the client opened it. */
export class SpdyStream extends Duplex {
  constructor(
    readonly id: number,
    /** By name, in lower case. */
    readonly headers: ReadonlyMap<string, string>,
    private readonly connection: SpdyConnection,
  ) {
    super({ allowHalfOpen: true });
    this.on('error', () => undefined);
  }

  /** Bytes that the client sent; nothing where it has sent all. */
  received(data: Buffer, last: boolean): void {
    if (this.destroyed) return;
    if (data.length > 0) this.push(data);
    if (last) this.push(null);
    else if (this.readableLength > BACKLOG) this.destroy();
  }

  override _read(): void {
    // What comes is pushed at once: clients of Kubernetes wait for no window.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.connection.sendData(this.id, chunk, false, done);
  }

  override _final(done: () => void): void {
    this.connection.sendData(this.id, Buffer.alloc(0), true, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.connection.forget(this, !this.writableFinished || !this.readableEnded);
    done(error);
  }
}

/**
 * The server's side of a SPDY/3.1 connection as far as Kubernetes' streams need it: streams that the client opens, their
 * data, pings. Windows are not minded, as its own servers and clients do not. Bytes that are no SPDY end the connection.
 */
export class SpdyConnection {
  private readonly streams = new Map<number, SpdyStream>();
  private readonly inflate: Inflate = createInflate({ dictionary: SPDY_DICTIONARY });
  private replied = false;

  constructor(
    private readonly stream: Duplex,
    private readonly onStream: (stream: SpdyStream) => void,
  ) {
    this.inflate.on('error', () => stream.destroy());
    stream.on('error', () => undefined);
    stream.once('close', () => {
      this.inflate.close();
      for (const one of [...this.streams.values()]) one.destroy();
    });
    void this.read().catch(() => stream.destroy());
  }

  /** Ends the connection once all that was written is sent. */
  end(): void {
    this.stream.end();
  }

  get closed(): boolean {
    return this.stream.destroyed;
  }

  sendData(id: number, data: Buffer, last: boolean, done: () => void): void {
    const head = Buffer.alloc(HEADER_LENGTH);
    head.writeUInt32BE(id);
    head.writeUInt32BE(data.length, 4);
    head[4] = last ? FIN : 0;
    this.send(Buffer.concat([head, data]), done);
  }

  /** @param resets whether the client has to be told */
  forget(stream: SpdyStream, resets: boolean): void {
    if (!this.streams.delete(stream.id) || !resets) return;
    const body = Buffer.alloc(8);
    body.writeUInt32BE(stream.id);
    body.writeUInt32BE(CANCEL, 4);
    this.sendControl(SpdyFrame.RST_STREAM, body);
  }

  private send(bytes: Buffer, done: () => void = () => undefined): void {
    if (this.stream.destroyed || this.stream.writableEnded || this.stream.write(bytes)) done();
    else this.stream.once('drain', done);
  }

  private sendControl(type: SpdyFrame, body: Buffer): void {
    const head = Buffer.from([CONTROL_BIT, VERSION, 0, type, 0, 0, 0, 0]);
    head.writeUIntBE(body.length, 5, 3);
    this.send(Buffer.concat([head, body]));
  }

  private async read(): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of this.stream as AsyncIterable<Buffer>) {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= HEADER_LENGTH) {
        const length = rest.readUIntBE(5, 3);
        if (length > MAX_FRAME) return void this.stream.destroy();
        if (rest.length < HEADER_LENGTH + length) break;
        await this.take(rest.subarray(0, HEADER_LENGTH), rest.subarray(HEADER_LENGTH, HEADER_LENGTH + length));
        rest = rest.subarray(HEADER_LENGTH + length);
      }
    }
  }

  private async take(head: Buffer, body: Buffer): Promise<void> {
    const last = (head[4]! & FIN) !== 0;
    if ((head[0]! & CONTROL_BIT) === 0)
      return this.streams.get(head.readUInt32BE() & MAX_STREAM_ID)?.received(Buffer.from(body), last);
    const type: SpdyFrame = head.readUInt16BE(2);
    switch (type) {
      case SpdyFrame.SYN_STREAM:
        return this.opened(body.readUInt32BE() & MAX_STREAM_ID, await this.headers(body.subarray(10)), last);
      case SpdyFrame.HEADERS:
        // They are compressed with what came before them: so they are read, whoever they are for.
        return void (await this.headers(body.subarray(4)));
      case SpdyFrame.RST_STREAM:
        return void this.streams.get(body.readUInt32BE() & MAX_STREAM_ID)?.destroy();
      case SpdyFrame.PING:
        return this.sendControl(SpdyFrame.PING, Buffer.from(body));
      default:
    }
  }

  private opened(id: number, headers: ReadonlyMap<string, string>, last: boolean): void {
    const stream = new SpdyStream(id, headers, this);
    this.streams.set(id, stream);
    const body = Buffer.alloc(4);
    body.writeUInt32BE(id);
    this.sendControl(SpdyFrame.SYN_REPLY, Buffer.concat([body, ...(this.replied ? [] : [ZLIB_HEAD]), NO_HEADERS]));
    this.replied = true;
    if (last) stream.received(Buffer.alloc(0), true);
    this.onStream(stream);
  }

  private async headers(block: Buffer): Promise<ReadonlyMap<string, string>> {
    await new Promise<void>((resolve) => this.inflate.write(block, () => resolve()));
    const bytes = (this.inflate.read() as Buffer | null) ?? Buffer.alloc(4);
    const headers = new Map<string, string>();
    let at = 4;
    const text = (): string => {
      const start = at + 4;
      at = start + bytes.readUInt32BE(at);
      return bytes.toString('utf8', start, at);
    };
    for (let left = bytes.readUInt32BE(0); left > 0; left--) headers.set(text().toLowerCase(), text());
    return headers;
  }
}
