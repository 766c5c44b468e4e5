import { PerServer, type Query } from '../../chain/index.js';
import type { Family, Metrics, Value } from '../../metrics/metrics.js';
import type { Name } from '../../wire/index.js';

const LABELS = ['server', 'zone', 'view', 'class', 'type'];

export interface TemplateMetrics {
  readonly matches: Family<Value>;
  readonly templateFailures: Family<Value>;
  readonly rrFailures: Family<Value>;
}

export const templateMetrics = (metrics: Metrics): TemplateMetrics => ({
  matches: metrics.counter('template', 'matches_total', 'Counter of template regex matches.', LABELS),
  templateFailures: metrics.counter('template', 'template_failures_total', 'Counter of go template failures.', [
    ...LABELS,
    'section',
    'template',
  ]),
  rrFailures: metrics.counter('template', 'rr_failures_total', 'Counter of mis-templated RRs.', [
    ...LABELS,
    'section',
    'template',
  ]),
});

/**
 * Counts matches; the counter for a listening address, zone, class and type is looked up in maps, without building a
 * key.
 */
export class MatchCounters {
  private readonly servers: PerServer<Map<Name, Map<number, Value>>>;

  constructor(private readonly family: Family<Value>) {
    this.servers = new PerServer(() => new Map<Name, Map<number, Value>>());
  }

  count(query: Query, zone: Name, labels: () => { class: string; type: string }): void {
    const zones = this.servers.get(query.client.server);
    let values = zones.get(zone);
    if (values === undefined) zones.set(zone, (values = new Map<number, Value>()));
    const key = query.class * 0x10000 + query.type;
    let value = values.get(key);
    if (value === undefined)
      values.set(
        key,
        (value = this.family.with({ server: query.client.server.label, zone, view: query.context.view, ...labels() })),
      );
    value.inc();
  }
}
