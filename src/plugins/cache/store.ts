import { LRUCache } from 'lru-cache';
import type { Query } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Name } from '../../wire/index.js';
import type { ByteBudget } from './byte-budget.js';
import { variantOf, type Entry } from './entry.js';
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
  private readonly variants = new Map<number, Map<Name, Entry>>();
  private readonly order: Readonly<Record<CacheType, LRUCache<Entry, Entry>>>;

  /**
   * @param capacity greatest number of entries, at least 1 each
   * @param budget what the entries, and those of other caches, may take in bytes
   */
  constructor(
    capacity: Readonly<Record<CacheType, number>>,
    private readonly budget: ByteBudget,
  ) {
    const bounded = (max: number): LRUCache<Entry, Entry> =>
      new LRUCache({
        max,
        dispose: (entry, _key, reason) => {
          budget.remove(entry.size);
          if (reason === 'evict') this.unlink(entry);
        },
      });
    this.order = { success: bounded(capacity.success), denial: bounded(capacity.denial) };
  }

  /** The entry for this question, expired or not. */
  get(query: Query): Entry | undefined {
    return this.variants.get(variantOf(query))?.get(query.name);
  }

  /** Notes that the entry was used at `now` (monotonic). */
  touch(entry: Entry, now: Milliseconds): void {
    if (now - entry.touched < TOUCH_INTERVAL) return;
    entry.touched = now;
    this.order[entry.type].get(entry);
  }

  /** Keeps the entry in place of any other for its question. Returns how many for other questions had to leave. */
  put(entry: Entry): number {
    const names = this.namesOf(entry.variant);
    const previous = names.get(entry.name);
    if (previous !== undefined) {
      this.order[previous.type].delete(previous);
      previous.leave();
    }
    names.set(entry.name, entry);
    const order = this.order[entry.type];
    let left = order.size === order.max ? 1 : 0;
    this.budget.add(entry.size);
    order.set(entry, entry);
    for (; this.budget.isExceeded && this.leaveOne(entry.type); left++);
    return left;
  }

  /** All entries leave: the cache ends. */
  clear(): void {
    for (const order of Object.values(this.order)) {
      for (const entry of order.keys()) entry.leave();
      order.clear();
    }
    this.variants.clear();
  }

  size(type: CacheType): number {
    return this.order[type].size;
  }

  /** Lets the least recently used entry go, of this type while it has others; false when there is none. */
  private leaveOne(type: CacheType): boolean {
    const own = this.order[type];
    const other = this.order[type === 'success' ? 'denial' : 'success'];
    return (own.size > 1 ? own.pop() : (other.pop() ?? own.pop())) !== undefined;
  }

  private namesOf(variant: number): Map<Name, Entry> {
    let names = this.variants.get(variant);
    if (names === undefined) {
      names = new Map();
      this.variants.set(variant, names);
    }
    return names;
  }

  private unlink(entry: Entry): void {
    entry.leave();
    const names = this.variants.get(entry.variant)!;
    names.delete(entry.name);
    // Types and classes are the client's choice: a map that stayed behind for each would be a leak.
    if (names.size === 0) this.variants.delete(entry.variant);
  }
}
