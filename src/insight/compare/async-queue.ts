/** What comes, for whoever asks for it one after the other. */
export class AsyncQueue<T> implements AsyncIterable<T> {
  private readonly held: T[] = [];
  private wake: (() => void) | undefined;
  private ended = false;
  /** How many were left out, as there was no room. */
  lost = 0;

  constructor(private readonly most: number) {}

  push(value: T): void {
    if (this.held.length >= this.most) this.lost++;
    else this.held.push(value);
    this.wake?.();
  }

  /** What is held is still handed out. */
  end(): void {
    this.ended = true;
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      const value = this.held.shift();
      if (value !== undefined) yield value;
      else if (this.ended) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
