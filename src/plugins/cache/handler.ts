import {
  Query,
  Reply,
  Zones,
  type Handler,
  type Next,
  type Outcome,
  type PerServer,
  type CountsHits,
  type HandsOver,
  type TakesChanges,
  type HitCounter,
  type CacheNote,
  type Transport,
} from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import type { Family, Value } from '../../metrics/metrics.js';
import {
  ExtendedErrorCode,
  Flag,
  OPCODE_MASK,
  Rcode,
  Type,
  ednsWith,
  extendedError,
  type Name,
} from '../../wire/index.js';
import { dumpOf, readDump, readDumpText, writeDump } from './dump.js';
import { Dependents, namesOf } from './dependents.js';
import { CacheEntry, EntryLease, keptOf } from './entry.js';
import { isKept, kindOf, ttlOf, type KeptKind } from './lifetime.js';
import type { CacheMetrics } from './metrics.js';
import type { CacheOptions, CacheType, StalePolicy } from './options.js';
import { RecentChanges } from './recent-changes.js';
import { Store } from './store.js';
import type { ByteBudget } from './byte-budget.js';

/** Who sent an OPT record is told that an answer is past its time (RFC 8914 sections 4.4 and 4.20). */
const STALE_ANSWER = ednsWith(extendedError(ExtendedErrorCode.StaleAnswer));
const STALE_NXDOMAIN = ednsWith(extendedError(ExtendedErrorCode.StaleNxdomain));
/** EDNS option of RFC 7871. */
const CLIENT_SUBNET = 8;

/** Replies that a process is given that takes this one's place: it takes a tenth of a second. */
const MOST_HANDED_OVER = 10_000;

