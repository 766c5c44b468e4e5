import type { Metrics } from '../../metrics/metrics.js';

export const reloadMetrics = (metrics: Metrics) => ({
  failed: metrics.counter('reload', 'failed_total', 'Counter of the number of failed reload attempts.').with(),
  version: metrics.gauge(
    'reload',
    'version_info',
    "A metric with a constant '1' value labeled by hash, and value which type of hash generated.",
    ['hash', 'value'],
  ),
});

export type ReloadMetrics = ReturnType<typeof reloadMetrics>;
