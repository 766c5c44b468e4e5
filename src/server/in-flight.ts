/**
 * One configuration's life as far as its queries are concerned: it ends only after the last one that waits is
 * answered.
 */
export class InFlight {
  private count = 0;
  private readonly idle: (() => void)[] = [];

  get size(): number {
    return this.count;
  }

  enter(): void {
    this.count++;
  }

  leave(): void {
    this.count--;
    if (this.count === 0) for (const wake of this.idle.splice(0)) wake();
  }

  /** Resolves when nothing is in flight. */
  settled(): Promise<void> {
    return this.count === 0 ? Promise.resolve() : new Promise((resolve) => this.idle.push(resolve));
  }
}
