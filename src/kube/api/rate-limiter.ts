import { sleep } from '../../lib/clock.js';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';

export interface RateLimits {
  /**
   * Requests per second on average, above 0; what a fresh limiter lets through at once, at least 1. Watches do not
   * count.
   */
  readonly qps: number;
  readonly burst: number;
  /** Requests that may be under way at once, at least 1; undefined for any number. */
  readonly maxInFlight?: number;
}

/** The values of the Kubernetes client library, which CoreDNS leaves as they are. */
export const DEFAULT_LIMITS: RateLimits = { qps: 5, burst: 10 };

/** A token bucket, with an optional bound on what runs at the same time. */
export class RateLimiter {
  private tokens: number;
  private filled: Milliseconds;
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly limits: RateLimits,
    private readonly clock: Clock,
  ) {
    this.tokens = limits.burst;
    this.filled = clock.monotonic();
  }

  /**
   * Waits for a token and a free place; returns how long that took. To be paired with {@link release}. Rejects when
   * the signal is aborted.
   */
  async acquire(signal: AbortSignal): Promise<Milliseconds> {
    const start = this.clock.monotonic();
    const wait = this.takeToken(start);
    if (wait > 0) await sleep(this.clock, wait, signal);
    if (this.running >= (this.limits.maxInFlight ?? Infinity)) await this.place(signal);
    else this.running++;
    return this.clock.monotonic() - start;
  }

  release(): void {
    const next = this.queue.shift();
    // The place passes on without becoming free in between.
    if (next) next();
    else this.running--;
  }

  /** Takes one token, if need be one of the future; returns how long until it is there, at most 0 when it is. */
  private takeToken(now: Milliseconds): Milliseconds {
    const { qps, burst } = this.limits;
    this.tokens = Math.min(burst, this.tokens + ((now - this.filled) / 1000) * qps) - 1;
    this.filled = now;
    return (-this.tokens / qps) * 1000;
  }

  private place(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.queue.splice(this.queue.indexOf(enter), 1);
        reject(signal.reason as Error);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      if (signal.aborted) return reject(signal.reason as Error);
      signal.addEventListener('abort', abort);
      this.queue.push(enter);
    });
  }
}
