import { expect, it } from 'vitest';
import { Metrics } from '../../../src/metrics/metrics.js';
import { programmingDuration } from '../../../src/plugins/kubernetes/metrics.js';

it.each([
  { headless: true, kind: 'headless_with_selector' },
  { headless: false, kind: 'cluster_ip' },
])('times of changes are counted from 1 ms to about nine minutes: $kind', async ({ headless, kind }) => {
  const metrics = new Metrics();
  programmingDuration(metrics)(headless).observe(0.003);
  const buckets = (await metrics.text()).split('\n').filter((line) => line.includes('_duration_seconds_bucket'));
  const bound = (le: string, count: number): string =>
    `coredns_kubernetes_dns_programming_duration_seconds_bucket{service_kind="${kind}",le="${le}"} ${count}`;
  // As the reference has them: twice the bound before, 20 of them.
  expect(buckets).toHaveLength(21);
  expect(buckets.slice(0, 3)).toEqual([bound('0.001', 0), bound('0.002', 0), bound('0.004', 1)]);
  expect(buckets.slice(-2)).toEqual([bound('524.288', 1), bound('+Inf', 1)]);
});
