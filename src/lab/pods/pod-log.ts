import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';

/** Lines that are kept of one pod. */
const CAPACITY = 5000;

/** A line and when it was written. */
export interface LogLine {
  readonly at: Milliseconds;
  readonly text: string;
  /** The run of the program that wrote it, counted from 0. */
  readonly run: number;
}

/** What a pod's program has written: what `kubectl logs` shows. The oldest lines go when there are too many. */
export class PodLog {
  private kept: LogLine[] = [];
  private run = 0;
  private readonly followers = new Set<(line: string) => void>();

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  /** What is written from now on is of the program's next run. */
  restarted(): void {
    this.run++;
  }

  /** Takes whole lines, each closed by a line feed. */
  write(text: string): void {
    const at = this.clock.now();
    for (const line of text.replace(/\n$/, '').split('\n')) {
      this.kept.push({ at, text: line, run: this.run });
      for (const follower of [...this.followers]) follower(line);
    }
    if (this.kept.length > CAPACITY) this.kept = this.kept.slice(-CAPACITY);
  }

  /** Lines since a time, of one run or of all, the newest of them when a number is given. */
  lines({
    count,
    since = -Infinity,
    run,
  }: {
    readonly count?: number | undefined;
    readonly since?: Milliseconds | undefined;
    readonly run?: number | undefined;
  } = {}): readonly LogLine[] {
    const meant = this.kept.filter((line) => line.at >= since && (run === undefined || line.run === run));
    return count === undefined ? meant : count === 0 ? [] : meant.slice(-count);
  }

  /** The newest lines. */
  tail(count: number): readonly string[] {
    return this.lines({ count }).map(({ text }) => text);
  }

  /** Tells each line from now on; returns the function that ends it. */
  follow(follower: (line: string) => void): () => void {
    this.followers.add(follower);
    return () => void this.followers.delete(follower);
  }
}
