/** Lines that are kept of one pod. */
const CAPACITY = 5000;

/** What a pod's program has written: what `kubectl logs` shows. The oldest lines go when there are too many. */
export class PodLog {
  private lines: string[] = [];
  private dropped = 0;
  private readonly followers = new Set<(line: string) => void>();

  /** Takes whole lines, each closed by a line feed. */
  write(text: string): void {
    for (const line of text.replace(/\n$/, '').split('\n')) {
      this.lines.push(line);
      for (const follower of [...this.followers]) follower(line);
    }
    if (this.lines.length <= CAPACITY) return;
    this.dropped += this.lines.length - CAPACITY;
    this.lines = this.lines.slice(-CAPACITY);
  }

  /** The newest lines, all when no number is given. */
  tail(count?: number): readonly string[] {
    return count === undefined ? [...this.lines] : count === 0 ? [] : this.lines.slice(-count);
  }

  /** Lines since the mark, and the mark for the next time. */
  since(mark: number): { readonly lines: readonly string[]; readonly mark: number } {
    const total = this.dropped + this.lines.length;
    return { lines: this.lines.slice(Math.max(0, mark - this.dropped)), mark: total };
  }

  /** Tells each line from now on; returns the function that ends it. */
  follow(follower: (line: string) => void): () => void {
    this.followers.add(follower);
    return () => void this.followers.delete(follower);
  }
}
