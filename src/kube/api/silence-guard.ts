import type { Clock, Timer } from '../../lib/clock.js';
import { NodensError } from '../../lib/errors.js';
import type { Milliseconds } from '../../lib/units.js';

/** Nothing has come for too long. */
export class SilenceError extends NodensError {
  override readonly name = 'SilenceError';

  constructor(limit: Milliseconds) {
    super('NODENS_KUBE_API', `nothing was received for ${limit / 1000} s`);
  }
}

/** Ends a request when its caller does, or when nothing has come for too long. */
export class SilenceGuard {
  private readonly controller = new AbortController();
  private readonly abort = (): void => this.controller.abort(this.outer.reason);
  private timer: Timer;
  /** Why the request was ended, when it was. */
  reason: Error | undefined;

  constructor(
    private readonly clock: Clock,
    public limit: Milliseconds,
    private readonly outer: AbortSignal,
  ) {
    this.timer = this.arm();
    outer.addEventListener('abort', this.abort);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    this.timer.cancel();
    this.timer = this.arm();
  }

  end(): void {
    this.timer.cancel();
    this.outer.removeEventListener('abort', this.abort);
  }

  private arm(): Timer {
    return this.clock.setTimeout(() => {
      this.reason = new SilenceError(this.limit);
      this.controller.abort(this.reason);
    }, this.limit);
  }
}
