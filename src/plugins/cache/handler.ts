import type { Query } from '../../chain/index.js';
import {
  Reply,
  Zones,
  type Handler,
  type Next,
  type Outcome,
  type CountsHits,
  type HandsOver,
  type TakesChanges,
  type HitCounter,
  type CacheNote,
} from '../../chain/index.js';
import type { Seconds } from '../../lib/units.js';
import { Flag, OPCODE_MASK, Type, type Name } from '../../wire/index.js';
import { Dependents, namesOf } from './dependents.js';
import { CacheEntry, keptOf } from './entry.js';
import { isKept, kindOf, ttlOf, type KeptKind } from './lifetime.js';
import type { CacheMetrics } from './metrics.js';
import type { CacheOptions, CacheType } from './options.js';
import { Persistence } from './persistence.js';
import { RecentChanges } from './recent-changes.js';
import { Renewal, mayRefresh } from './renewal.js';
import { replyFrom, staleReplyFrom, wantsAuthentic } from './replies.js';
import { Store } from './store.js';
import type { CacheSurroundings } from './surroundings.js';

/** EDNS option of RFC 7871. */
const CLIENT_SUBNET = 8;

const NOTHING: HitCounter = () => undefined;

/**
 * Answers from kept replies, keeps what comes back, and gives all records of a reply one TTL. A hit decodes nothing
 * and waits for nothing.
 * Zone transfers and messages other than queries pass as they are.
 */
export class Cache implements Handler, CountsHits, HandsOver, TakesChanges {
  readonly name = 'cache';
  readonly role = 'wraps';
  readonly dependsOn = 'question';
  private readonly store: Store;
  private readonly persistence: Persistence;
  private readonly renewal: Renewal;
  private readonly changes = new RecentChanges();
  private readonly hitCounters = new Map<CacheMetrics, HitCounter>();

  constructor(
    private readonly options: CacheOptions,
    private readonly surroundings: CacheSurroundings,
  ) {
    const { success, denial } = options;
    this.store = new Store({ success: success.capacity, denial: denial.capacity }, surroundings.budget);
    this.persistence = new Persistence(this.store, options, surroundings);
    this.renewal = new Renewal(options, surroundings, (query, outcome, replaced) =>
      this.settle(query, outcome, replaced),
    );
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (query.context.inspects) return this.inspect(query, next);
    if (!this.concerns(query)) return next(query);
    const metrics = this.surroundings.metrics.get(query.client.server);
    metrics.requests.inc();
    const entry = this.store.get(query);
    if (entry !== undefined) {
      const chosen = entry.lastGood !== undefined && this.isUseful(entry.lastGood, query) ? entry.lastGood : entry;
      const left = chosen.timeLeft(query.received);
      if (left > 0) {
        this.store.touch(entry, query.received);
        return this.hit(query, next, chosen, left, metrics);
      }
      if (this.isUseful(chosen, query)) {
        this.store.touch(entry, query.received);
        return this.expiredHit(query, next, chosen, metrics);
      }
    }
    metrics.misses.inc();
    const outcome = next(query);
    return outcome instanceof Promise
      ? outcome.then((settled) => this.settle(query, settled))
      : this.settle(query, outcome);
  }

  /** As `handle`, for a query of no client: nothing is counted, kept or fetched anew for it. */
  private inspect(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { trail } = query.context;
    const tell = (note: Omit<CacheNote, 'kind' | 'plugin'>): void =>
      trail?.note({ kind: 'cache', plugin: 'cache', ...note });
    if (!this.concerns(query)) {
      tell({ state: 'bypassed' });
      return next(query);
    }
    const { stale, keepTtl } = this.options;
    const entry = this.store.get(query);
    const chosen = entry?.lastGood !== undefined && this.isUseful(entry.lastGood, query) ? entry.lastGood : entry;
    if (chosen === undefined || !this.isUseful(chosen, query))
      return this.passOn(query, next, (what) =>
        tell(what === undefined ? { state: 'miss' } : { state: 'disabled', what }),
      );
    const left = chosen.timeLeft(query.received);
    const times = { age: chosen.ttl - left, left };
    if (left > 0) {
      tell({ state: 'hit', ...times });
      return replyFrom(chosen, query, keepTtl ? chosen.ttl : left, chosen.lease(keepTtl, this.options.prefetch));
    }
    const given = (): Reply => {
      tell({ state: 'stale', ...times });
      return staleReplyFrom(chosen, query, this.options);
    };
    if (stale?.verify !== true) return given();
    const verified = Promise.resolve(next(query)).then((outcome) =>
      this.renewal.renews(outcome, query) ? this.settle(query, outcome) : undefined,
    );
    const waited = stale.verifyTimeout === 0 ? verified : this.renewal.inTime(query, verified, stale.verifyTimeout);
    return waited.then((settled) => settled ?? given());
  }