/** What the cache needs from the block it stands in. */
export interface CacheSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  /** What this cache and all others of the server may keep. */
  readonly budget: ByteBudget;
  readonly metrics: PerServer<CacheMetrics>;
  /** Counts faults of handlers in background refreshes, which the server does not see. */
  readonly panics: Family<Value>;
  /** Tells it from the other caches of the configuration. */
  readonly keptAs: string;
  /** The cache's zones cover every name that can reach it. */
  readonly everyZone: boolean;
}

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
  private readonly changes = new RecentChanges();

  constructor(
    private readonly options: CacheOptions,
    private readonly surroundings: CacheSurroundings,
  ) {
    const { success, denial } = options;
    this.store = new Store({ success: success.capacity, denial: denial.capacity }, surroundings.budget);
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
      return this.staleReply(query, chosen);
    };
    if (stale?.verify !== true) return given();
    const verified = Promise.resolve(next(query)).then((outcome) =>
      this.renews(outcome, query) ? this.settle(query, outcome) : undefined,
    );
    const waited = stale.verifyTimeout === 0 ? verified : this.inTime(query, verified, stale.verifyTimeout);
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
  hitCounter(query: Query, reply: Reply): HitCounter {
    if (!this.concerns(query)) return () => undefined;
    const metrics = this.surroundings.metrics.get(query.client.server);
    const lease = reply.lease?.origin;
    if (!(lease instanceof EntryLease)) {
      return (plain, edns) => {
        metrics.requests.inc(plain + edns);
        metrics.misses.inc(plain + edns);
      };
    }
    const { entry } = lease;
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

  private hit(query: Query, next: Next, entry: CacheEntry, left: Seconds, metrics: CacheMetrics): Reply {
    metrics.hits[entry.type].inc();
    const { prefetch, keepTtl } = this.options;
    if (prefetch !== undefined && entry.countHit(query.received, left, prefetch))
      this.refresh(query, next, entry, metrics);
    return replyFrom(entry, query, keepTtl ? entry.ttl : left, entry.lease(keepTtl, prefetch));
  }

  private expiredHit(query: Query, next: Next, entry: CacheEntry, metrics: CacheMetrics): Outcome | Promise<Outcome> {
    metrics.hits[entry.type].inc();
    const policy = this.options.stale!;
    if (!policy.verify) this.refresh(query, next, entry, metrics, policy.recheck);
    else if (policy.recheck === 0 || mayRefresh(entry, query.received))
      return this.verify(query, next, entry, metrics, policy);
    return this.serveStale(query, entry, metrics);
  }

  /**
   * Asks, and falls back on the entry when that fails or takes too long. Each client waits for an outcome of its own
   * unless there is a time between attempts: equal questions to an upstream are made one where they are sent.
   */
  private verify(query: Query, next: Next, entry: CacheEntry, metrics: CacheMetrics, policy: StalePolicy) {
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
    const stale = (): Reply => this.serveStale(query, entry, metrics);
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
  private inTime(query: Query, outcome: Promise<Outcome | undefined>, limit: Milliseconds) {
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

  private serveStale(query: Query, entry: CacheEntry, metrics: CacheMetrics): Reply {
    metrics.servedStale.inc();
    const left = entry.timeLeft(query.received);
    query.context.trail?.note({ kind: 'cache', plugin: 'cache', state: 'stale', age: entry.ttl - left, left });
    return this.staleReply(query, entry);
  }

  private staleReply(query: Query, entry: CacheEntry): Reply {
    const { stale, keepTtl } = this.options;
    const reply = replyFrom(entry, query, stale!.ttl > 0 || !keepTtl ? stale!.ttl : entry.ttl);
    return query.hasEdns ? reply.withEdns(entry.rcode === Rcode.NXDOMAIN ? STALE_NXDOMAIN : STALE_ANSWER) : reply;
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
      entry.lastGood = before?.answers === true ? before : before?.lastGood;
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

  /** Takes back what was promised for kept replies. */
  end(): void {
    if (this.options.persist !== undefined) this.save(this.options.persist);
    this.store.clear();
  }

  /** Takes in what was saved by an earlier process, where there is something: entries keep the time they have left. */
  load(file: string): void {
    this.takeIn(file, (...how) => readDump(file, ...how));
  }

  /** Goes on with what another process has handed over. */
  takeOver(text: string): void {
    const from = 'the process before this one';
    this.takeIn(from, (...how) => readDumpText(from, text, ...how));
  }

  /** The entries that were used last. */
  handOver(): string {
    return dumpOf(this.surroundings.clock, [...this.store.all()].slice(-MOST_HANDED_OVER));
  }

  private takeIn(
    from: string,
    read: (clock: Clock, maxStale: Seconds, longest: Seconds, keep: (entry: CacheEntry) => void) => number,
  ): void {
    const { clock, log } = this.surroundings;
    try {
      const { success, denial } = this.options;
      const largest = Math.max(success.maxTtl, denial.maxTtl);
      const count = read(clock, this.options.stale?.maxAge ?? 0, largest, (entry) => this.store.put(entry));
      log.info(`${count} replies from ${from}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.warning(`starting empty: ${(error as Error).message}`);
    }
  }

  private save(file: string): void {
    const { clock, log } = this.surroundings;
    try {
      writeDump(file, clock, this.store.all());
    } catch (error) {
      log.error(`not saved: ${(error as Error).message}`);
    }
  }

  /** Has the entry fetched anew after the client has its answer; once at a time, and not within `recheck` of a failure. */
  private refresh(query: Query, next: Next, entry: CacheEntry, metrics: CacheMetrics, recheck: Milliseconds = 0): void {
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
    entry.retryAt = renewed || recheck === 0 ? -Infinity : this.surroundings.clock.monotonic() + recheck;
  }

  /** A fault behind the clients' backs. */
  private told(query: Query, error: unknown): void {
    this.surroundings.panics.with().inc();
    const text = error instanceof Error ? error.message : String(error);
    this.surroundings.log.error(`fetching ${query.name} ${query.typeName} anew: ${text}`);
  }

  /** Whether the outcome says something about the name, rather than that nothing could be found out. */
  private renews(outcome: Outcome, query: Query): boolean {
    if (!(outcome instanceof Reply) || !outcome.written) return false;
    if (this.options.preferPositive)
      return (
        !outcome.truncated && outcome.answerCount > 0 && kindOf(outcome, query, this.surroundings.clock) === 'answer'
      );
    return outcome.rcode === Rcode.NOERROR || outcome.rcode === Rcode.NXDOMAIN;
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

const mayRefresh = (entry: CacheEntry, now: Milliseconds): boolean => !entry.refreshing && now >= entry.retryAt;

const copyOf = (query: Query, transport: Transport): Query =>
  new Query(Buffer.from(query.bytes), query.context.detached(transport));

/**
 * A client shows by DO or AD that it understands AD in a reply; others never see it (RFC 6840 sections 5.7 and 5.8).
 */
const wantsAuthentic = (query: Query): boolean => query.do || query.authenticData;

function replyFrom(entry: CacheEntry, query: Query, ttl: Seconds, lease?: EntryLease): Reply {
  const flags = (entry.flags & Flag.AD) !== 0 && !wantsAuthentic(query) ? entry.flags & ~Flag.AD : entry.flags;
  return Reply.ofRecords(flags, entry.rcode, entry.records, ttl, undefined, lease);
}
