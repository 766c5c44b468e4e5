import { PerServer, type Query, type ServerAddress } from '../../chain/index.js';
import type { Family, Metrics, Value } from '../../metrics/metrics.js';
import type { Name } from '../../wire/index.js';
import type { AclAction } from './rule.js';

const ZONED = ['server', 'zone', 'view'];

/** Counts what becomes of queries. */
export class AclMetrics {
  private readonly allowed: PerServer<Value>;
  private readonly refused: Record<Exclude<AclAction, 'allow'>, PerServer<Map<Name, Value>>>;
  private readonly families: Record<Exclude<AclAction, 'allow'>, Family<Value>>;

  /** @param view the block's view; known when the first query comes */
  constructor(
    metrics: Metrics,
    private readonly view: () => string,
  ) {
    const counter = (what: string, labels: readonly string[]): Family<Value> =>
      metrics.counter('acl', `${what}_requests_total`, `Counter of DNS requests being ${what}.`, [...labels]);
    const allowed = counter('allowed', ['server', 'view']);
    this.allowed = new PerServer(({ label }) => allowed.with({ server: label, view: view() }));
    this.families = {
      block: counter('blocked', ZONED),
      filter: counter('filtered', ZONED),
      drop: counter('dropped', ZONED),
    };
    const perZone = (): PerServer<Map<Name, Value>> => new PerServer(() => new Map<Name, Value>());
    this.refused = { block: perZone(), filter: perZone(), drop: perZone() };
  }

  allow(server: ServerAddress, count = 1): void {
    this.allowed.get(server).inc(count);
  }

  refuse(action: Exclude<AclAction, 'allow'>, query: Query, zone: Name): void {
    const { server } = query.client;
    const values = this.refused[action].get(server);
    let value = values.get(zone);
    if (value === undefined)
      values.set(zone, (value = this.families[action].with({ server: server.label, zone, view: this.view() })));
    value.inc();
  }
}
