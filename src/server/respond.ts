import {
  DROP,
  Query,
  QueryContext,
  Reply,
  Transfer,
  finishReply,
  type Client,
  type Lifetime,
  type Outcome,
} from '../chain/index.js';
import { Deadline, Deadlines } from '../exchange/deadlines.js';
import type { Clock } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import { TsigTransaction } from '../tsig/index.js';
import { HEADER_SIZE, Rcode, WireError, judgeRecords } from '../wire/index.js';
import { NO_MEMORY, NO_STREAM, OVERDUE, PANIC } from './failures.js';
import type { Chain, Routes, Served } from './routes.js';
import { badVersion, judgeHeader, questionEnd, reject } from './turned-away.js';

/**
 * How long a query may wait for its answer, in milliseconds: twice what `forward` takes at most. Clients have given up
 * by then.
 */
export const QUERY_TIME: Milliseconds = 10_000;

/** How an answer goes back to the client. One object for each message. */
export interface ResponseWriter {
  /** Bytes to leave free in front of the message: 2 for the length over TCP. */
  readonly prefix: 0 | 2;
  /** The client's connection, whose end ends the wait for an answer; undefined where there is none. */
  readonly connection?: Lifetime | undefined;
  /** Takes a finished message. `bytes` is the receiver's from then on, its first `prefix` bytes are free. */
  send(bytes: Buffer): void;
  /**
   * Takes messages one after the other, as fast as the client does; missing where no more than one can be sent. `ended`
   * is called once: when the last one was taken over, when nobody waits for them any more, or with the error that a
   * message could not be made for. The returned function breaks off in the middle.
   */
  stream?(messages: Iterator<Buffer>, ended: (error?: unknown) => void): () => void;
  /** Told of each reply with a lease, after it was sent, if the chain lets others have it too. */
  share?(chain: Chain, query: Query, reply: Reply): void;
  /** Called in place of `send` when there will be no answer. */
  dropped?(): void;
  /**
   * Called for what is no query, or for one that the header refuses or whose body is malformed, where those are turned
   * away by other means than a DNS message.
   */
  rejected?(): void;
  /** Whether the transport has room for what a query holds; `rejected` is called where not. */
  allows?(query: Query): boolean;
}

/** What happens to a query beside its answer. */
export interface ResponderHooks {
  /** A handler failed: the query is answered with SERVFAIL. */
  panicked(error: unknown, query: Query): void;
  /** No handler came to an end within the query's time: it is answered with SERVFAIL. */
  overdue(query: Query): void;
  /** The client was sent a reply. */
  answered?(query: Query, reply: Reply): void;
  /** Handlers came to an outcome without a wait, or after one; before it is sent. */
  atOnce?(query: Query, outcome: Outcome, chain: Chain | undefined): void;
  waited?: ((query: Query, outcome: Outcome, chain: Chain | undefined) => void) | undefined;
}

/** Answers messages, whichever way they came in. */
export class Responder {
  private readonly deadlines: Deadlines;
  /** Whether there is no memory for a query that may have to wait; counts it then. */
  refuses: (() => boolean) | undefined;

  /** @param timeLimit how long a query may wait for its answer; its signal fires then */
  constructor(
    private readonly clock: Clock,
    private readonly hooks: ResponderHooks,
    private readonly timeLimit: Milliseconds = QUERY_TIME,
  ) {
    this.deadlines = new Deadlines(clock);
  }

  /**
   * Answers one received message, at once where nothing has to be waited for. Whatever the message holds, this neither
   * throws nor rejects. Responses and runts get no answer, as nobody would know what to do with it; bad headers are
   * answered before the body is looked at, and the whole body is judged before a handler sees the query.
   */
  respond(bytes: Buffer, served: Served, client: Client, received: Milliseconds, writer: ResponseWriter): void {
    const verdict = judgeHeader(bytes);
    if (verdict !== undefined && writer.rejected) return writer.rejected();
    if (verdict === 'ignore') return writer.dropped?.();
    if (verdict !== undefined) return reject(bytes, verdict, HEADER_SIZE, writer);
    const { routes } = served;
    const { connection } = writer;
    const waiting = connection === undefined ? routes.waiting : { ...routes.waiting, connection };
    let query: Query;
    let version: number;
    try {
      query = new Query(bytes, new QueryContext(client, received, waiting));
      judgeRecords(bytes, query.questionEnd);
      version = query.ednsVersion;
      const { tsigKeys } = routes;
      if (tsigKeys !== undefined) query.context.tsig = TsigTransaction.of(bytes, tsigKeys, () => this.clock.now());
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      if (writer.rejected) return writer.rejected();
      return reject(bytes, Rcode.FORMERR, questionEnd(bytes), writer);
    }
    if (writer.allows?.(query) === false) return writer.rejected?.();
    if (version !== 0) return badVersion(query, writer);
    this.answer(query, routes, writer);
  }

