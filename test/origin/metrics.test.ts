import { expect, it } from 'vitest';
import { Metrics } from '../../src/metrics/metrics.js';
import { restClientMetrics } from '../../src/origin/metrics.js';

/** The default bounds of Prometheus clients, in seconds. */
const BOUNDS = '0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf'.split(' ');

it('requests to the API are counted, and timed but for watches', async () => {
  const metrics = new Metrics('coredns');
  const count = restClientMetrics(metrics);
  const request = { method: 'GET', host: 'api:6443', code: '200' } as const;
  count({ ...request, purpose: 'list', duration: 30, limiterWait: 1 });
  count({ ...request, purpose: 'list', duration: 30, limiterWait: undefined });
  count({ ...request, purpose: 'watch', duration: 60_000, limiterWait: 1 });
  const text = await metrics.text();
  const buckets = (name: string): [string, number][] =>
    [...text.matchAll(new RegExp(`${name}_bucket\\{.*le="(.*?)"\\} (\\d+)`, 'g'))].map(([, le, n]) => [le!, Number(n)]);
  const duration = 'coredns_kubernetes_rest_client_request_duration_seconds';
  const limiter = 'coredns_kubernetes_rest_client_rate_limiter_duration_seconds';
  expect(buckets(duration)).toEqual(BOUNDS.map((le, i) => [le, i < 3 ? 0 : 2]));
  expect(buckets(limiter)).toEqual(BOUNDS.map((le) => [le, 1]));
  expect(text).toContain(`${duration}_sum{host="api:6443",verb="GET"} 0.06\n`);
  expect(text).toContain(`${limiter}_sum{host="api:6443",verb="GET"} 0.001\n`);
  expect(text).toContain('rest_client_requests_total{code="200",host="api:6443",method="GET"} 3\n');
});
