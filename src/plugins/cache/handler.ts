import {
  DROP,
  Query,
  Reply,
  type Handler,
  type Next,
  type Outcome,
  type PerServer,
  type Tallies,
  type Tally,
} from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Seconds } from '../../lib/units.js';
import type { Family, Value } from '../../metrics/metrics.js';
import { Flag, OPCODE_MASK, Rcode, Type } from '../../wire/index.js';
import { Entry, EntryStanding } from './entry.js';
import { kindOf, ttlOf, type KeptKind } from './lifetime.js';
import type { CacheMetrics } from './metrics.js';
import type { CacheOptions } from './options.js';
import { Store } from './store.js';

/** What the cache needs from the block it stands in. */
export interface CacheSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: PerServer<CacheMetrics>;
  /** Counts faults of handlers in background refreshes, which the server does not see. */
  readonly panics: Family<Value>;
  /** The cache's zones cover every name that can reach it. */
  readonly everyZone: boolean;
}

/**
 * Answers from kept replies, keeps what comes back, and gives all records of a reply one TTL. A hit decodes nothing
 * and waits for nothing.
 * Zone transfers and messages other than queries pass as they are.
 */
export class Cache implements Handler, Tallies {
  readonly name = 'cache';
  readonly role = 'wraps';
  readonly dependsOn = 'question';
  private readonly store: Store;

  constructor(
    private readonly options: CacheOptions,
    private readonly surroundings: CacheSurroundings,
  ) {
    this.store = new Store({ success: options.success.capacity, denial: options.denial.capacity });
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (!this.concerns(query)) return next(query);
    const metrics = this.surroundings.metrics.get(query.client.server);
    metrics.requests.inc();
    const entry = this.store.get(query);
    if (entry !== undefined) {
      const left = entry.timeLeft(query.received);
      if (left > 0) return this.hit(query, next, entry, left, metrics);
      if (entry.mayBeStale && -left < this.options.staleFor) return this.expiredHit(query, next, entry, metrics);
    }
    metrics.misses.inc();
    const outcome = next(query);
    return outcome instanceof Promise
      ? outcome.then((settled) => this.settle(query, settled))
      : this.settle(query, outcome);
  }

  /** A reply of this cache's own counts as a hit, any other as one that the cache was asked for in vain. */
  tally(query: Query, reply: Reply): Tally {
    if (!this.concerns(query)) return () => undefined;
    const metrics = this.surroundings.metrics.get(query.client.server);
    const { standing } = reply;
    if (!(standing instanceof EntryStanding)) {
      return (plain, edns) => {
        metrics.requests.inc(plain + edns);
        metrics.misses.inc(plain + edns);
      };
    }
    const { entry } = standing;
    return (plain, edns) => {
      const now = this.surroundings.clock.monotonic();
      metrics.requests.inc(plain + edns);
      metrics.hits[entry.type].inc(plain + edns);
      this.store.touch(entry, now);
      entry.countHits(now, plain + edns);
    };
  }

  private concerns(query: Query): boolean {
    if ((query.queryFlags & OPCODE_MASK) !== 0 || query.type === Type.AXFR || query.type === Type.IXFR) return false;
    return this.surroundings.everyZone || this.options.zones.contains(query.name);
  }

  private hit(query: Query, next: Next, entry: Entry, left: Seconds, metrics: CacheMetrics): Reply {
    metrics.hits[entry.type].inc();
    this.store.touch(entry, query.received);
    const { prefetch, keepTtl } = this.options;
    if (prefetch !== undefined && entry.countHit(query.received, left, prefetch))
      this.refresh(query, next, entry, metrics);
    return replyFrom(entry, query, keepTtl ? entry.ttl : left, entry.standing(keepTtl, prefetch));
  }

  private expiredHit(query: Query, next: Next, entry: Entry, metrics: CacheMetrics): Outcome | Promise<Outcome> {
    metrics.hits[entry.type].inc();
    this.store.touch(entry, query.received);
    if (!this.options.verifyStale) {
      this.refresh(query, next, entry, metrics);
      return serveStale(query, entry, metrics);
    }
    // Each waits for an outcome of its own: equal questions to an upstream are made one where they are sent.
    const outcome = next(query);
    const verified = (settled: Outcome): Outcome =>
      renews(settled) ? this.settle(query, settled) : serveStale(query, entry, metrics);
    return outcome instanceof Promise ? outcome.then(verified) : verified(outcome);
  }