  private answer(query: Query, routes: Routes, writer: ResponseWriter): void {
    let chain: Chain | undefined;
    let outcome: Outcome | Promise<Outcome>;
    try {
      chain = routes.chainOf(query);
      if (this.refuses?.() === true) {
        this.hooks.answered?.(query, NO_MEMORY);
        return writer.send(finishReply(query, NO_MEMORY, writer.prefix));
      }
      outcome = chain === undefined ? routes.refuse(query) : chain.ask(query);
    } catch (error) {
      this.hooks.panicked(error, query);
      outcome = PANIC;
    }
    if (!(outcome instanceof Promise)) {
      this.hooks.atOnce?.(query, outcome, chain);
      return finish(query, outcome, routes, chain, writer, this.hooks);
    }
    routes.inFlight.enter();
    const pending = new PendingQuery(query, chain, routes, writer, this.hooks, this.deadlines);
    this.deadlines.set(pending, query.received + this.timeLimit);
    // One promise more and no closure that could throw: this is the way of every query that waits.
    void outcome.then(
      (settled) => pending.settle(settled),
      (error: unknown) => pending.fail(error),
    );
  }
}

/** A query whose answer has to be waited for. */
class PendingQuery extends Deadline {
  private over = false;

  constructor(
    private readonly query: Query,
    private readonly chain: Chain | undefined,
    private readonly routes: Routes,
    private readonly writer: ResponseWriter,
    private readonly hooks: ResponderHooks,
    private readonly deadlines: Deadlines,
  ) {
    super();
  }

  /** Sends the answer, unless the time was up before. */
  settle(outcome: Outcome): void {
    if (this.over) return;
    this.over = true;
    this.deadlines.clear(this);
    const { query } = this;
    query.context.close();
    try {
      this.hooks.waited?.(query, outcome, this.chain);
      finish(query, outcome, this.routes, this.chain, this.writer, this.hooks);
    } catch (error) {
      this.hooks.panicked(error, query);
    } finally {
      this.routes.inFlight.leave();
    }
  }

  fail(error: unknown): void {
    if (this.over) return;
    this.hooks.panicked(error, this.query);
    this.settle(PANIC);
  }

  override due(): void {
    this.hooks.overdue(this.query);
    this.query.context.cancel(new DOMException('the time for this query is up', 'TimeoutError'));
    this.settle(OVERDUE);
  }
}

function finish(
  query: Query,
  outcome: Outcome,
  routes: Routes,
  chain: Chain | undefined,
  writer: ResponseWriter,
  hooks: ResponderHooks,
): void {
  if (outcome === DROP) return writer.dropped?.();
  if (outcome instanceof Transfer) {
    if (streams(writer)) return stream(query, outcome, routes, writer, hooks);
    outcome = NO_STREAM;
  }
  let answer: Buffer;
  try {
    if (!(outcome instanceof Reply)) throw new TypeError(`a handler gave ${typeof outcome} for a reply`);
    answer = signedReply(query, outcome, writer.prefix);
  } catch (error) {
    hooks.panicked(error, query);
    outcome = PANIC;
    answer = signedReply(query, outcome, writer.prefix);
  }
  writer.send(answer);
  hooks.answered?.(query, outcome);
  if (outcome.lease !== undefined && chain !== undefined && routes.shares(chain)) writer.share?.(chain, query, outcome);
}

type Streaming = ResponseWriter & Required<Pick<ResponseWriter, 'stream'>>;

const streams = (writer: ResponseWriter): writer is Streaming => writer.stream !== undefined;

function stream(query: Query, transfer: Transfer, routes: Routes, writer: Streaming, hooks: ResponderHooks): void {
  routes.inFlight.enter();
  let release = (): void => undefined;
  const cut = writer.stream(encoded(query, transfer, writer.prefix), (error) => {
    if (error !== undefined) hooks.panicked(error, query);
    release();
    routes.inFlight.leave();
  });
  release = routes.lifetime.onEnd(cut);
}

function* encoded(query: Query, transfer: Transfer, prefix: 0 | 2): Generator<Buffer, void, void> {
  for (const message of transfer.messages) yield signedReply(query, message, prefix);
}

/** The reply as it goes to the client, signed where the client has signed the query. */
function signedReply(query: Query, reply: Reply, prefix: 0 | 2): Buffer {
  const { tsig } = query.context;
  if (tsig?.signs !== true) return finishReply(query, reply, prefix);
  return tsig.sign(finishReply(query, reply, prefix, tsig.reserve), prefix);
}
