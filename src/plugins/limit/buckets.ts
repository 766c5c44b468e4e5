import { RecencyList, type Listed } from '../../lib/recency-list.js';
import type { Milliseconds } from '../../lib/units.js';

/** How many queries a second on average, and how many at once after a pause. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

class Bucket implements Listed<Bucket> {
  older: Bucket | undefined = undefined;
  newer: Bucket | undefined = undefined;
  listed = false;

  constructor(
    readonly key: string,
    public tokens: number,
    public filled: Milliseconds,
  ) {}
}

/** A token bucket for each key, at a fixed cost a query. So many keys are known at most; the idlest is forgotten. */
export class Buckets {
  private readonly byKey = new Map<string, Bucket>();
  private readonly order = new RecencyList<Bucket>();

  constructor(
    private readonly rate: Rate,
    private readonly most: number,
  ) {}

  get size(): number {
    return this.byKey.size;
  }

  /** Takes a token of `key` at the monotonic time `now`; false when there is none. */
  take(key: string, now: Milliseconds): boolean {
    const { perSecond, burst } = this.rate;
    let bucket = this.byKey.get(key);
    if (bucket === undefined) {
      if (this.byKey.size >= this.most) this.forget(this.order.oldest!);
      bucket = new Bucket(key, burst, now);
      this.byKey.set(key, bucket);
      this.order.add(bucket);
    } else this.order.touch(bucket);
    // A query may have arrived before one that was looked at earlier.
    const passed = Math.max(0, now - bucket.filled);
    bucket.tokens = Math.min(burst, bucket.tokens + (passed * perSecond) / 1000);
    bucket.filled += passed;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  private forget(bucket: Bucket): void {
    this.order.remove(bucket);
    this.byKey.delete(bucket.key);
  }
}