  /** The outcome as this cache's client gets it; kept where it may be. */
  private settle(query: Query, outcome: Outcome, replaced?: Entry): Outcome {
    if (outcome === DROP || !outcome.written) return outcome;
    const kind = kindOf(outcome, this.surroundings.clock);
    const ttl = ttlOf(outcome, kind, this.options);
    const flags = wantsAuthentic(query) ? outcome.flags : outcome.flags & ~Flag.AD;
    const reply = Reply.ofRecords(flags, outcome.rcode, outcome.records, ttl);
    if (kind !== 'other' && ttl > 0 && !outcome.truncated && this.keep(query, reply, ttl, kind, replaced)) return reply;
    // What this cache leaves alone stays right for as long as its maker says; the TTL that it got here does not
    // change with time.
    return reply.withStanding(outcome.standing);
  }

  /** False where the configuration says that such a reply is not to be kept. */
  private keep(query: Query, reply: Reply, ttl: Seconds, kind: KeptKind, replaced: Entry | undefined): boolean {
    const type = kind === 'answer' || kind === 'referral' ? 'success' : 'denial';
    if (this.options.disabled[type]?.contains(query.name) === true) return false;
    const entry = new Entry(query, reply, ttl, type, kind !== 'failure', this.surroundings.clock.monotonic());
    if (replaced !== undefined) entry.inheritPopularity(replaced);
    const { entries, evictions } = this.surroundings.metrics.get(query.client.server);
    if (this.store.put(entry)) evictions[type].inc();
    entries.success.set(this.store.size('success'));
    entries.denial.set(this.store.size('denial'));
    return true;
  }

  /** Takes back what was promised for kept replies. */
  end(): void {
    this.store.clear();
  }

  /** Has the entry fetched anew after the client has its answer; once at a time. */
  private refresh(query: Query, next: Next, entry: Entry, metrics: CacheMetrics): void {
    if (entry.refreshing) return;
    entry.refreshing = true;
    metrics.prefetches.inc();
    // The client's bytes are the listener's again once it is answered. Over TCP nothing comes back truncated, which
    // could not be kept.
    const again = new Query(Buffer.from(query.bytes), query.context.detached('tcp'));
    queueMicrotask(() => void this.fetchAnew(again, next, entry));
  }

  private async fetchAnew(query: Query, next: Next, entry: Entry): Promise<void> {
    try {
      const outcome = await next(query);
      // A failure does not take the place of what is known (RFC 8767 section 4).
      if (renews(outcome)) this.settle(query, outcome, entry);
    } catch (error) {
      this.surroundings.panics.with().inc();
      this.surroundings.log.error(
        `fetching ${query.name} ${query.typeName} anew: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      entry.refreshing = false;
      query.context.close();
    }
  }
}

/** Whether the outcome says something about the name, rather than that nothing could be found out. */
const renews = (outcome: Outcome): outcome is Reply =>
  outcome !== DROP && outcome.written && (outcome.rcode === Rcode.NOERROR || outcome.rcode === Rcode.NXDOMAIN);

/**
 * A client shows by DO or AD that it understands AD in a reply; others never see it (RFC 6840 sections 5.7 and 5.8).
 */
const wantsAuthentic = (query: Query): boolean => query.do || query.authenticData;

function replyFrom(entry: Entry, query: Query, ttl: Seconds, standing?: EntryStanding): Reply {
  const flags = (entry.flags & Flag.AD) !== 0 && !wantsAuthentic(query) ? entry.flags & ~Flag.AD : entry.flags;
  return Reply.ofRecords(flags, entry.rcode, entry.records, ttl, undefined, standing);
}

function serveStale(query: Query, entry: Entry, metrics: CacheMetrics): Reply {
  metrics.servedStale.inc();
  return replyFrom(entry, query, 0);
}
