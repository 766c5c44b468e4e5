import { Query, Reply, type Next, type Outcome, type Transport } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';
import { Rcode } from '../../wire/index.js';
import type { CacheEntry } from './entry.js';
import { kindOf } from './lifetime.js';
import type { CacheMetrics } from './metrics.js';
import type { CacheOptions, StalePolicy } from './options.js';
import type { CacheSurroundings } from './surroundings.js';

/** Fetches anew what a cache keeps: behind the clients' backs, or while one waits. */
export class Renewal {
  /** @param settle keeps an outcome where it may be, in place of an entry where one is named */
  constructor(
    private readonly options: CacheOptions,
    private readonly surroundings: CacheSurroundings,
    private readonly settle: (query: Query, outcome: Outcome, replaced?: CacheEntry) => Outcome,
  ) {}

  /** Has the entry fetched anew after the client has its answer; once at a time, and not within `recheck` of a failure. */
  refresh(query: Query, next: Next, entry: CacheEntry, metrics: CacheMetrics, recheck: Milliseconds = 0): void {
    if (!mayRefresh(entry, query.received)) return;
    entry.refreshing = true;
    metrics.prefetches.inc();
    // The client's bytes are the listener's again once it is answered. Over TCP nothing comes back truncated, which
    // could not be kept.
    const again = copyOf(query, 'tcp');
    queueMicrotask(() => void this.fetchAnew(again, next, entry, recheck));
  }

  private async fetchAnew(query: Query, next: Next, entry: CacheEntry, recheck: Milliseconds): Promise<void> {
    let renewed = false;
    try {
      const outcome = await next(query);
      // A failure does not take the place of what is known (RFC 8767 section 4).
      renewed = this.renews(outcome, query);
      if (renewed || this.options.preferPositive) this.settle(query, outcome, entry);
    } catch (error) {
      this.told(query, error);
    } finally {
      this.endRefresh(entry, renewed, recheck);
      query.context.close();
    }
  }

  private endRefresh(entry: CacheEntry, renewed: boolean, recheck: Milliseconds): void {
    entry.refreshing = false;
    entry.retryAt = renewed || recheck === 0 ? undefined : this.surroundings.clock.monotonic() + recheck;
  }

  /** A fault behind the clients' backs. */
  private told(query: Query, error: unknown): void {
    this.surroundings.panics.with().inc();
    const text = error instanceof Error ? error.message : String(error);
    this.surroundings.log.error(`fetching ${query.name} ${query.typeName} anew: ${text}`);
  }

  /**
   * Asks, and falls back on the entry when that fails or takes too long. Each client waits for an outcome of its own
   * unless there is a time between attempts: equal questions to an upstream are made one where they are sent.
   */
  verify(
    query: Query,
    next: Next,
    entry: CacheEntry,
    policy: StalePolicy,
    stale: () => Reply,
  ): Outcome | Promise<Outcome> {
    // The client may be answered before the outcome comes, and its bytes be the listener's again.
    const passed = policy.verifyTimeout > 0 ? copyOf(query, query.transport) : query;
    const ended = (renewed: boolean): void => {
      if (policy.recheck > 0) this.endRefresh(entry, renewed, policy.recheck);
      if (passed !== query) passed.context.close();
    };
    const verified = (settled: Outcome): Outcome | undefined => {
      const renewed = this.renews(settled, passed);
      ended(renewed);
      if (renewed) return this.settle(passed, settled);
      if (this.options.preferPositive) this.settle(passed, settled);
      return undefined;
    };
    const outcome = next(passed);
    if (!(outcome instanceof Promise)) return verified(outcome) ?? stale();
    if (policy.recheck > 0) entry.refreshing = true;
    const verifying = outcome.then(verified, (error: unknown) => {
      ended(false);
      throw error;
    });
    if (policy.verifyTimeout === 0) return verifying.then((settled) => settled ?? stale());
    return this.inTime(passed, verifying, policy.verifyTimeout).then((settled) => settled ?? stale());
  }

  /** What `outcome` comes to within `limit`; undefined when it takes longer, and then its faults are told. */
  inTime(query: Query, outcome: Promise<Outcome | undefined>, limit: Milliseconds): Promise<Outcome | undefined> {
    return new Promise<Outcome | undefined>((resolve, reject) => {
      let late = false;
      const timer = this.surroundings.clock.setTimeout(() => {
        late = true;
        resolve(undefined);
      }, limit);
      const ended = (end: () => void): void => {
        timer.cancel();
        end();
      };
      outcome.then(
        (settled) => ended(() => resolve(settled)),
        (error: Error) => ended(() => (late ? this.told(query, error) : reject(error))),
      );
    });
  }

  /** Whether the outcome says something about the name, rather than that nothing could be found out. */
  renews(outcome: Outcome, query: Query): boolean {
    if (!(outcome instanceof Reply) || !outcome.written) return false;
    if (this.options.preferPositive)
      return (
        !outcome.truncated && outcome.answerCount > 0 && kindOf(outcome, query, this.surroundings.clock) === 'answer'
      );
    return outcome.rcode === Rcode.NOERROR || outcome.rcode === Rcode.NXDOMAIN;
  }
}

export const mayRefresh = (entry: CacheEntry, now: Milliseconds): boolean =>
  !entry.refreshing && (entry.retryAt === undefined || now >= entry.retryAt);

const copyOf = (query: Query, transport: Transport): Query =>
  new Query(Buffer.from(query.bytes), query.context.detached(transport));
