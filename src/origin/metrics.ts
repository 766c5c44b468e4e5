import type { ApiRequest } from '../kube/api/client.js';
import type { Milliseconds } from '../lib/units.js';
import type { Metrics } from '../metrics/metrics.js';

/** Seconds: the default bounds of Prometheus clients. */
const DEFAULT_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Counts requests to the API. Watches last as long as the API lets them, so only their number is told. */
export function restClientMetrics(metrics: Metrics): (request: ApiRequest) => void {
  const duration = metrics.histogram(
    'kubernetes',
    'rest_client_request_duration_seconds',
    'Request latency in seconds. Broken down by verb and host.',
    DEFAULT_BOUNDS,
    ['verb', 'host'],
  );
  const limiter = metrics.histogram(
    'kubernetes',
    'rest_client_rate_limiter_duration_seconds',
    'Client side rate limiter latency in seconds. Broken down by verb and host.',
    DEFAULT_BOUNDS,
    ['verb', 'host'],
  );
  const requests = metrics.counter(
    'kubernetes',
    'rest_client_requests_total',
    'Number of HTTP requests, partitioned by status code, method, and host.',
    ['code', 'method', 'host'],
  );
  return ({ purpose, method, host, code, duration: took, limiterWait }) => {
    requests.with({ code, method, host }).inc();
    if (purpose === 'watch') return;
    duration.with({ verb: method, host }).observe(seconds(took));
    if (limiterWait !== undefined) limiter.with({ verb: method, host }).observe(seconds(limiterWait));
  };
}

const seconds = (duration: Milliseconds): number => duration / 1000;
