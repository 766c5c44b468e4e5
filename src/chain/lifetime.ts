/**
 * How long something goes on that queries depend on: a client's connection, a configuration. Cheaper than an
 * AbortSignal, which only those get that ask for one.
 */
export class Lifetime {
  private listeners: Set<(reason: Error) => void> | undefined;
  private reason: Error | undefined;

  /** Why it ended; undefined while it goes on. */
  get ended(): Error | undefined {
    return this.reason;
  }

  /** Number of those who are to be told. */
  get watched(): number {
    return this.listeners?.size ?? 0;
  }

  /** Ends it and tells everybody once. Does nothing the second time. */
  end(reason: Error): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    const { listeners } = this;
    this.listeners = undefined;
    listeners?.forEach((listener) => listener(reason));
  }

  /** Tells `listener` when it ends, at once where it has; the returned function takes that back. */
  onEnd(listener: (reason: Error) => void): () => void {
    if (this.reason !== undefined) {
      listener(this.reason);
      return () => undefined;
    }
    (this.listeners ??= new Set()).add(listener);
    return () => void this.listeners?.delete(listener);
  }
}
