import type { Clock, Timer } from '../../lib/clock.js';
import { formatDuration } from '../../lib/duration.js';
import type { GoRegExp } from '../../lib/go-regexp.js';
import type { Milliseconds } from '../../lib/units.js';

/**
 * Counts the errors that match a pattern and writes one line for all that came within `period` of the first. With
 * `showFirst` the first has a line at once, and there is none for it alone at the end.
 */
export class Consolidation {
  private count = 0;
  private timer: Timer | undefined;

  constructor(
    private readonly period: Milliseconds,
    private readonly pattern: GoRegExp,
    private readonly showFirst: boolean,
    private readonly write: (line: string) => void,
  ) {}

  matches(text: string): boolean {
    return this.pattern.test(text);
  }

  /** `line`: how the error would be written by itself. */
  add(clock: Clock, line: string): void {
    if (++this.count === 1 && this.showFirst) this.write(line);
    this.timer ??= clock.setTimeout(() => this.flush(), this.period);
  }

  /** Writes an error that is not counted. */
  writeAlone(line: string): void {
    this.write(line);
  }

  /** Writes what was counted so far, and starts anew. */
  flush(): void {
    this.timer?.cancel();
    this.timer = undefined;
    const { count } = this;
    this.count = 0;
    if (count > (this.showFirst ? 1 : 0))
      this.write(`${count} errors like '${this.pattern.source}' occurred in last ${formatDuration(this.period)}`);
  }
}
