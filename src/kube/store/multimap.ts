/**
 * Several values per key. A key with one value, by far the most common case in a cluster, costs no container of its
 * own.
 * Values must not be Sets.
 */
export class MultiMap<Value> {
  private readonly entries = new Map<string, Value | Set<Value>>();

  /** A list of the caller's own, in the order of addition; empty when the key is unknown. */
  get(key: string): Value[] {
    const entry = this.entries.get(key);
    if (entry === undefined) return [];
    return entry instanceof Set ? [...entry] : [entry];
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  /** Number of keys. */
  get size(): number {
    return this.entries.size;
  }

  keys(): MapIterator<string> {
    return this.entries.keys();
  }

  /** Adding a value twice keeps it once. */
  add(key: string, value: Value): void {
    const entry = this.entries.get(key);
    if (entry === undefined) this.entries.set(key, value);
    else if (entry instanceof Set) entry.add(value);
    else if (entry !== value) this.entries.set(key, new Set([entry, value]));
  }

  remove(key: string, value: Value): void {
    const entry = this.entries.get(key);
    if (entry === value) this.entries.delete(key);
    else if (entry instanceof Set && entry.delete(value) && entry.size === 1) {
      const [last] = entry;
      this.entries.set(key, last!);
    }
  }
}
