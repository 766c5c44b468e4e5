import { rmSync } from 'node:fs';
import net from 'node:net';
import { AsyncQueue } from './async-queue.js';
import { Control, FrameStream, controlFrame, dnstapQuery } from './dnstap.js';
import type { RecordedQuery } from './recorded-query.js';

/** Where a server sends what it is asked: a unix socket, or an address. */
export type TapAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/** Queries that wait to be asked again; what comes beyond is left out. */
const MAX_WAITING = 10_000;

/** Takes in the dnstap stream of a running server, and hands on a sample of the queries. */
export class LiveQueries implements AsyncIterable<RecordedQuery> {
  private readonly queue = new AsyncQueue<RecordedQuery>(MAX_WAITING);
  private readonly server: net.Server;
  private readonly connections = new Set<net.Socket>();
  private credit = 0;

  /**
   * @param share of the queries that is taken, above 0 and at most 1
   * @param complain is told why a connection was given up
   */
  constructor(
    private readonly share: number,
    private readonly complain: (text: string) => void,
  ) {
    this.server = net.createServer((connection) => this.serve(connection));
  }

  /** Queries that came faster than they could be asked again. */
  get lost(): number {
    return this.queue.lost;
  }

  /** The port that is listened at, where it is not a path. */
  async listen(at: TapAddress): Promise<number | undefined> {
    // A socket that a server of before left behind would keep this one from listening.
    if ('path' in at) rmSync(at.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(at, resolve);
    });
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  close(): void {
    this.server.close();
    for (const connection of this.connections) connection.destroy();
    this.queue.end();
  }

  [Symbol.asyncIterator](): AsyncIterator<RecordedQuery> {
    return this.queue[Symbol.asyncIterator]();
  }

  /** Frame streams in both directions: READY is answered with ACCEPT, STOP with FINISH. */
  private serve(connection: net.Socket): void {
    const frames = new FrameStream('dnstap');
    this.connections.add(connection);
    connection.on('error', () => undefined).on('close', () => this.connections.delete(connection));
    connection.on('data', (chunk: Buffer) => {
      try {
        for (const frame of frames.take(chunk)) {
          if ('data' in frame) this.take(frame.data);
          else if (frame.control === Control.READY) connection.write(controlFrame(Control.ACCEPT));
          else if (frame.control === Control.STOP) connection.end(controlFrame(Control.FINISH));
        }
      } catch (error) {
        this.complain((error as Error).message);
        connection.destroy();
      }
    });
  }

  private take(frame: Buffer): void {
    const query = dnstapQuery(frame);
    if (query === undefined) return;
    this.credit += this.share;
    if (this.credit < 1) return;
    this.credit -= 1;
    // The bytes are part of a chunk that holds much more.
    this.queue.push({ ...query, bytes: Buffer.from(query.bytes) });
  }
}