  /** Asks on; `told` hears which kind of replies is not kept for this name, where the outcome is one. */
  private passOn(query: Query, next: Next, told: (disabled?: CacheType) => void): Outcome | Promise<Outcome> {
    const settle = (outcome: Outcome): Outcome => {
      const kind = outcome instanceof Reply ? kindOf(outcome, query, this.surroundings.clock) : undefined;
      const type = kind !== undefined && isKept(kind) ? typeOf(kind) : undefined;
      told(type !== undefined && this.options.disabled[type]?.contains(query.name) === true ? type : undefined);
      return this.settle(query, outcome);
    };
    const outcome = next(query);
    return outcome instanceof Promise ? outcome.then(settle) : settle(outcome);
  }

  /** Whether the entry may be given still. */
  private isUseful(entry: CacheEntry, query: Query): boolean {
    const left = entry.timeLeft(query.received);
    return left > 0 || entry.isStale(left, this.options.stale?.maxAge ?? 0);
  }

  /** A reply of this cache's own counts as a hit, any other as one that the cache was asked for in vain. */
  hitCounter(query: Query): HitCounter {
    if (!this.concerns(query)) return NOTHING;
    const metrics = this.surroundings.metrics.get(query.client.server);
    const counter = this.hitCounters.get(metrics) ?? this.hitCounterOf(metrics);
    this.hitCounters.set(metrics, counter);
    return counter;
  }

  /** One for all that is counted there. */
  private hitCounterOf(metrics: CacheMetrics): HitCounter {
    return (plain, edns, lease) => {
      const entry = lease?.origin;
      metrics.requests.inc(plain + edns);
      if (!(entry instanceof CacheEntry)) return metrics.misses.inc(plain + edns);
      const now = this.surroundings.clock.monotonic();
      metrics.hits[entry.type].inc(plain + edns);
      this.store.touch(entry, now);
      if (this.options.prefetch !== undefined) entry.countHits(now, plain + edns);
    };
  }

  private concerns(query: Query): boolean {
    if ((query.queryFlags & OPCODE_MASK) !== 0 || query.type === Type.AXFR || query.type === Type.IXFR) return false;
    return this.surroundings.everyZone || this.options.zones.contains(query.name);
  }

  private hit(query: Query, next: Next, entry: CacheEntry, left: Seconds, metrics: CacheMetrics): Reply {
    metrics.hits[entry.type].inc();
    const { prefetch, keepTtl } = this.options;
    if (prefetch !== undefined && entry.countHit(query.received, left, prefetch))
      this.renewal.refresh(query, next, entry, metrics);
    return replyFrom(entry, query, keepTtl ? entry.ttl : left, entry.lease(keepTtl, prefetch));
  }

  private expiredHit(query: Query, next: Next, entry: CacheEntry, metrics: CacheMetrics): Outcome | Promise<Outcome> {
    metrics.hits[entry.type].inc();
    const policy = this.options.stale!;
    if (!policy.verify) this.renewal.refresh(query, next, entry, metrics, policy.recheck);
    else if (policy.recheck === 0 || mayRefresh(entry, query.received))
      return this.renewal.verify(query, next, entry, policy, () => this.serveStale(query, entry, metrics));
    return this.serveStale(query, entry, metrics);
  }

  private serveStale(query: Query, entry: CacheEntry, metrics: CacheMetrics): Reply {
    metrics.servedStale.inc();
    const left = entry.timeLeft(query.received);
    query.context.trail?.note({ kind: 'cache', plugin: 'cache', state: 'stale', age: entry.ttl - left, left });
    return staleReplyFrom(entry, query, this.options);
  }

