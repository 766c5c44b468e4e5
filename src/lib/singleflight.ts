/**
 * Lets callers that ask for the same key at the same time share one piece of work. Nothing is kept once the work has
 * settled.
 */
export class Singleflight<Key, Value> {
  private readonly running = new Map<Key, Promise<Value>>();

  run(key: Key, work: () => Promise<Value>): Promise<Value> {
    const current = this.running.get(key);
    if (current) return current;
    const started = work().finally(() => this.running.delete(key));
    this.running.set(key, started);
    return started;
  }

  get size(): number {
    return this.running.size;
  }
}
