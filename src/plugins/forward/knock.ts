import type { Clock, Timer } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Destination, Network } from '../../net/network.js';

/** What answers a question within this time needs no knock. */
const AFTER: Milliseconds = 100;
/** A host that has not answered a connection after this long does not. */
const UNANSWERED: Milliseconds = 400;
/** What says that the host is not there, or that nothing came. Any other outcome came from it, or tells nothing of it. */
const NOBODY: ReadonlySet<string | undefined> = new Set([
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
]);

/**
 * Opens a connection to an upstream that does not answer: however slow its answers are, its system takes or refuses
 * connections at once. Tells a slow upstream from a host that is gone.
 */
export class Knock {
  private knockedAt: Milliseconds = Infinity;
  private timer: Timer | undefined;
  private readonly given = new AbortController();

  constructor(
    private readonly network: Network,
    private readonly clock: Clock,
    private readonly to: Destination,
  ) {
    this.timer = clock.setTimeout(() => void this.knock(), AFTER);
  }

  /** Whether nobody opened. */
  isUnanswered(now: Milliseconds): boolean {
    return now - this.knockedAt >= UNANSWERED;
  }

  /** Waits no longer; what was found stays. */
  stop(): void {
    this.timer?.cancel();
    this.given.abort(new Error('knock given up'));
  }

  private async knock(): Promise<void> {
    this.timer = undefined;
    this.knockedAt = this.clock.monotonic();
    try {
      const { stream } = await this.network.connectTcp(this.to, this.given.signal);
      this.knockedAt = Infinity;
      stream.on('error', () => undefined);
      stream.destroy();
    } catch (error) {
      const known = this.given.signal.aborted || NOBODY.has((error as NodeJS.ErrnoException).code);
      if (!known) this.knockedAt = Infinity;
    }
  }
}
