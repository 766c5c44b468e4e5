import { PerServer } from '../../chain/index.js';
import type { Metrics, Value } from '../../metrics/metrics.js';

export function requestsTranslated(metrics: Metrics): PerServer<Value> {
  const family = metrics.counter('dns64', 'requests_translated_total', 'Counter of DNS requests translated by dns64.', [
    'server',
  ]);
  return new PerServer(({ label }) => family.with({ server: label }));
}
