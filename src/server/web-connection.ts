import type { Duplex } from 'node:stream';
import { Lifetime, type HttpFacts } from '../chain/index.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { ServedConnection, Serving } from './tcp.js';
import type { TcpClient } from './tcp-clients.js';

/** The longest body: a DNS message, and what gRPC puts around it. */
const MAX_BODY: Octets = (64 << 10) + 16;

/** So many requests may be taken back before they are answered, beyond those that were answered. */
const MAX_TAKEN_BACK = 200;

/** A request with its whole body; what is known of it beside that is HTTP's, or nothing. */
export type WebRequest<Facts = HttpFacts> = Facts & { readonly body: Buffer };

interface Bodied {
  readonly body: Buffer;
}

/** What a request is answered with. */
export interface HttpReply {
  readonly status: number;
  /** Names in lower case; the length of the body stands for itself. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** What follows the body (RFC 9113 section 8.1). */
  readonly trailers?: Readonly<Record<string, string>>;
}

/** What a connection is made of: a stream of bytes, or QUIC. */
export interface Carrier {
  /** Tells when it is gone. */
  whenClosed(tell: () => void): void;
  destroy(): void;
}

/** A fault of the stream is its end. */
export const carriedBy = (stream: Duplex): Carrier => ({
  whenClosed: (tell) => void stream.once('close', tell).on('error', tell),
  destroy: () => void stream.destroy(),
});

/** The version of HTTP that is spoken on a connection, or what is spoken in its place. */
export interface Speaker {
  /** Takes no more requests, and ends the connection when all are answered. */
  end(): void;
  destroy(): void;
}

/** Begins a request whose head has come. `send` passes the answer to the client. */
export type OpenExchange<Facts = HttpFacts, Answer extends Bodied = HttpReply> = (
  facts: Facts,
  send: (answer: Answer) => void,
) => Exchange<Facts, Answer>;

/** What a connection is made of. */
export interface WebParts<Facts = HttpFacts, Answer extends Bodied = HttpReply> extends Serving {
  readonly carrier: Carrier;
  /** Requests that may be under way; a client that sends one more is closed. */
  readonly most: number;
  /** Called for each request when it is complete, or too long. */
  onRequest(exchange: Exchange<Facts, Answer>): void;
}

