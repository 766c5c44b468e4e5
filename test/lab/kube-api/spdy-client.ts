import { once } from 'node:events';
import https from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { constants, createDeflate } from 'node:zlib';
import { SPDY_DICTIONARY } from '../../../src/lab/kube-api/spdy-dictionary.js';
import { TOKEN } from './client.js';
import type { ServedLab } from './client.js';

/** A control frame of SPDY/3.1. */
export const frame = (type: number, flags: number, body: Buffer): Buffer => {
  const head = Buffer.from([0x80, 3, 0, type, flags, 0, 0, 0]);
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
};
/** A data frame of a stream. */
export const data = (id: number, text: string, flags = 0): Buffer => {
  const head = Buffer.from([0, 0, 0, id, flags, 0, 0, text.length]);
  return Buffer.concat([head, Buffer.from(text)]);
};

/** Compresses headers, one block after another. */
export class HeaderBlocks {
  private readonly deflate = createDeflate({ dictionary: SPDY_DICTIONARY });

  /** The frame that opens a stream with such headers. */
  async opening(id: number, headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const sized = (text: string): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(Buffer.byteLength(text));
      return Buffer.concat([length, Buffer.from(text)]);
    };
    const count = Buffer.from([0, 0, 0, Object.keys(headers).length]);
    this.deflate.write(Buffer.concat([count, ...Object.entries(headers).flat().map(sized)]));
    this.deflate.flush(constants.Z_SYNC_FLUSH);
    // Node 26 hands out the head of the whole before the block is there; each block ends with these four bytes.
    let block = Buffer.alloc(0);
    while (!block.subarray(-4).equals(Buffer.from([0, 0, 0xff, 0xff]))) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      block = Buffer.concat([block, (this.deflate.read() as Buffer | null) ?? Buffer.alloc(0)]);
    }
    return frame(1, 0, Buffer.concat([Buffer.from([0, 0, 0, id, 0, 0, 0, 0, 0, 0]), block]));
  }
}

const FIN = 1;
const RESET = 3;

/** A client that has turned a connection to the API into SPDY/3.1. */
export class SpdyClient {
  /** What came on each stream, those that the server has ended, and those that it has reset. */
  readonly said: Record<number, string> = {};
  readonly ended: number[] = [];
  readonly reset: number[] = [];
  readonly closed: Promise<unknown>;
  private readonly blocks = new HeaderBlocks();
  private rest = Buffer.alloc(0);

  private constructor(private readonly socket: Duplex) {
    this.closed = once(socket, 'close');
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => this.take(bytes));
  }

  /** Gives the status of a request that is refused. */
  static async upgrade(served: ServedLab, path: string, protocol: string): Promise<SpdyClient | number> {
    const request = https.request(`${served.api.url}${path}`, {
      method: 'POST',
      ca: served.ca,
      agent: false,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': protocol,
      },
    });
    request.end();
    return new Promise((resolve, reject) => {
      request.once('error', reject);
      request.once('response', (response) => {
        response.resume();
        resolve(response.statusCode!);
      });
      request.once('upgrade', (response: IncomingMessage, socket: Duplex) => {
        if (response.headers['x-stream-protocol-version'] === protocol.split(', ')[0]) resolve(new SpdyClient(socket));
        else reject(new Error('another protocol'));
      });
    });
  }

  async open(id: number, headers: Readonly<Record<string, string>>): Promise<void> {
    this.socket.write(await this.blocks.opening(id, headers));
  }

  write(id: number, text: string, last = false): void {
    this.socket.write(data(id, text, last ? FIN : 0));
  }

  leave(): void {
    this.socket.destroy();
  }

  private take(bytes: Buffer): void {
    this.rest = Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= 8 && this.rest.length >= 8 + this.rest.readUIntBE(5, 3)) {
      const end = 8 + this.rest.readUIntBE(5, 3);
      const [head, body] = [this.rest.subarray(0, 8), this.rest.subarray(8, end)];
      this.rest = this.rest.subarray(end);
      if ((head[0]! & 0x80) !== 0) {
        if (head.readUInt16BE(2) === RESET) this.reset.push(body.readUInt32BE());
        continue;
      }
      const id = head.readUInt32BE();
      this.said[id] = (this.said[id] ?? '') + body.toString();
      if ((head[4]! & FIN) !== 0) this.ended.push(id);
    }
  }
}
