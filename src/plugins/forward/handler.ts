import {
  Reply,
  upstreamMessage,
  type Handler,
  type HandsOver,
  type Next,
  type Outcome,
  type ProvidesUpstreams,
  type Query,
  type ReasonNote,
  type SessionUpstream,
  type TakesChanges,
} from '../../chain/index.js';
import { ExtendedErrorCode, Rcode, explained, isSubdomain, type Name } from '../../wire/index.js';
import { FailureMemory, type LookupFailure } from './failures.js';
import { knownUpstreams } from './handed-over.js';
import { OutstandingQuery, OutstandingQueries } from './outstanding.js';
import { hashOf, hashOfQuestion } from './same-question.js';
import type { LookupSettings } from './lookup-settings.js';
import { UpstreamLookup } from './upstream-lookup.js';

/**
 * Sends queries to upstreams and returns their replies. Queries that ask upstreams the same travel once while one of
 * them is under way, whatever else their clients sent.
 */
export class Forward implements Handler, ProvidesUpstreams, TakesChanges, HandsOver {
  readonly name = 'forward';
  readonly dependsOn = 'question';
  readonly waits = true;
  readonly everyClass = true;
  private readonly overUdp = new OutstandingQueries();
  private readonly overTcp = new OutstandingQueries();
  private readonly failures = new FailureMemory();
  private concurrent = 0;
  private readonly idle: (() => void)[] = [];
  private readonly all: boolean;
  private readonly overLimit: Reply;
  /** Nobody knows which names have the same hash. */
  private readonly seed: number;

  constructor(
    private readonly from: Name,
    private readonly settings: LookupSettings,
    readonly keptAs: string,
  ) {
    const { except, maxConcurrent } = settings.options;
    this.seed = settings.random.uint32() | 0;
    this.all = from === '.' && except.length === 0;
    this.overLimit = Reply.failure(
      Rcode.REFUSED,
      new Error(`concurrent queries exceeded maximum ${maxConcurrent}`),
    ).withEdns(explained(ExtendedErrorCode.NotReady, 'too many queries are under way'));
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (!this.all && !this.matches(query.name)) return next(query);
    const { options, metrics } = this.settings;
    if (options.maxConcurrent > 0 && this.concurrent >= options.maxConcurrent) {
      metrics.rejected.inc();
      this.tell(query, 'busy', `max_concurrent: ${options.maxConcurrent} queries are under way`);
      return this.overLimit;
    }
    return this.join(query, next);
  }

  handOver(): string {
    return knownUpstreams(this.settings.proxies);
  }

  upstreams(): readonly SessionUpstream[] {
    return this.settings.proxies.filter((proxy) => !proxy.https);
  }

  expectChanges(): void {
    // What is on its way is looked through when something changes.
  }

  /** Who asks from now on does not wait for an answer to what was asked before. */
  namesChanged(names: readonly Name[]): void {
    for (const all of [this.overUdp, this.overTcp])
      for (const outstanding of all.list())
        if (names.some((name) => isSubdomain(name, outstanding.query.name))) all.remove(outstanding);
    // Late answers too may be to what was asked before.
    this.failures.clear();
  }

  /** Brings what is counted elsewhere up to date for a scrape. */
  observe(): void {
    for (const { upstream, metrics } of this.settings.proxies) metrics.observe(upstream);
  }

  /** Stops all traffic as soon as the queries under way are answered. */
  async stop(): Promise<void> {
    if (this.concurrent > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    for (const proxy of this.settings.proxies) proxy.stop();
  }

  private matches(name: Name): boolean {
    const {
      from,
      settings: {
        options: { except },
      },
    } = this;
    if (!isSubdomain(from, name)) return false;
    return name === from || !except.some((zone) => isSubdomain(zone, name));
  }

  private join(query: Query, next: Next): Outcome | Promise<Outcome> {
    const message = upstreamMessage(query);
    const { questionEnd } = query;
    if (query.context.separate) return this.start(this.made(query, message, 0, 0), next);
    const all = this.outstandingOf(query);
    const question = hashOfQuestion(message, questionEnd, this.seed);
    const hash = hashOf(message, questionEnd, question);
    const known = all.find(message, questionEnd, hash);
    if (known !== undefined) {
      this.concurrent++;
      known.join(query);
      this.tell(query, 'joined', 'an equal question was under way: its answer is this one’s too');
      return query.context.metadata === undefined ? known.outcome : this.labelled(query, known);
    }
    const failed = this.failures.size === 0 ? undefined : this.failedBefore(message, questionEnd, hash);
    if (failed !== undefined) {
      const why = failed.cause && `${failed.cause.message}: failures are remembered for 1 to 5 s`;
      this.tell(query, 'remembered', why ?? 'the answer came after the query had been given up');
      return failed;
    }
    const outstanding = this.made(query, message, hash, question);
    all.add(outstanding);
    return this.start(outstanding, next);
  }

  private tell(query: Query, reason: ReasonNote['reason'], text: string): void {
    query.context.trail?.note({ kind: 'reason', plugin: this.name, reason, text });
  }

  /** The upstream that answers the other query answers this one too. */
  private async labelled(query: Query, { query: other, outcome }: OutstandingQuery): Promise<Outcome> {
    const settled = await outcome;
    const upstream = other.context.metadata?.get('forward/upstream');
    if (upstream !== undefined) query.context.metadata?.set('forward/upstream', upstream);
    return settled;
  }

  /** The same question came to nothing a short time ago (RFC 9520). */
  private failedBefore(message: Buffer, questionEnd: number, hash: number): Reply | undefined {
    const { clock, proxies, metrics } = this.settings;
    const lastHeard = Math.max(...proxies.map(({ upstream }) => upstream.lastHeard));
    const reply = this.failures.find(message, questionEnd, hash, clock.monotonic(), lastHeard);
    if (reply?.cause !== undefined) metrics.remembered.inc();
    return reply;
  }

  private made(query: Query, message: Buffer, hash: number, question: number): OutstandingQuery {
    return new OutstandingQuery(query, message, hash, question, this.onSettled, this.onLate);
  }

  private start(outstanding: OutstandingQuery, next: Next): Promise<Outcome> {
    this.concurrent++;
    new UpstreamLookup(this.settings, outstanding, next).start();
    return outstanding.outcome;
  }

  private readonly onSettled = (outstanding: OutstandingQuery, failure?: LookupFailure): void => {
    this.outstandingOf(outstanding.query).remove(outstanding);
    if (failure !== undefined && !outstanding.query.context.separate)
      this.failures.add(outstanding.message, outstanding.hash, failure, this.settings.clock.monotonic());
    else if (this.failures.size > 0) this.failures.forget(outstanding.hash);
    this.concurrent -= outstanding.waiters;
    if (this.concurrent === 0) for (const wake of this.idle.splice(0)) wake();
  };

  private readonly onLate = ({ message, hash }: OutstandingQuery, answer: Reply): void =>
    this.failures.addLate(message, hash, answer, this.settings.clock.monotonic());

  private outstandingOf(query: Query): OutstandingQueries {
    return query.transport === 'udp' ? this.overUdp : this.overTcp;
  }
}
