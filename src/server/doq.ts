import type { Client } from '../chain/index.js';
import type { Milliseconds } from '../lib/units.js';
import type { Metrics, Value } from '../metrics/metrics.js';
import type { ConnectionReader, QuicConnection, QuicStream, StreamReader } from '../quic/connection.js';
import type { Places } from './places.js';
import type { ResponseWriter } from './respond.js';
import type { ServedConnection, Serving } from './tcp.js';
import { WebConnection, type Carrier, type Exchange, type OpenExchange } from './web-connection.js';

/** Codes that streams and connections end with (RFC 9250 section 4.3). */
const DOQ = { noError: 0, internalError: 1, protocolError: 2 } as const;
type Code = (typeof DOQ)[keyof typeof DOQ];

/** The option that keeps TCP connections open, which has no place here (RFC 9250 section 5.5.2). */
const KEEPALIVE = 11;

interface DoqAnswer {
  readonly body: Buffer;
}
/** All there is to know of a request beside its bytes. */
interface DoqFacts {
  readonly stream: QuicStream;
}

/** Counters of answers and of connections that were closed for what came on them, by address and code. */
export class QuicResponses {
  private readonly family;
  private readonly known = new Map<string, Value>();

  constructor(metrics: Metrics) {
    this.family = metrics.counter(
      'dns',
      'quic_responses_total',
      'Counter of DoQ responses per server and QUIC application code.',
      ['server', 'status'],
    );
  }

  count(server: string, code: Code): void {
    const key = `${code} ${server}`;
    let value = this.known.get(key);
    if (value === undefined) this.known.set(key, (value = this.family.with({ server, status: `0x${code}` })));
    value.inc();
  }
}

/** What a connection is served with. */
export interface DoqParts {
  readonly responses: QuicResponses;
  /** Room for queries under way at this address. */
  readonly places: Places;
}

/** DNS over QUIC (RFC 9250): a stream for each query, which its answer ends. */
export class DoqConnection implements ConnectionReader {
  readonly served: ServedConnection;
  private openExchange!: OpenExchange<DoqFacts, DoqAnswer>;
  private tell: (() => void) | undefined;
  private streams = 0;
  private ending = false;

  constructor(
    private readonly connection: QuicConnection,
    private readonly client: Client,
    private readonly serving: Serving,
    private readonly parts: DoqParts,
  ) {
    const carrier: Carrier = {
      whenClosed: (tell) => void (this.tell = tell),
      destroy: () => connection.close(DOQ.noError),
    };
    const onRequest = (exchange: Exchange<DoqFacts, DoqAnswer>): void => this.take(exchange);
    this.served = new WebConnection<DoqFacts, DoqAnswer>({ ...serving, carrier, most: Infinity, onRequest }, (open) => {
      this.openExchange = open;
      return { end: () => this.end(), destroy: () => undefined };
    });
  }

  opened(stream: QuicStream): StreamReader {
    this.streams++;
    const exchange = this.openExchange({ stream }, ({ body }) => stream.end(body));
    const message = new MessageReader();
    return {
      data: (chunk) => {
        exchange.push(chunk);
        const state = message.take(chunk);
        // More than one message on a stream, and none at all, end the connection (RFC 9250 section 4.3.3).
        if (state === 'too long' || state === 'empty') this.fail();
        else if (state === 'complete') exchange.complete();
      },
      end: () => {
        if (!message.isComplete) this.fail();
      },
      closed: () => {
        this.streams--;
        exchange.close();
        if (this.ending) this.end();
      },
    };
  }

  closed(): void {
    this.tell?.();
  }

  /** Closes when the last answer is out. */
  private end(): void {
    this.ending = true;
    if (this.streams === 0) this.connection.close(DOQ.noError);
  }

  private fail(): void {
    this.parts.responses.count(this.client.server.label, DOQ.protocolError);
    this.connection.close(DOQ.protocolError);
  }

  private take(exchange: Exchange<DoqFacts, DoqAnswer>): void {
    const { request } = exchange;
    // Longer than any message with its length cannot be, as the reader would have said.
    if (request === 'too long') return this.fail();
    const message = request.body.subarray(2);
    // A message has the id 0 (RFC 9250 section 4.2.1).
    if (message.length < 2 || message.readUInt16BE(0) !== 0) return this.fail();
    const received = this.serving.clients.clock.monotonic();
    this.parts.places.enter(() => this.respond(message, exchange, request.stream, received));
  }

  private respond(
    message: Buffer,
    exchange: Exchange<DoqFacts, DoqAnswer>,
    stream: QuicStream,
    received: Milliseconds,
  ): void {
    const { served, responder } = this.serving;
    const { places, responses } = this.parts;
    let over = false;
    const leave = (): void => {
      if (!over) places.leave();
      over = true;
    };
    if (exchange.lifetime.ended !== undefined) return leave();
    exchange.lifetime.onEnd(leave);
    const writer: ResponseWriter = {
      prefix: 2,
      connection: exchange.lifetime,
      allows: (query) => !query.ednsOptions.some(({ code }) => code === KEEPALIVE),
      send: (bytes) => {
        leave();
        bytes.writeUInt16BE(bytes.length - 2, 0);
        responses.count(this.client.server.label, DOQ.noError);
        this.connection.answered();
        exchange.answer({ body: bytes });
      },
      dropped: () => {
        leave();
        stream.reset(DOQ.internalError);
      },
      rejected: () => {
        leave();
        this.fail();
      },
    };
    responder.respond(message, served, this.client, received, writer);
  }
}

/** Follows one message behind its length. */
class MessageReader {
  private got = 0;
  private first = 0;
  private length = 0;

  get isComplete(): boolean {
    return this.got >= 2 && this.got === 2 + this.length;
  }

  take(chunk: Buffer): 'partly' | 'complete' | 'empty' | 'too long' {
    for (let i = 0; i < chunk.length && this.got + i < 2; i++) {
      if (this.got + i === 0) this.first = chunk[i]!;
      else this.length = (this.first << 8) | chunk[i]!;
    }
    this.got += chunk.length;
    if (this.got < 2) return 'partly';
    if (this.length === 0) return 'empty';
    return this.isComplete ? 'complete' : this.got > 2 + this.length ? 'too long' : 'partly';
  }
}
