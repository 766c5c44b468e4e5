import type { Clock, Timer } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Span } from './span.js';

export interface ReporterParts {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'debug'>;
  /** Spans that may wait; of more, the oldest go. */
  readonly most: number;
  /** So many are sent at once; they wait no longer than this time for others. */
  readonly batch: number;
  readonly interval: Milliseconds;
  /** Told of spans that were sent, and of those that went without. */
  readonly counted: (outcome: 'sent' | 'dropped', spans: number) => void;
  readonly send: (spans: readonly Span[]) => Promise<void>;
}

/** Brings spans to a collector, a batch at a time; nobody waits for it. */
export class Reporter {
  private waiting: Span[] = [];
  private timer: Timer | undefined;
  private sending = false;

  constructor(private readonly parts: ReporterParts) {}

  add(spans: readonly Span[]): void {
    const { clock, most, batch, interval } = this.parts;
    this.waiting.push(...spans);
    const over = this.waiting.length - most;
    if (over > 0) {
      this.waiting.splice(0, over);
      this.parts.counted('dropped', over);
    }
    if (this.waiting.length >= batch) void this.flush();
    else this.timer ??= clock.setTimeout(() => void this.flush(), interval);
  }

  /** Sends what is there. */
  async flush(): Promise<void> {
    this.timer?.cancel();
    this.timer = undefined;
    if (this.sending) return;
    this.sending = true;
    const { batch, send, counted, log } = this.parts;
    while (this.waiting.length > 0) {
      const spans = this.waiting.splice(0, batch);
      try {
        await send(spans);
        counted('sent', spans.length);
      } catch (error) {
        counted('dropped', spans.length);
        log.debug(`${spans.length} spans not sent: ${(error as Error).message}`);
      }
    }
    this.sending = false;
  }
}