  /** The outcome as this cache's client gets it; kept where it may be. */
  private settle(query: Query, outcome: Outcome, replaced?: CacheEntry): Outcome {
    if (!(outcome instanceof Reply) || !outcome.written) return outcome;
    const kind = kindOf(outcome, query, this.surroundings.clock);
    if (kind === 'incomplete') this.surroundings.metrics.get(query.client.server).drops.inc();
    const ttl = ttlOf(outcome, kind, this.options);
    const flags = wantsAuthentic(query) ? outcome.flags : outcome.flags & ~Flag.AD;
    const reply = Reply.ofRecords(flags, outcome.rcode, outcome.records, ttl);
    if (isKept(kind) && ttl > 0 && !outcome.truncated && this.keep(query, reply, ttl, kind, replaced)) return reply;
    // What this cache leaves alone stays right for as long as its maker says; the TTL that it got here does not
    // change with time.
    return reply.withLease(outcome.lease);
  }

  /** False where the configuration says that such a reply is not to be kept. */
  private keep(query: Query, reply: Reply, ttl: Seconds, kind: KeptKind, replaced: CacheEntry | undefined): boolean {
    const type = typeOf(kind);
    if (query.context.inspects || isForAsker(query, kind)) return false;
    // It may have been on its way when its name changed.
    if (this.changes.concern(namesOf(query.name, reply.records), query.received)) return false;
    if (this.options.disabled[type]?.contains(query.name) === true) {
      query.context.trailSoFar?.note({ kind: 'cache', plugin: 'cache', state: 'disabled', what: type });
      return false;
    }
    const entry = new CacheEntry(keptOf(query, reply), ttl, type, kind, this.surroundings.clock.monotonic());
    if (replaced !== undefined) entry.inheritPopularity(replaced);
    // A failure says nothing about the name (RFC 8767 section 4); the policy takes denials for no more than that.
    if (!entry.answers && (kind === 'failure' || this.options.preferPositive)) {
      const before = this.store.get(query);
      // What leaves with the entry before takes back its promise.
      entry.lastGood = (before?.answers === true ? before : before?.lastGood)?.again();
    }
    const { entries, evictions } = this.surroundings.metrics.get(query.client.server);
    const left = this.store.put(entry);
    if (left > 0) evictions[type].inc(left);
    entries.success.set(this.store.size('success'));
    entries.denial.set(this.store.size('denial'));
    return true;
  }

  get keptAs(): string {
    return this.surroundings.keptAs;
  }

  expectChanges(zone: Name): void {
    const { store } = this;
    const zones = new Zones([...(store.dependents?.zones.list ?? []), zone]);
    store.dependents = new Dependents(zones);
    for (const entry of store.all()) store.dependents.add(entry);
  }

  namesChanged(names: readonly Name[]): void {
    const now = this.surroundings.clock.monotonic();
    for (const name of names) {
      this.changes.add(name, now);
      this.store.forget(name);
    }
  }

  /** Takes in what was saved by an earlier process, where there is something: entries keep the time they have left. */
  load(file: string): void {
    this.persistence.load(file);
  }

  takeOver(text: string): void {
    this.persistence.takeOver(text);
  }

  handOver(): string {
    return this.persistence.handOver();
  }

  /** Takes back what was promised for kept replies. */
  end(): void {
    if (this.options.persist !== undefined) this.persistence.save(this.options.persist);
    this.store.clear();
  }
}

/**
 * Whether the reply is for those who ask with the same EDNS options only: one to a client subnet is for that subnet
 * (RFC 7871 section 7.3.1), and an upstream may have failed or refused because of an option that others do not send.
 */
function isForAsker(query: Query, kind: KeptKind): boolean {
  if (!query.hasEdns) return false;
  const options = query.ednsOptions;
  return kind === 'failure' ? options.length > 0 : options.some(({ code }) => code === CLIENT_SUBNET);
}

/** Which half of the cache keeps it. */
const typeOf = (kind: KeptKind): CacheType => (kind === 'answer' || kind === 'referral' ? 'success' : 'denial');
