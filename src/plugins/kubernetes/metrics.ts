import { exponentialBounds, type Histogram, type Metrics } from '../../metrics/metrics.js';

/** Seconds, from one millisecond to about nine minutes. */
const PROGRAMMING_BOUNDS = exponentialBounds(0.001, 2, 20);

/**
 * How long it took from a change in the cluster until it is answered with; the series is there from the first call
 * on.
 */
export function programmingDuration(metrics: Metrics): (headless: boolean) => Histogram {
  const family = metrics.histogram(
    'kubernetes',
    'dns_programming_duration_seconds',
    'Histogram of the time (in seconds) it took to program a dns instance.',
    PROGRAMMING_BOUNDS,
    ['service_kind'],
  );
  // Only slices that the cluster's own controller made carry a time, so that the service has a selector.
  let [headless, others]: (Histogram | undefined)[] = [];
  return (isHeadless) =>
    isHeadless
      ? (headless ??= family.with({ service_kind: 'headless_with_selector' }))
      : (others ??= family.with({ service_kind: 'cluster_ip' }));
}
