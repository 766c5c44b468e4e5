import { fileURLToPath } from 'node:url';
import path from 'node:path';

type SetTimer = (callback: (...args: unknown[]) => unknown, delay?: number, ...args: unknown[]) => NodeJS.Timeout;
type TimerName = 'setTimeout' | 'setInterval';

/** A timer that was not cleared. */
export interface LeftTimer {
  readonly kind: TimerName;
  /** `names.js:12`, where it was set; empty where the stack does not say. */
  readonly place: string;
}

/**
 * Notices Node's own timers that a plugin sets while its setup and its hooks run, and while those timers run: who does
 * not clear them leaves them behind when the configuration ends. What it sets later (after an `await`, in a handler)
 * is not seen.
 */
export class TimerWatch {
  private readonly live = new Map<NodeJS.Timeout, LeftTimer>();

  /** Calls `work` with global timers that are noticed; they are Node's again when it returns. */
  run<T>(work: () => T): T {
    const before = { setTimeout: globalThis.setTimeout, setInterval: globalThis.setInterval };
    const watched = {
      setTimeout: this.watched('setTimeout', before.setTimeout),
      setInterval: this.watched('setInterval', before.setInterval),
    };
    Object.assign(globalThis, watched);
    try {
      return work();
    } finally {
      Object.assign(globalThis, before);
    }
  }

  /** Clears what is left, and says what that was. */
  end(): readonly LeftTimer[] {
    const left = [...this.live].filter(([timer]) => isLive(timer));
    for (const [timer] of left) clearTimeout(timer);
    return left.map(([, one]) => one);
  }

  private watched(kind: TimerName, original: SetTimer): SetTimer {
    const set: SetTimer = (callback, delay, ...args) => {
      const timer = original(
        (...given) => {
          if (kind === 'setTimeout') this.live.delete(timer);
          return this.run(() => callback(...given));
        },
        delay,
        ...args,
      );
      this.live.set(timer, { kind, place: callerOf(set) });
      return timer;
    };
    // Such as the form of it that gives a promise, which `util.promisify` looks for.
    return Object.defineProperties(set, Object.getOwnPropertyDescriptors(original));
  }
}

/** Node says it of timers that were cleared or have run; where it says nothing, nothing is said here. */
const isLive = (timer: NodeJS.Timeout): boolean => (timer as { _destroyed?: boolean })._destroyed === false;

/** The frame right above `below`, in whatever form it is written: `at f (URL:12:3)` or `at URL:12:3`. */
function callerOf(below: unknown): string {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, below as () => void);
  const frame = holder.stack?.split('\n')[1] ?? '';
  const [, url, line] = /(?:\(|at )([^()\s]+?):(\d+):\d+/.exec(frame) ?? [];
  if (url === undefined) return '';
  const file = url.startsWith('file:') ? fileURLToPath(url.replace(/[?#].*$/, '')) : url;
  return `${path.basename(file)}:${line}`;
}
