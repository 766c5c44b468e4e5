import path from 'node:path';
import type { Runtime } from '../../chain/index.js';
import type { SigningKey } from '../../dnssec/index.js';
import { repeat, type Timer } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import { randomBelow } from '../../lib/random.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Name } from '../../wire/index.js';
import { inSteps } from '../../zone/index.js';
import { whyDue } from './due.js';
import { signZone } from './signed-zone.js';
import { readSource } from './source.js';

const HOUR: Milliseconds = 3_600_000;
const DAY: Milliseconds = 24 * HOUR;
/** How often a zone is looked at. */
const REFRESH: Milliseconds = 5 * HOUR;
/** Signatures begin that long ago, for clocks that are slow, and up to so much earlier. */
const BEFORE: Milliseconds = 3 * HOUR;
const BEFORE_JITTER: Milliseconds = 18 * HOUR;
const AFTER: Milliseconds = 32 * DAY;
const AFTER_JITTER: Milliseconds = 5 * DAY;

/** A zone that is to be signed. */
export interface SignerOptions {
  readonly origin: Name;
  /** The file of the zone as it is without signatures. */
  readonly source: string;
  /** Where the signed zone is put, as `db.ORIGINsigned`. */
  readonly directory: string;
  readonly keys: readonly SigningKey[];
}

/** Signs one zone, again and again. */
export class Signer {
  readonly target: string;
  private readonly validity: { readonly before: Milliseconds; readonly after: Milliseconds };
  private readonly stopping = new AbortController();
  private timer: Timer | undefined;
  private signing = false;

  constructor(
    private readonly options: SignerOptions,
    private readonly runtime: Runtime,
    private readonly log: Logger,
  ) {
    this.target = path.join(options.directory, `db.${options.origin}signed`);
    // Drawn once, so that not all zones are signed at the same time.
    const draw = (most: Milliseconds): Milliseconds => randomBelow(runtime.random, most);
    this.validity = { before: BEFORE + draw(BEFORE_JITTER), after: AFTER + draw(AFTER_JITTER) };
  }

  /** Signs the zone now where that is due, and looks at it from time to time. Resolves when the first look is over. */
  async start(): Promise<void> {
    this.timer = repeat(this.runtime.clock, REFRESH, () => void this.look());
    const reason = await this.look();
    if (reason === undefined)
      this.log.info(`Skipping signing zone "${this.options.origin}" in "${this.target}": signatures are valid`);
  }

  stop(): void {
    this.stopping.abort(new DOMException('the configuration has ended', 'AbortError'));
    this.timer?.cancel();
  }

  /** Signs the zone where that is due. Gives the reason, if there is one. */
  private async look(): Promise<string | undefined> {
    if (this.signing) return undefined;
    const { clock } = this.runtime;
    const reason = whyDue(this.target, (file) => this.runtime.readBytes(file), clock.now());
    if (reason === undefined) return undefined;
    this.log.info(`Signing "${this.options.origin}" because ${reason}`);
    this.signing = true;
    try {
      await this.sign(clock.now(), clock.monotonic());
    } catch (error) {
      if (this.stopping.signal.aborted) return reason;
      const { origin } = this.options;
      const { message } = error as Error;
      this.log.warning(
        `Error signing "${origin}" with key tags "${this.tags}": ${message}, next: ${this.next(clock.now())}`,
      );
    } finally {
      this.signing = false;
    }
    return reason;
  }

  private async sign(now: Milliseconds, began: Milliseconds): Promise<void> {
    const { options, runtime, validity } = this;
    const { origin, source, keys } = options;
    const { signal } = this.stopping;
    const zone = await inSteps(
      readSource(source, origin, (file) => runtime.readBytes(file)),
      signal,
    );
    const seconds = (at: Milliseconds): number => Math.floor(at / 1000);
    const serial = seconds(now) >>> 0;
    const [inception, expiration] = [seconds(now - validity.before), seconds(now + validity.after)];
    const text = await inSteps(signZone(zone, { keys, serial, inception, expiration }), signal);
    runtime.replaceFile(this.target, text);
    const elapsed = ((runtime.clock.monotonic() - began) / 1000).toFixed(6);
    this.log.info(
      `Successfully signed zone "${origin}" in "${this.target}" with key tags "${this.tags}" and ${serial} SOA serial, ` +
        `elapsed ${elapsed}, next: ${this.next(now)}`,
    );
  }

  private get tags(): string {
    return this.options.keys.map(({ tag }) => tag).join(',');
  }

  private next(now: Milliseconds): string {
    return new Date(now + REFRESH).toISOString();
  }
}
