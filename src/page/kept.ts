/** What the browser keeps for the page, as JSON. Where it keeps nothing (private windows), the page works without. */

/** undefined where there is nothing, or nothing that can be read. */
export function read<Value>(store: () => Storage, key: string): Value | undefined {
  try {
    const text = store().getItem(key);
    return text === null ? undefined : (JSON.parse(text) as Value);
  } catch {
    return undefined;
  }
}

export function keep(store: () => Storage, key: string, value: unknown): void {
  try {
    store().setItem(key, JSON.stringify(value));
  } catch {
    // Full, or not allowed.
  }
}
