import type { ClientShares } from '../fastpath/client-shares.js';
import { ClientAddress, addressOf } from '../fastpath/sockaddr.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Microseconds, Milliseconds } from '../lib/units.js';
import type { Metrics } from '../metrics/metrics.js';
import type { ResponderHooks } from './respond.js';

/** An attempt at an upstream: its message, its reply and its place among what is under way. */
const ATTEMPT: Microseconds = 40;
/** A line of log at most so often, while there is something to tell. */
const RETELL: Milliseconds = 10_000;

/** Charges clients for the upstreams that their queries had asked, beyond the time of the chain. */
export function chargeAttempts(
  shares: ClientShares | undefined,
  waited: ResponderHooks['waited'],
): NonNullable<ResponderHooks['waited']> | undefined {
  if (shares === undefined) return waited;
  return (query, outcome, chain) => {
    const { remote } = query.client;
    if (remote instanceof ClientAddress) shares.charge(remote.sockaddr, query.context.upstreamAttempts * ATTEMPT);
    waited?.(query, outcome, chain);
  };
}

/** Shows in metrics, and tells in the log, that queries of some wait or are dropped for others'. */
export function reportOverload(
  shares: ClientShares,
  metrics: Metrics,
  log: Pick<Logger, 'warning'>,
  clock: Clock,
): void {
  const count = (name: string, help: string) => metrics.counter('dns', name, help, ['reason']);
  const delays = count('overload_delayed_total', 'Counter of queries that waited for those of lighter clients.');
  const drops = count('overload_dropped_total', 'Counter of queries dropped for those of lighter clients.');
  metrics.onScrape(() => {
    if (shares.delayed > 0) delays.with({ reason: 'client_share' }).set(shares.delayed);
    if (shares.dropped > 0) drops.with({ reason: 'client_share' }).set(shares.dropped);
  });
  const told = { at: -Infinity, delayed: 0, dropped: 0 };
  shares.watcher = (calm) => {
    const now = clock.monotonic();
    const delayed = shares.delayed - told.delayed;
    const dropped = shares.dropped - told.dropped;
    if ((!calm && now - told.at < RETELL) || delayed + dropped === 0) return;
    Object.assign(told, { at: now, delayed: shares.delayed, dropped: shares.dropped });
    const heaviest = shares.heaviest && addressOf(shares.heaviest);
    shares.heaviest = undefined;
    log.warning(
      `overload: of clients that ask more than their share, ${delayed} queries waited and ${dropped} were dropped` +
        (heaviest === undefined ? '' : `; ${heaviest} asks most`),
    );
  };
}
