import type { Clock, Timer } from '../../lib/clock.js';
import { formatDuration } from '../../lib/duration.js';
import type { GoRegExp } from '../../lib/go-regexp.js';
import type { Milliseconds } from '../../lib/units.js';

/** Counts the errors that match a pattern and writes one line for all that came within `period` of the first. */
export class Consolidation {
  private count = 0;
  private timer: Timer | undefined;

  constructor(
    private readonly period: Milliseconds,
    private readonly pattern: GoRegExp,
    private readonly write: (line: string) => void,
  ) {}

  matches(text: string): boolean {
    return this.pattern.test(text);
  }

  add(clock: Clock): void {
    this.count++;
    this.timer ??= clock.setTimeout(() => this.flush(), this.period);
  }

  /** Writes what was counted so far, and starts anew. */
  flush(): void {
    this.timer?.cancel();
    this.timer = undefined;
    if (this.count === 0) return;
    this.write(`${this.count} errors like '${this.pattern.source}' occurred in last ${formatDuration(this.period)}`);
    this.count = 0;
  }
}
