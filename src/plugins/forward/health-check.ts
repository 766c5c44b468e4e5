import type { Runtime } from '../../chain/index.js';
import { exchangeOnce, type HttpsSettings, type TlsClient } from '../../exchange/index.js';
import { randomBelow } from '../../lib/random.js';
import { sleep } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Destination } from '../../net/network.js';
import { Knock } from './knock.js';
import { Flag, Type, encodeMessage, type Name } from '../../wire/index.js';

/** How long a check waits for its reply. */
const CHECK_TIMEOUT: Milliseconds = 1000;
/** What even a slow upstream takes for so small a question is less: one and a half seconds have been seen to pass. */
const LATE: Milliseconds = 1600;
/** What it takes for so small a question as a rule is far less. */
const UNANSWERED: Milliseconds = 450;
/** Checks follow each other at this distance at least, also where the Corefile says 0s. */
const SHORTEST_INTERVAL: Milliseconds = 10;

export interface HealthCheckParts {
  readonly runtime: Pick<Runtime, 'network' | 'clock' | 'random'>;
  readonly to: Destination;
  readonly transport: 'udp' | 'tcp';
  readonly tls: TlsClient | undefined;
  readonly https: HttpsSettings | undefined;
  readonly interval: Milliseconds;
  readonly recursion: boolean;
  readonly name: Name;
  /** Called after a check that got a reply, whatever its rcode. */
  readonly onAlive: () => void;
  readonly onFailed: () => void;
}

/** Asks an upstream `NAME IN NS` from the first error on until it replies. Between errors it is silent. */
export class HealthCheck {
  /** Checks that failed since the last reply. */
  fails = 0;
  /** Monotonic time at which the last check that failed was sent. */
  failedFrom: Milliseconds = -Infinity;
  private running = false;
  /** When the first of the checks was sent that nothing has answered since; Infinity while there is none. */
  private unansweredFrom: Milliseconds = Infinity;
  private knock: Knock | undefined;
  private readonly stopped = new AbortController();

  constructor(private readonly parts: HealthCheckParts) {}

  /** As if so many had failed so far: checks go on until the upstream replies. */
  goOn(fails: number): void {
    this.fails = fails;
    this.failedFrom = this.parts.runtime.clock.monotonic();
    this.start();
  }

  /** Begins to check; does nothing while it does already. */
  start(): void {
    if (this.running || this.stopped.signal.aborted) return;
    this.running = true;
    void this.run();
  }

  /**
   * What checks say: that it is gone, as its host takes no connection or checks went unanswered for longer than
   * anything takes; that they are unanswered so far, as they are where it is slow too; or nothing.
   */
  finding(now: Milliseconds): 'nothing' | 'unanswered' | 'gone' {
    const waited = now - this.unansweredFrom;
    if (waited >= LATE || this.knock?.isUnanswered(now) === true) return 'gone';
    return waited >= UNANSWERED ? 'unanswered' : 'nothing';
  }

  stop(): void {
    this.stopped.abort(new Error('health check stopped'));
    this.knock?.stop();
  }

  private async run(): Promise<void> {
    const { runtime, interval, to } = this.parts;
    this.knock = new Knock(runtime.network, runtime.clock, to);
    try {
      while (!(await this.check()))
        await sleep(runtime.clock, Math.max(interval, SHORTEST_INTERVAL), this.stopped.signal);
    } catch {
      // Only the end of this configuration stops the loop, and then nobody asks for its result.
    } finally {
      this.running = false;
      this.knock.stop();
      this.knock = undefined;
    }
  }

  private async check(): Promise<boolean> {
    const {
      runtime: { network, clock, random },
      to,
      transport,
      tls,
      https,
      name,
      recursion,
      onAlive,
      onFailed,
    } = this.parts;
    const { signal } = this.stopped;
    const from = clock.monotonic();
    this.unansweredFrom = Math.min(this.unansweredFrom, from);
    const flags = recursion ? Flag.RD : 0;
    const message = encodeMessage({
      id: randomBelow(random, 0x10000),
      flags,
      rcode: 0,
      question: [{ name, type: Type.NS, class: 1 }],
      answer: [],
      authority: [],
      additional: [],
    });
    try {
      await exchangeOnce(network, clock, random, message, to, {
        transport,
        tls,
        https,
        timeoutMs: CHECK_TIMEOUT,
        signal,
      });
    } catch (error) {
      if (signal.aborted) throw error;
      this.fails++;
      this.failedFrom = from;
      onFailed();
      return false;
    }
    this.unansweredFrom = Infinity;
    this.fails = 0;
    onAlive();
    return true;
  }
}
