import type { ServerAddress } from '../../chain/index.js';
import type { Family, Metrics, Value } from '../../metrics/metrics.js';

/** Counts queries beyond a limit. */
export class LimitMetrics {
  private readonly family: Family<Value>;

  constructor(metrics: Metrics) {
    this.family = metrics.counter('limit', 'exceeded_total', 'Counter of queries beyond a limit.', [
      'server',
      'limit',
      'action',
    ]);
  }

  exceeded(server: ServerAddress, limit: 'client' | 'zone', action: string): void {
    this.family.with({ server: server.label, limit, action }).inc();
  }
}
