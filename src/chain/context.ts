import type { Milliseconds } from '../lib/units.js';
import type { TsigTransaction } from '../tsig/index.js';
import type { Client } from './client.js';
import type { Lifetime } from './lifetime.js';
import type { Metadata } from './metadata.js';
import { Trail } from './trail.js';

/** What a query's answer is waited for by: each may be missing. */
export interface Waiting {
  /** The connection that the answer has to go over. */
  readonly connection?: Lifetime | undefined;
  /** The configuration whose handlers answer. */
  readonly configuration?: Lifetime | undefined;
  /** Whether what handlers tell of their work is kept until the query is answered. */
  readonly keepsTrail?: boolean;
}

/**
 * All that is known of a query beside its message: one object that a changed copy of the query shares, so that no copy
 * can lose a part of it.
 */
export class QueryContext {
  /** Labels of the block that answers; undefined where its Corefile has no `metadata`. */
  metadata: Metadata | undefined;
  /** Name of the view that answers, for the `view` label of metrics; empty without one. */
  view = '';
  /** It must not be made one with equal questions that wait for the same answer: each has to be counted where it ends. */
  separate = false;
  private attempts = 0;
  private signature: TsigTransaction | undefined;
  private told: Trail | undefined;
  /**
   * Nobody waits for the answer, or whoever does has another one at hand: upstreams are not asked a second time before
   * the first one has had its time.
   */
  patient = false;
  /** Monotonic time from which nothing new is to be begun for the query. */
  private until: Milliseconds = Infinity;
  private controller: AbortController | undefined;
  private release: (() => void)[] | undefined;

  /**
   * @param received monotonic time at which the query came in
   * @param depth how many questions of the server's own lie between the client's question and this one
   */
  constructor(
    readonly client: Client,
    readonly received: Milliseconds,
    private readonly waiting: Waiting = {},
    readonly depth = 0,
    private readonly parent?: QueryContext,
    /**
     * No client asks, but somebody who wants to know what a client would get: nothing is kept of it or fetched anew
     * for it, and it takes nothing of what clients may ask.
     */
    readonly inspects = false,
  ) {}

  /** Where handlers tell of their work; undefined where nobody reads it. Made when it is first asked for. */
  get trail(): Trail | undefined {
    if (this.parent !== undefined) return this.parent.trail;
    if (this.told === undefined && (this.inspects || this.waiting.keepsTrail === true)) this.told = new Trail();
    return this.told;
  }

  /** Has handlers tell of their work, from now on. */
  keepTrail(): Trail {
    return this.parent?.keepTrail() ?? (this.told ??= new Trail());
  }

  /** What they have told so far. */
  get trailSoFar(): Trail | undefined {
    return this.parent === undefined ? this.told : this.parent.trailSoFar;
  }

  /** What became of the client's signature; undefined where there was none, or where no keys are known. */
  get tsig(): TsigTransaction | undefined {
    return this.parent === undefined ? this.signature : this.parent.tsig;
  }

  set tsig(transaction: TsigTransaction | undefined) {
    this.signature = transaction;
  }

  /**
   * Fires when nobody waits for the answer any more: the client's connection has ended, the query's time is up, or the
   * configuration is gone. Made when it is first asked for; it does not fire when the query is simply answered.
   */
  get signal(): AbortSignal {
    if (this.parent !== undefined) return this.parent.signal;
    if (this.controller === undefined) {
      const controller = (this.controller = new AbortController());
      const abort = (reason: Error): void => controller.abort(reason);
      const { connection, configuration } = this.waiting;
      this.release = [connection, configuration].flatMap((lifetime) => (lifetime ? [lifetime.onEnd(abort)] : []));
    }
    return this.controller.signal;
  }

  /** Whether the answer has to go over a connection, which may end before. */
  get hasConnection(): boolean {
    return this.waiting.connection !== undefined;
  }

  /**
   * Tells `listener` when the client's connection ends, at once where it has; cheaper than `signal`. The returned
   * function takes that back.
   */
  onDisconnect(listener: () => void): () => void {
    return this.waiting.connection?.onEnd(listener) ?? (() => undefined);
  }

  /** Lets `signal` fire, if somebody has it: the query's time is up. */
  cancel(reason: Error): void {
    if (this.parent !== undefined) return this.parent.cancel(reason);
    this.controller?.abort(reason);
    this.close();
  }

  /**
   * Nothing new is to be begun for the query from the monotonic time `at`; what is under way may still end well. A
   * bound that is nearer stays.
   */
  endsBy(at: Milliseconds): void {
    if (this.parent !== undefined) return this.parent.endsBy(at);
    this.until = Math.min(this.until, at);
  }

  /** How long after the monotonic time `now` new things may be begun for the query; Infinity without a bound. */
  timeLeft(now: Milliseconds): Milliseconds {
    return this.parent === undefined ? this.until - now : this.parent.timeLeft(now);
  }

  /** Whether it is too late, at the monotonic time `now`, to begin something new for the query. */
  over(now: Milliseconds): boolean {
    return this.parent === undefined ? now >= this.until : this.parent.over(now);
  }

  /** An upstream is asked for the query. */
  askedUpstream(): void {
    if (this.parent === undefined) this.attempts++;
    else this.parent.askedUpstream();
  }

  /** How often upstreams were asked for it. */
  get upstreamAttempts(): number {
    return this.attempts;
  }

  /** The query is answered: connection and configuration need not tell it of their end any more. */
  close(): void {
    this.release?.forEach((release) => release());
  }

  /** For a question that the server asks itself to answer this query, over the same way and for as long. */
  nested(): QueryContext {
    return new QueryContext(this.client, this.received, this.waiting, this.depth + 1, this, this.inspects);
  }

  /**
   * For the same question asked once more after the client has its answer, over another transport if given: the end of
   * the client's connection does not end it. The caller closes it.
   */
  detached(transport: Client['transport'] = this.client.transport): QueryContext {
    const made = new QueryContext({ ...this.client, transport }, this.received, {
      configuration: this.waiting.configuration,
    });
    made.patient = true;
    return made;
  }
}
