import type { RunningCorefile } from '../../chain/index.js';
import { CorefileError } from '../../corefile/index.js';
import type { Clock, Timer } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';
import type { ReloadMetrics } from './metrics.js';

/**
 * A changed Corefile has to stay the same for so long before it is used: one that is being written may look complete
 * halfway.
 */
const SETTLE: Milliseconds = 250;

interface WatchDeps {
  readonly clock: Clock;
  readonly corefile: RunningCorefile;
  readonly log: Logger;
  readonly metrics: ReloadMetrics;
  requestReload(): Promise<boolean>;
}

/** Looks at the Corefile from time to time and asks for a reload when its digest is another one. */
export class Watch {
  /** Between two looks. */
  interval: Milliseconds = 0;
  private timer: Timer | undefined;
  private stopped = false;
  /** A new digest that was seen once. */
  private candidate: string | undefined;
  /** A digest that could not be put to use; it is not tried twice. */
  private refused: string | undefined;
  /** What was last complained about, so that each bad content costs one line. */
  private complaint: string | undefined;

  constructor(private readonly around: WatchDeps) {}

  start(): void {
    this.around.log.info(`Running configuration SHA512 = ${this.around.corefile.digest}`);
    this.schedule(this.interval);
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private schedule(delay: Milliseconds): void {
    if (!this.stopped) this.timer = this.around.clock.setTimeout(() => this.look(), delay);
  }

  private look(): void {
    const digest = this.read();
    if (digest === undefined) return this.schedule(this.interval);
    this.complaint = undefined;
    if (digest === this.around.corefile.digest) this.refused = undefined;
    const known = digest === this.around.corefile.digest || digest === this.refused;
    const settled = digest === this.candidate;
    this.candidate = known || settled ? undefined : digest;
    if (known) this.schedule(this.interval);
    else if (settled) void this.reload(digest);
    else this.schedule(SETTLE);
  }

  /** The digest of the file as it is now; undefined, with a line in the log, when it cannot be used. */
  private read(): string | undefined {
    try {
      return this.around.corefile.readDigest();
    } catch (error) {
      const { message } = error as Error;
      const text =
        error instanceof CorefileError ? `Corefile parse failed: ${message}` : `Corefile cannot be read: ${message}`;
      if (text !== this.complaint) this.around.log.warning(`${text}; the running configuration stays`);
      this.complaint = text;
      this.candidate = undefined;
      return undefined;
    }
  }

  private async reload(digest: string): Promise<void> {
    const { log, metrics } = this.around;
    if (await this.around.requestReload()) {
      metrics.version.clear();
      metrics.version.with({ hash: 'sha512', value: digest }).set(1);
      return;
    }
    log.error(
      `Corefile changed but reload failed; the running configuration stays, SHA512 = ${this.around.corefile.digest}`,
    );
    this.refused = digest;
    this.schedule(this.interval);
  }
}
