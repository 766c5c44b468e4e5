import { reloadFailures } from '../../chain/index.js';
import type { Metrics } from '../../metrics/metrics.js';

export const reloadMetrics = (metrics: Metrics) => ({
  /** Counted where a reload fails; here it is there from the start. */
  failed: reloadFailures(metrics),
  version: metrics.gauge(
    'reload',
    'version_info',
    "A metric with a constant '1' value labeled by hash, and value which type of hash generated.",
    ['hash', 'value'],
  ),
});

export type ReloadMetrics = ReturnType<typeof reloadMetrics>;