/** One client's connection of requests and answers, and the bounds on what it keeps busy. */
export class WebConnection<Facts = HttpFacts, Answer extends Bodied = HttpReply>
  implements TcpClient, ServedConnection
{
  lastAnswer: Milliseconds;
  private readonly speaker: Speaker;
  private readonly exchanges = new Set<Exchange<Facts, Answer>>();
  /** Those whose bodies are not complete, in the order in which they began. */
  private readonly arriving = new Set<Exchange<Facts, Answer>>();
  /** Those whose answers the client has not taken yet. */
  private readonly leaving = new Set<Exchange<Facts, Answer>>();
  private held: Octets = 0;
  private requests = 0;
  private answered = 0;
  private takenBack = 0;
  private ending = false;

  constructor(
    readonly parts: WebParts<Facts, Answer>,
    speak: (open: OpenExchange<Facts, Answer>) => Speaker,
  ) {
    this.lastAnswer = this.now();
    parts.clients.add(this);
    parts.carrier.whenClosed(() => this.destroy());
    this.speaker = speak((facts, send) => this.open(facts, send));
  }

  overdue(now: Milliseconds): boolean {
    const { limits: general } = this.parts.clients;
    const { limits: own } = this.parts.served.routes;
    const since = ([first]: Set<Exchange<Facts, Answer>>): Milliseconds =>
      first === undefined ? 0 : now - first.since;
    if (since(this.arriving) > (own.read ?? general.read)) return true;
    if (since(this.leaving) > (own.write ?? general.write)) return true;
    return this.exchanges.size === 0 && now - this.lastAnswer > (own.idle ?? general.idle);
  }

  closeWhenAnswered(): void {
    if (this.ending) return;
    this.ending = true;
    this.speaker.end();
  }

  destroy(): void {
    this.gone();
    this.speaker.destroy();
    this.parts.carrier.destroy();
  }

  now(): Milliseconds {
    return this.parts.clients.clock.monotonic();
  }

  /** What is kept for the client has grown or shrunk. */
  hold(by: Octets): void {
    const before = this.held;
    this.held += by;
    if (by !== 0) this.parts.clients.hold(this, before, this.held);
  }

  /** The whole body of a request has come, or too much of it. */
  complete(exchange: Exchange<Facts, Answer>): void {
    this.arriving.delete(exchange);
    this.parts.onRequest(exchange);
  }

  /** A request is answered. */
  leave(exchange: Exchange<Facts, Answer>): void {
    this.arriving.delete(exchange);
    this.leaving.add(exchange);
    this.answered++;
    this.lastAnswer = this.now();
    this.parts.clients.alive(this);
    if (this.requests >= (this.parts.served.routes.limits.queries ?? Infinity)) this.closeWhenAnswered();
  }

  /** Nothing of a request is left: the client has its answer, or wants it no more. */
  end(exchange: Exchange<Facts, Answer>): void {
    if (!this.exchanges.delete(exchange)) return;
    this.arriving.delete(exchange);
    if (this.leaving.delete(exchange)) this.parts.clients.took(this);
    // Each costs as much as one that is answered, and is free for the client (CVE-2023-44487).
    else if (++this.takenBack > MAX_TAKEN_BACK + this.answered) this.destroy();
  }

  private open(facts: Facts, send: (answer: Answer) => void): Exchange<Facts, Answer> {
    const exchange = new Exchange(this, facts, send);
    this.requests++;
    this.exchanges.add(exchange);
    this.arriving.add(exchange);
    if (this.exchanges.size > this.parts.most) this.destroy();
    return exchange;
  }

  private gone(): void {
    const reason = new DOMException('the client has closed its connection', 'AbortError');
    const open = [...this.exchanges];
    this.exchanges.clear();
    this.arriving.clear();
    this.leaving.clear();
    for (const exchange of open) exchange.close(reason);
    if (this.held > 0) this.parts.clients.hold(this, this.held, 0);
    this.held = 0;
    this.parts.clients.remove(this);
    this.parts.closed(this);
  }
}

/** One request and its answer. */
export class Exchange<Facts = HttpFacts, Answer extends Bodied = HttpReply> {
  /** Ends when the client wants the answer no more. */
  readonly lifetime = new Lifetime();
  /** When it began to wait for the client: for its body, and later to take its answer. */
  since: Milliseconds;
  private readonly chunks: Buffer[] = [];
  private size: Octets = 0;
  private held: Octets = 0;
  private state: 'arriving' | 'asked' | 'answered' | 'closed' = 'arriving';

  constructor(
    private readonly connection: WebConnection<Facts, Answer>,
    private readonly facts: Facts,
    private readonly send: (answer: Answer) => void,
  ) {
    this.since = connection.now();
  }

  /** Empty where there is none. */
  get request(): WebRequest<Facts> | 'too long' {
    const { chunks } = this;
    if (this.size > MAX_BODY) return 'too long';
    return { ...this.facts, body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks) };
  }

  /** A part of the body has come. */
  push(chunk: Buffer): void {
    if (this.state !== 'arriving') return;
    this.size += chunk.length;
    if (this.size > MAX_BODY) return this.complete();
    this.chunks.push(chunk);
    this.hold(this.size);
  }

  /** The body is complete. */
  complete(): void {
    if (this.state !== 'arriving') return;
    this.state = 'asked';
    this.connection.complete(this);
  }

  answer(answer: Answer): void {
    if (this.state !== 'asked') return;
    this.state = 'answered';
    this.since = this.connection.now();
    this.hold(answer.body.length);
    this.connection.leave(this);
    this.send(answer);
  }

  /** The client has the answer, or wants it no more. */
  close(reason?: Error): void {
    if (this.state === 'closed') return;
    const answered = this.state === 'answered';
    this.state = 'closed';
    this.hold(0);
    this.connection.end(this);
    if (!answered) this.lifetime.end(reason ?? new DOMException('the client takes its request back', 'AbortError'));
  }

  private hold(now: Octets): void {
    const by = now - this.held;
    this.held = now;
    this.connection.hold(by);
  }
}
