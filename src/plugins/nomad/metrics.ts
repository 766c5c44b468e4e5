import type { ServerAddress } from '../../chain/index.js';
import type { Family, Metrics, Value } from '../../metrics/metrics.js';

/** What became of a query. */
export type NomadResult = 'success' | 'failed';

/** Counts queries by namespace; names of namespaces come from clients, so their number is bounded. */
export class NomadMetrics {
  private readonly families: Readonly<Record<NomadResult, Family<Value>>>;
  private readonly namespaces = new Set<string>();

  constructor(metrics: Metrics) {
    const labels = ['server', 'namespace'];
    this.families = {
      success: metrics.counter(
        'nomad',
        'success_requests_total',
        'Counter of DNS requests handled successfully.',
        labels,
      ),
      failed: metrics.counter('nomad', 'failed_requests_total', 'Counter of DNS requests failed.', labels),
    };
  }

  count(result: NomadResult, { label: server }: ServerAddress, namespace: string): void {
    if (this.namespaces.size < MAX_NAMESPACES) this.namespaces.add(namespace);
    const shown = this.namespaces.has(namespace) ? namespace : 'other';
    this.families[result].with({ server, namespace: shown }).inc();
  }
}

/** Namespaces that have series of their own; all further ones share one. */
const MAX_NAMESPACES = 1000;
