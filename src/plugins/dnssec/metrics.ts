import { PerServer } from '../../chain/index.js';
import type { Metrics, Value } from '../../metrics/metrics.js';

/** What is counted at one listening address. */
export interface DnssecMetrics {
  readonly entries: Value;
  readonly hits: Value;
  readonly misses: Value;
}

export function dnssecMetrics(metrics: Metrics): PerServer<DnssecMetrics> {
  const entries = metrics.gauge('dnssec', 'cache_entries', 'The number of elements in the dnssec cache.', [
    'server',
    'type',
  ]);
  const hits = metrics.counter('dnssec', 'cache_hits_total', 'The count of cache hits.', ['server']);
  const misses = metrics.counter('dnssec', 'cache_misses_total', 'The count of cache misses.', ['server']);
  return new PerServer(({ label }) => ({
    entries: entries.with({ server: label, type: 'signature' }),
    hits: hits.with({ server: label }),
    misses: misses.with({ server: label }),
  }));
}
