import type { UdpWorkerPool } from '../fastpath/udp-worker-pool.js';
import type { Metrics } from '../metrics/metrics.js';

/** Shows in each scrape what became of queries where the kernel answers; an outcome from its first query on. */
export function showKernel(metrics: Metrics, workerPool: UdpWorkerPool): void {
  const below = workerPool.below;
  if (below === undefined) return;
  const family = metrics.counter(
    'dns',
    'kernel_queries_total',
    'Counter of queries at devices where the kernel answers: answered there, dropped, or why they went to the server.',
    ['outcome'],
  );
  metrics.onScrape(() => {
    for (const [outcome, count] of Object.entries(below.outcomes())) if (count > 0) family.with({ outcome }).set(count);
  });
}
