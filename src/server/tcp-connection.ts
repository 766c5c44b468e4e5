import { Lifetime, type Client, type DnsSession } from '../chain/index.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { TcpConnection } from '../net/network.js';
import { FrameReader, isDso } from '../wire/index.js';
import type { Responder, ResponseWriter } from './respond.js';
import type { Served } from './routes.js';
import { sessionLine } from './session-line.js';
import type { TcpClient, TcpClients } from './tcp-clients.js';

/** A message that lies in a chunk so much longer than itself is copied, so that it does not keep the chunk. */
const CHUNK: Octets = 8 << 10;

interface OpenStream {
  readonly messages: Iterator<Buffer>;
  ended(error?: unknown): void;
}

/**
 * One client's connection: many queries on it, answered in the order in which the answers are there (RFC 7766 section
 * 6.2.1.1), and none beyond what the client takes.
 */
export class ClientConnection implements TcpClient {
  private readonly frames = new FrameReader();
  private readonly lifetime = new Lifetime();
  private pending = 0;
  private queries = 0;
  private lastQuery: Milliseconds = -Infinity;
  lastAnswer: Milliseconds;
  /** When the message that is being received began; undefined between messages. */
  private began: Milliseconds | undefined;
  /** When the client last took some of what waits for it. */
  private lastTaken: Milliseconds;
  /** Bytes written, and those of them that the client had taken when it was last looked at. */
  private written: Octets = 0;
  private taken: Octets = 0;
  /** What is counted as kept. */
  private held: Octets = 0;
  /** Transfers under way. */
  private readonly streams = new Set<OpenStream>();
  /** What goes on beside queries. */
  private session: DnsSession | undefined;
  private ending = false;
  private corked = false;
  private paused = false;

  constructor(
    private readonly socket: TcpConnection,
    private readonly client: Client,
    private readonly served: Served,
    private readonly clients: TcpClients,
    private readonly responder: Responder,
    private readonly closed: (connection: ClientConnection) => void,
  ) {
    this.lastAnswer = this.lastTaken = clients.clock.monotonic();
    clients.add(this);
    const { stream } = socket;
    stream.on('data', (chunk: Buffer) => {
      this.frames.push(chunk);
      this.take();
    });
    stream.on('drain', () => this.takeMore());
    // The client has sent its last query; what it waits for still goes out (RFC 7766 section 6.2.4).
    stream.on('end', () => this.closeWhenAnswered());
    stream.on('error', () => this.destroy());
    stream.on('close', () => this.gone());
  }

  overdue(now: Milliseconds): boolean {
    const { limits: general } = this.clients;
    const { limits: own } = this.served.routes;
    if (this.unsent > 0) {
      this.look(now);
      return now - this.lastTaken > (own.write ?? general.write);
    }
    if (this.began !== undefined) return now - this.began > (own.read ?? general.read);
    const silence = this.session?.silence;
    if (silence !== undefined) return now - this.lastQuery > silence;
    return this.pending === 0 && now - this.lastAnswer > (own.idle ?? general.idle);
  }

  closeWhenAnswered(quiet: Milliseconds = 0): void {
    if (quiet > 0) return this.closeWhenQuiet(quiet);
    this.ending = true;
    this.endIfAnswered();
  }

  private closeWhenQuiet(quiet: Milliseconds): void {
    const { clock } = this.clients;
    const look = (): void => {
      if (this.socket.stream.destroyed) return;
      if (this.pending > 0 || clock.monotonic() - this.lastQuery < quiet) this.closeWhenQuiet(quiet);
      else this.closeWhenAnswered();
    };
    // A query may be on its way to a connection that nothing was asked on for long, and may have come while the process
    // was held up.
    clock.setTimeout(() => void setImmediate(look), quiet);
  }

  destroy(): void {
    this.gone();
    this.socket.stream.destroy();
  }

  private get unsent(): Octets {
    return this.socket.stream.writableLength;
  }

  /** Whether so many queries have come that no more are taken on this connection. */
  private get enough(): boolean {
    return this.queries >= (this.served.routes.limits.queries ?? Infinity);
  }

  /** Whether the client has to take answers, or wait for some, before more of its queries are looked at. */
  private get full(): boolean {
    const { limits } = this.clients;
    return this.enough || this.pending >= limits.pending || this.unsent > limits.unsent || this.socket.stream.destroyed;
  }

  /** Deals with the messages that have come, as far as answers may wait. */
  private take(): void {
    const { frames } = this;
    const received = this.clients.clock.monotonic();
    let full = this.full;
    while (!full) {
      const message = frames.next();
      if (message === undefined) break;
      this.began = undefined;
      this.handle(message, received);
      full = this.full;
    }
    // While it is the server that does not read, an incomplete message is not the client's fault.
    if (full || frames.kept === 0) this.began = undefined;
    else this.began ??= received;
    if (full && !this.paused) this.socket.stream.pause();
    this.paused = full;
    if (this.enough) this.closeWhenAnswered();
    this.account();
  }

