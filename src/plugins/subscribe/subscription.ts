import type { SessionUpstream, TakesChanges } from '../../chain/index.js';
import { sleep, type Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import { randomBelow, type Random } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Name } from '../../wire/index.js';
import type { SubscriptionMetrics } from './metrics.js';
import { SubscriberSession, type SessionEnd } from './session.js';

const CONNECT_TIME: Milliseconds = 5000;
/** Pauses between attempts to reach an upstream: up to the first one at random, doubled each time. */
const FIRST_PAUSE: Milliseconds = 1000;
const LONGEST_PAUSE: Milliseconds = 30_000;
/** An upstream that does not tell of changes is asked again after this time: another may have taken its place. */
export const REFUSED_PAUSE: Milliseconds = 300_000;

export interface SubscriptionParts {
  readonly zones: readonly Name[];
  /** Replies that are asked for within this time after a change may come from a server that does not know it yet. */
  readonly settle: Milliseconds;
  readonly takers: readonly TakesChanges[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Asks one upstream for changes, again and again, and tells those who keep its answers. */
export class Subscription {
  private readonly stopping = new AbortController();
  private pause = FIRST_PAUSE;
  private refused = false;

  constructor(
    private readonly upstream: SessionUpstream,
    private readonly parts: SubscriptionParts,
    private readonly metrics: SubscriptionMetrics,
  ) {}

  start(): void {
    void this.run().catch((error: unknown) => {
      if (!this.stopping.signal.aborted) this.parts.log.error(String(error));
    });
  }

  stop(): void {
    this.stopping.abort(new DOMException('the configuration has ended', 'AbortError'));
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const end = await this.attempt();
      if (signal.aborted) return;
      this.metrics.ended(end.kind);
      await sleep(this.parts.clock, this.pauseAfter(end), signal);
    }
  }

  /** One session from beginning to end. */
  private async attempt(): Promise<SessionEnd> {
    const { zones, clock, random } = this.parts;
    const { signal } = this.stopping;
    const late = new AbortController();
    const timer = clock.setTimeout(() => late.abort(new Error('i/o timeout')), CONNECT_TIME);
    try {
      const stream = await this.upstream.connect(AbortSignal.any([signal, late.signal]));
      timer.cancel();
      const session = new SubscriberSession(stream, zones, clock, random, {
        subscribed: (zone) => this.subscribed(zone),
        changed: (names) => this.changed(names),
      });
      const stop = (): void => session.close({ kind: 'stopped', text: '' });
      signal.onabort = stop;
      if (signal.aborted) stop();
      return await session.ended;
    } catch (error) {
      return { kind: 'lost', text: (error as Error).message };
    } finally {
      timer.cancel();
      this.metrics.active.set(0);
    }
  }

  private subscribed(zone: Name): void {
    const { takers, log } = this.parts;
    log.info(`${this.upstream.label} tells of changes in ${zone}`);
    this.metrics.active.set(1);
    this.pause = FIRST_PAUSE;
    this.refused = false;
    for (const taker of takers) taker.namesChanged([zone]);
  }

  private changed(names: readonly Name[]): void {
    const { takers, settle, clock } = this.parts;
    this.metrics.changes.inc(names.length);
    const tell = (): void => takers.forEach((taker) => taker.namesChanged(names));
    tell();
    if (settle > 0) void sleep(clock, settle, this.stopping.signal).then(tell, () => undefined);
  }

  private pauseAfter({ kind, text, retryAfter }: SessionEnd): Milliseconds {
    const { log, random } = this.parts;
    const { label } = this.upstream;
    if (kind === 'lost') {
      const pause = randomBelow(random, this.pause);
      log.debug(`${label}: ${text}; what was answered is kept for its TTL`);
      this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
      return Math.max(pause, Math.min(retryAfter ?? 0, REFUSED_PAUSE));
    }
    // Said once: most upstreams never will.
    if (!this.refused) log.info(`${label} does not tell of changes (${text}): answers are kept for their TTL`);
    this.refused = true;
    const pause = Math.min(retryAfter ?? REFUSED_PAUSE, REFUSED_PAUSE);
    return pause + randomBelow(random, FIRST_PAUSE);
  }
}
