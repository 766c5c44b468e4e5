import type { Milliseconds } from './units.js';

/** A pending call that can be taken back. Cancelling twice, or after it ran, does nothing. */
export interface Timer {
  /** Has no effect once the timer has run. */
  cancel(): void;
}

/** The only source of time. Everything that waits, ages or stamps gets one handed in. */
export interface Clock {
  /** Wall-clock time since 1970-01-01 UTC. May jump. */
  now(): Milliseconds;
  /** Time since an arbitrary start; never goes back. For durations. */
  monotonic(): Milliseconds;
  /** Calls `fn` once after `delay`. A real timer does not keep the process alive by itself. */
  setTimeout(fn: () => void, delay: Milliseconds): Timer;
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(fn, delay) {
    const handle = setTimeout(fn, delay);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Calls `fn` every `period` until cancelled; the next period starts when the call returns. */
export function repeat(clock: Clock, period: Milliseconds, fn: () => void): Timer {
  let current: Timer;
  let cancelled = false;
  const arm = (): void => {
    current = clock.setTimeout(() => {
      fn();
      if (!cancelled) arm();
    }, period);
  };
  arm();
  return {
    cancel() {
      cancelled = true;
      current.cancel();
    },
  };
}

/** Resolves after `delay`; rejects with the signal's reason when that is aborted first. */
export function sleep(clock: Clock, delay: Milliseconds, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const abort = (): void => {
      timer.cancel();
      reject(signal!.reason as Error);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, delay);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

interface Due {
  at: Milliseconds;
  order: number;
  fn: () => void;
}

/** A clock that stands still until it is driven: for tests, scripts and replays. */
export class ManualClock implements Clock {
  private time: Milliseconds;
  private order = 0;
  private due: Due[] = [];

  constructor(start: Milliseconds = Date.UTC(2025, 6, 30)) {
    this.time = start;
  }

  now(): Milliseconds {
    return this.time;
  }

  monotonic(): Milliseconds {
    return this.time;
  }

  setTimeout(fn: () => void, delay: Milliseconds): Timer {
    const entry: Due = { at: this.time + Math.max(0, delay), order: this.order++, fn };
    this.due.push(entry);
    return {
      cancel: () => {
        this.due = this.due.filter((other) => other !== entry);
      },
    };
  }

  /** Number of calls that still wait. */
  get pending(): number {
    return this.due.length;
  }

  /**
   * Moves time on, running what falls due in order of time, then of creation. Timers set meanwhile run too if they
   * fall due.
   */
  advance(by: Milliseconds): void {
    const end = this.time + by;
    for (;;) {
      const next = this.due.reduce<Due | undefined>(
        (first, entry) =>
          !first || entry.at < first.at || (entry.at === first.at && entry.order < first.order) ? entry : first,
        undefined,
      );
      if (!next || next.at > end) break;
      this.due = this.due.filter((entry) => entry !== next);
      this.time = Math.max(this.time, next.at);
      next.fn();
    }
    this.time = end;
  }

  /** As `advance`, but lets promises settle after each timer that runs. */
  async advanceAsync(by: Milliseconds): Promise<void> {
    const end = this.time + by;
    await settle();
    for (;;) {
      const next = Math.min(...this.due.map((entry) => entry.at));
      if (!(next <= end)) break;
      this.advance(Math.max(0, next - this.time));
      await settle();
    }
    this.time = end;
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
