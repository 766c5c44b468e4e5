import type { Metrics, Value } from '../../metrics/metrics.js';

/** Without a `server` label: who asks such things is of more interest than who was asked. */
export const localhostRequests = (metrics: Metrics): Value =>
  metrics.counter('local', 'localhost_requests_total', 'Counter of special localhost subdomain requests.').with();
