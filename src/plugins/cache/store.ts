import type { Query } from '../../chain/index.js';
import { RecencyList } from '../../lib/recency-list.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Name } from '../../wire/index.js';
import type { ByteBudget } from './byte-budget.js';
import type { Dependents } from './dependents.js';
import { variantOf, type CacheEntry } from './entry.js';
import type { CacheType } from './options.js';

/**
 * Hits closer together than this leave the eviction order alone: an often asked entry pays for its place once a
 * second.
 */
const TOUCH_INTERVAL: Milliseconds = 1000;

/**
 * The kept replies, at most one per question, bounded per type. A question is found through a map per variant (type,
 * class, DO, CD), so that
 * the name is the key as it stands and no key is built per query; the least recently used entry leaves when its type
 * is full.
 * Nothing leaves because of its age.
 */
export class Store {
  private readonly variants = new Map<number, Map<Name, CacheEntry>>();
  private readonly order: Readonly<Record<CacheType, RecencyList<CacheEntry>>> = {
    success: new RecencyList(),
    denial: new RecencyList(),
  };

  /** Finds those that a change concerns; undefined while nobody tells of any. */
  dependents: Dependents | undefined;
  private readonly unregister: () => void;

  /**
   * @param capacity greatest number of entries, at least 1 each
   * @param budget what the entries, and those of other caches, may take in bytes
   */
  constructor(
    private readonly capacity: Readonly<Record<CacheType, number>>,
    private readonly budget: ByteBudget,
  ) {
    this.unregister = budget.register(() => this.leaveOne('success'));
  }

  /** The entry for this question, expired or not. */
  get(query: Query): CacheEntry | undefined {
    return this.variants.get(variantOf(query))?.get(query.name);
  }

  /** Notes that the entry was used at `now` (monotonic). */
  touch(entry: CacheEntry, now: Milliseconds): void {
    if (now - entry.touched < TOUCH_INTERVAL) return;
    entry.touched = Math.floor(now);
    this.order[entry.type].touch(entry);
  }

  /** Keeps the entry in place of any other for its question. Returns how many for other questions had to leave. */
  put(entry: CacheEntry): number {
    const names = this.namesOf(entry.variant);
    const previous = names.get(entry.name);
    if (previous !== undefined) this.drop(previous);
    names.set(entry.name, entry);
    const order = this.order[entry.type];
    let left = 0;
    if (order.size >= this.capacity[entry.type]) {
      this.evict(order.oldest!);
      left++;
    }
    this.budget.add(entry.size);
    order.add(entry);
    this.dependents?.add(entry);
    for (; this.budget.isExceeded && this.leaveOne(entry.type); left++);
    return left;
  }

  /** All entries leave: the cache ends. */
  clear(): void {
    this.unregister();
    for (const order of Object.values(this.order)) while (order.oldest !== undefined) this.drop(order.oldest);
    this.variants.clear();
  }

  /** All entries, those of a type that were used least recently first. */
  *all(): Generator<CacheEntry> {
    for (const order of Object.values(this.order))
      for (let entry = order.oldest; entry !== undefined; entry = entry.newer) yield entry;
  }

  /** Those that a change concerns leave. Returns how many. */
  forget(changed: Name): number {
    const concerned = this.dependents?.of(changed) ?? [];
    for (const entry of concerned) this.evict(entry);
    return concerned.length;
  }

  size(type: CacheType): number {
    return this.order[type].size;
  }

  /** Lets the least recently used entry go, of this type while it has others; false when there is none. */
  private leaveOne(type: CacheType): boolean {
    const own = this.order[type];
    const other = this.order[type === 'success' ? 'denial' : 'success'];
    const oldest = own.size > 1 ? own.oldest : (other.oldest ?? own.oldest);
    if (oldest !== undefined) this.evict(oldest);
    return oldest !== undefined;
  }

  private namesOf(variant: number): Map<Name, CacheEntry> {
    let names = this.variants.get(variant);
    if (names === undefined) {
      names = new Map();
      this.variants.set(variant, names);
    }
    return names;
  }

  /** Takes the entry out of the order; what it promised ends. */
  private drop(entry: CacheEntry): void {
    this.order[entry.type].remove(entry);
    this.budget.remove(entry.size);
    this.dependents?.remove(entry);
    entry.leave();
  }

  private evict(entry: CacheEntry): void {
    this.drop(entry);
    const names = this.variants.get(entry.variant)!;
    names.delete(entry.name);
    // Types and classes are the client's choice: a map that stayed behind for each would be a leak.
    if (names.size === 0) this.variants.delete(entry.variant);
  }
}
