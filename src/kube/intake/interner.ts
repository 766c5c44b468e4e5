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
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size >= POOL) this.texts.clear();
    this.texts.set(text, text);
    return text;
  }

  /** The value that has this key: the one known, or what `make` gives. Keys are of one sort in each interner. */
  keyed<T extends object>(key: string, make: () => T): T {
    const known = this.values.get(key) as T | undefined;
    if (known !== undefined) return known;
    if (this.values.size >= POOL) this.values.clear();
    const value = make();
    this.values.set(key, value);
    return value;
  }

  /** For plain data only: values with the same JSON text become the same object. Never alter what this returns. */
  value<T extends object>(value: T): T {
    return this.keyed(JSON.stringify(value), () => value);
  }
}