  private takeMore(): void {
    this.look(this.clients.clock.monotonic());
    if (this.paused && !this.full) {
      this.take();
      if (!this.paused) this.socket.stream.resume();
    }
    this.session?.drained();
    // Behind the answers to other queries: a transfer takes all the room that there is.
    for (const open of this.streams) this.advance(open);
    this.endIfAnswered();
  }

  private handle(message: Buffer, received: Milliseconds): void {
    this.lastQuery = received;
    this.pending++;
    this.queries++;
    if (isDso(message) && this.operate(message)) return void this.pending--;
    let answered = false;
    const done = (answer?: Buffer): void => {
      if (answered) return;
      answered = true;
      this.answered(answer);
    };
    const keepsChunk = message.buffer.byteLength > CHUNK && message.length < CHUNK;
    const writer: ResponseWriter = {
      prefix: 2,
      connection: this.lifetime,
      send: done,
      stream: (messages, ended) => this.stream(messages, ended),
      dropped: () => done(),
    };
    const bytes = keepsChunk ? Buffer.from(message) : message;
    this.responder.respond(bytes, this.served, this.client, received, writer);
  }

  /** Hands on a stateful operation (RFC 8490); false where those are not implemented. */
  private operate(message: Buffer): boolean {
    this.session ??= this.served.routes.sessions?.open(
      sessionLine(
        this.client,
        this.socket.stream,
        (bytes) => this.write(bytes),
        () => this.destroy(),
      ),
    );
    this.session?.receive(message);
    return this.session !== undefined;
  }

  private answered(answer: Buffer | undefined): void {
    const { stream } = this.socket;
    this.pending--;
    if (stream.destroyed) return;
    if (answer !== undefined) {
      // What is not answered, such as a message of no bytes, is no sign of life.
      this.write(answer);
    } else if (this.paused) this.cork();
    if (this.ending) this.endIfAnswered();
  }

  private write(answer: Buffer): void {
    this.lastAnswer = this.clients.clock.monotonic();
    this.clients.alive(this);
    if (this.unsent === 0) this.lastTaken = this.lastAnswer;
    answer.writeUInt16BE(answer.length - 2, 0);
    this.written += answer.length;
    this.cork();
    this.socket.stream.write(answer);
  }

  /** Begins to send messages that follow each other. */
  private stream(messages: Iterator<Buffer>, ended: (error?: unknown) => void): () => void {
    const open = { messages, ended };
    this.streams.add(open);
    this.advance(open);
    return () => {
      if (this.streams.has(open)) this.destroy();
    };
  }

  /** Sends as many messages as the client has room for. */
  private advance(open: OpenStream): void {
    const { limits } = this.clients;
    while (!this.socket.stream.destroyed && this.unsent <= limits.unsent) {
      let next: IteratorResult<Buffer>;
      try {
        next = open.messages.next();
      } catch (error) {
        this.streams.delete(open);
        open.ended(error);
        // Half of a transfer must not look like a whole one.
        return this.destroy();
      }
      if (next.done === true) {
        this.streams.delete(open);
        open.ended();
        return this.answered(undefined);
      }
      this.write(next.value);
    }
  }

  /** Answers of one turn of the event loop leave in one write. */
  private cork(): void {
    if (this.corked) return;
    this.corked = true;
    this.socket.stream.cork();
    process.nextTick(() => {
      this.corked = false;
      this.socket.stream.uncork();
      this.account();
      if (this.paused) this.takeMore();
    });
  }

  private endIfAnswered(): void {
    // What comes beyond the last query that is taken stays unread until the client is idle for too long.
    if (this.ending && this.pending === 0 && (!this.paused || this.enough)) this.socket.stream.end();
  }

  hasTaken(): boolean {
    const before = this.taken;
    this.look(this.clients.clock.monotonic());
    return this.taken !== before;
  }

  /** Sees whether the client has taken something. */
  private look(now: Milliseconds): void {
    const taken = this.written - this.unsent;
    if (taken === this.taken) return;
    this.taken = taken;
    this.lastTaken = now;
    this.clients.took(this);
    this.account();
  }

  private account(): void {
    const before = this.held;
    const now = this.socket.stream.destroyed ? 0 : this.frames.kept + this.unsent;
    if (now === before) return;
    this.held = now;
    this.clients.hold(this, before, now);
  }

  private gone(): void {
    for (const open of this.streams) {
      open.messages.return?.();
      open.ended();
    }
    this.streams.clear();
    if (this.held > 0) this.clients.hold(this, this.held, 0);
    this.held = 0;
    this.clients.remove(this);
    this.session?.ended();
    this.closed(this);
    this.lifetime.end(new DOMException('the client has closed its connection', 'AbortError'));
  }
}
