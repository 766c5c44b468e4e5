import type { Metrics } from '../../metrics/metrics.js';

export type SubscriptionMetrics = ReturnType<ReturnType<typeof subscribeMetrics>>;

/** Counts by upstream. */
export function subscribeMetrics(metrics: Metrics) {
  const active = metrics.gauge('subscribe', 'push_enabled', 'Whether the upstream tells of changes (1).', ['to']);
  const changes = metrics.counter('subscribe', 'changes_total', 'Counter of changed names that were told.', ['to']);
  const ended = metrics.counter('subscribe', 'ended_total', 'Counter of attempts and sessions that ended.', [
    'to',
    'reason',
  ]);
  return (to: string) => ({
    active: active.with({ to }),
    changes: changes.with({ to }),
    ended: (reason: string): void => ended.with({ to, reason }).inc(),
  });
}
