import http from 'node:http';
import type { Socket } from 'node:net';
import { hostPort } from '../../lib/cidr.js';
import type { Clock, Timer } from '../../lib/clock.js';
import { formatDuration } from '../../lib/duration.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint, Network } from '../../net/network.js';
import type { HealthMetrics } from './metrics.js';

/** Pause between two checks. */
const PERIOD: Milliseconds = 1000;
/** A check without an answer for so long has failed. */
const TIMEOUT: Milliseconds = 3000;
/** A local request that takes longer than this is worth a warning. */
const SLOW: Milliseconds = 1000;

interface SelfCheckDeps {
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: HealthMetrics;
}

/**
 * Asks the process's own health endpoint once a second: how long that takes shows whether the process keeps up with
 * its work.
 */
export class SelfCheck {
  private to: Endpoint;
  private timer: Timer | undefined;
  private current: AbortController | undefined;
  private stopped = false;

  /** @param at where the endpoint listens; one on all addresses is asked at the loopback address */
  constructor(
    private readonly at: Endpoint & { readonly path: string },
    private readonly around: SelfCheckDeps,
  ) {
    this.to = { address: reachable(at.address), port: at.port };
  }

  /** The port that the endpoint got, where it asked for any. */
  portIs(port: number): void {
    this.to = { ...this.to, port };
  }

  start(): void {
    this.timer = this.around.clock.setTimeout(() => void this.check().then(() => this.stopped || this.start()), PERIOD);
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
    this.current?.abort(new Error('stopped'));
  }

  private async check(): Promise<void> {
    const { clock, log, metrics } = this.around;
    const url = `http://${hostPort(this.to.address, this.to.port)}${this.at.path}`;
    const begin = clock.monotonic();
    const controller = (this.current = new AbortController());
    const timeout = clock.setTimeout(
      () => controller.abort(new Error(`no answer within ${formatDuration(TIMEOUT)}`)),
      TIMEOUT,
    );
    let failure: Error | undefined;
    try {
      await this.get(controller.signal);
    } catch (error) {
      failure = controller.signal.aborted ? (controller.signal.reason as Error) : (error as Error);
    } finally {
      timeout.cancel();
    }
    if (this.stopped) return;
    const elapsed = clock.monotonic() - begin;
    metrics.duration.observe(elapsed / 1000);
    if (failure !== undefined) {
      metrics.failures.inc();
      log.warning(`Local health request to "${url}" failed: ${failure.message}`);
    } else if (elapsed > SLOW)
      log.warning(`Local health request to "${url}" took more than 1s: ${formatDuration(elapsed)}`);
  }

  /** One request over a connection of its own. Rejects when it cannot be made, or `signal` is aborted first. */
  private async get(signal: AbortSignal): Promise<void> {
    const { stream } = await this.around.network.connectTcp(this.to, signal);
    try {
      await new Promise<void>((resolve, reject) => {
        // Node asks for a socket but uses what any stream has; the network port hands out streams.
        const options = {
          createConnection: () => stream as Socket,
          host: this.to.address,
          port: this.to.port,
          path: this.at.path,
          signal,
          headers: { connection: 'close' },
        };
        const request = http.get(options, (response) => {
          response.once('end', resolve).once('error', reject);
          response.resume();
        });
        request.once('error', reject);
      });
    } finally {
      stream.destroy();
    }
  }
}

/** Somewhere one can connect to, for an address that one can listen at. */
function reachable(address: string): string {
  if (address === '' || address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}
