/** Distinct values remembered before the pool starts anew. Only sharing is lost then: values handed out stay valid. */
const POOL = 4096;

/**
 * Makes equal values one value. Objects of a cluster repeat few namespaces, port lists and node names thousands of
 * times;
 * without sharing, each parsed object would hold copies of its own.
 */
export class Interner {
  private readonly texts = new Map<string, string>();
  private readonly values = new Map<string, unknown>();

  text(text: string): string {
    return pooled(this.texts, text, () => text);
  }

  /** The value that has this key: the one known, or what `make` gives. Keys are of one sort in each interner. */
  keyed<T extends object>(key: string, make: () => T): T {
    return pooled(this.values as Map<string, T>, key, make);
  }

  /** For plain data only: values with the same JSON text become the same object. Never alter what this returns. */
  value<T extends object>(value: T): T {
    return this.keyed(JSON.stringify(value), () => value);
  }
}

/** What the pool has for this key, or else what `make` gives, from now on. */
function pooled<T>(pool: Map<string, T>, key: string, make: () => T): T {
  const known = pool.get(key);
  if (known !== undefined) return known;
  if (pool.size >= POOL) pool.clear();
  const value = make();
  pool.set(key, value);
  return value;
}
