import type { Outcome, Query, Reply } from '../../chain/index.js';
import { IntMap } from '../../lib/int-map.js';
import { failureReply, type LookupFailure } from './failures.js';
import { equal } from './same-question.js';

/** Asks upstreams for an outstanding query. */
export interface Asker {
  /** Somebody waits now who is not patient. */
  hurry(): void;
  /** All who waited have closed their connections. */
  abandon(): void;
}

/** A question under way, with those who asked the same meanwhile. */
export class OutstandingQuery {
  readonly outcome: Promise<Outcome>;
  waiters = 1;
  /** See `QueryContext.patient`; over as soon as somebody joins who is not. */
  patient: boolean;
  /** The same name and type are on their way over UDP, asked differently: this one had better not join them there. */
  apart = false;
  /** What asks the upstreams. */
  asker: Asker | undefined;
  /** Those who wait and are there: all over UDP, where nobody says when he leaves. */
  private present = 0;
  private releases: (() => void)[] | undefined;
  private resolve!: (outcome: Outcome | Promise<Outcome>) => void;

  /**
   * @param message what upstreams are sent, id aside
   * @param hash of the message, see `hashOf`
   * @param questionHash of its question alone
   * @param onSettled called before those who asked are told
   */
  constructor(
    readonly query: Query,
    readonly message: Buffer,
    readonly hash: number,
    readonly questionHash: number,
    private readonly onSettled: (outstanding: OutstandingQuery, failure?: LookupFailure) => void,
    private readonly onLate: (outstanding: OutstandingQuery, answer: Reply) => void,
  ) {
    this.patient = query.context.patient;
    this.outcome = new Promise((resolve) => (this.resolve = resolve));
    this.watch(query);
  }

  join(query: Query): void {
    this.waiters++;
    this.watch(query);
    if (!this.patient || query.context.patient) return;
    this.patient = false;
    this.asker?.hurry();
  }

  settle(outcome: Outcome | Promise<Outcome>): void {
    this.release();
    this.onSettled(this);
    this.resolve(outcome);
  }

  /** No upstream answered. */
  fail(failure: LookupFailure): void {
    this.release();
    this.onSettled(this, failure);
    this.resolve(failureReply(failure));
  }

  /** One did, after that. */
  late(answer: Reply): void {
    this.onLate(this, answer);
  }

  private watch({ context }: Query): void {
    this.present++;
    if (!context.hasConnection) return;
    const release = context.onDisconnect(() => {
      if (--this.present === 0) this.asker?.abandon();
    });
    (this.releases ??= []).push(release);
  }

  private release(): void {
    if (this.releases !== undefined) for (const release of this.releases) release();
    this.releases = undefined;
  }
}

/**
 * Questions under way over one transport. Where two of them have the same hash, the later one is not kept: an equal
 * one travels again.
 */
export class OutstandingQueries {
  private readonly byHash = new IntMap<OutstandingQuery>();
  private readonly byQuestion = new IntMap<OutstandingQuery>();

  /** The one whose message equals `message`, letter case of the name and id aside. */
  find(message: Buffer, questionEnd: number, hash: number): OutstandingQuery | undefined {
    const outstanding = this.byHash.get(hash);
    return outstanding !== undefined && equal(outstanding.message, message, questionEnd) ? outstanding : undefined;
  }

  /** Those that can be joined. */
  list(): OutstandingQuery[] {
    return this.byHash.values();
  }

  add(outstanding: OutstandingQuery): void {
    if (!this.byHash.has(outstanding.hash)) this.byHash.set(outstanding.hash, outstanding);
    outstanding.apart = this.byQuestion.has(outstanding.questionHash);
    if (!outstanding.apart) this.byQuestion.set(outstanding.questionHash, outstanding);
  }

  remove(outstanding: OutstandingQuery): void {
    if (this.byHash.get(outstanding.hash) === outstanding) this.byHash.delete(outstanding.hash);
    if (this.byQuestion.get(outstanding.questionHash) === outstanding) this.byQuestion.delete(outstanding.questionHash);
  }
}
