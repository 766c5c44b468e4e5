import { SLIM_TIME_BOUNDS, type Metrics } from '../../metrics/metrics.js';

/** They have no `server` label: an overload concerns the whole process. */
export const healthMetrics = (metrics: Metrics) => ({
  duration: metrics
    .histogram(
      'health',
      'request_duration_seconds',
      'Histogram of the time (in seconds) each request took.',
      SLIM_TIME_BOUNDS,
    )
    .with(),
  failures: metrics.counter('health', 'request_failures_total', 'The number of times the health check failed.').with(),
});

export type HealthMetrics = ReturnType<typeof healthMetrics>;
