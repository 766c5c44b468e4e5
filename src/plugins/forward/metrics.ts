import type { Protocol, ReuseCounters } from '../../exchange/index.js';
import type { Seconds } from '../../lib/units.js';
import { TIME_BOUNDS, type Family, type Histogram, type Metrics, type Value } from '../../metrics/metrics.js';
import { rcodeName } from '../../wire/index.js';

const PROXY_NAME = 'forward';

export interface ForwardMetrics {
  /** Times that all upstreams were down. */
  readonly broken: Value;
  /** Queries above `max_concurrent`. */
  readonly rejected: Value;
  readonly upstream: (to: string) => UpstreamMetrics;
}

/** The counters of one upstream. Series appear when there is something to count. */
export class UpstreamMetrics implements ReuseCounters {
  private readonly byRcode: Histogram[] = [];
  private readonly hits: Partial<Record<Protocol, Value>> = {};
  private readonly misses: Partial<Record<Protocol, Value>> = {};

  constructor(
    private readonly families: ProxyFamilies,
    private readonly to: string,
  ) {}

  replied(rcode: number, took: Seconds): void {
    (this.byRcode[rcode] ??= this.families.duration.with({
      proxy_name: PROXY_NAME,
      to: this.to,
      rcode: rcodeLabel(rcode),
    })).observe(took);
  }

  healthCheckFailed(): void {
    this.families.checkFailures.with({ proxy_name: PROXY_NAME, to: this.to }).inc();
  }

  hit(proto: Protocol): void {
    (this.hits[proto] ??= this.families.hits.with({ proxy_name: PROXY_NAME, to: this.to, proto })).inc();
  }

  miss(proto: Protocol): void {
    (this.misses[proto] ??= this.families.misses.with({ proxy_name: PROXY_NAME, to: this.to, proto })).inc();
  }
}

interface ProxyFamilies {
  readonly duration: Family<Histogram>;
  readonly checkFailures: Family<Value>;
  readonly hits: Family<Value>;
  readonly misses: Family<Value>;
}

/** A code without a name stands as its number. */
const rcodeLabel = (rcode: number): string => rcodeName(rcode).replace(/^RCODE/, '');

export function forwardMetrics(metrics: Metrics): ForwardMetrics {
  const proxy: ProxyFamilies = {
    duration: metrics.histogram(
      'proxy',
      'request_duration_seconds',
      'Histogram of the time each request took.',
      TIME_BOUNDS,
      ['proxy_name', 'to', 'rcode'],
    ),
    checkFailures: metrics.counter(
      'proxy',
      'healthcheck_failures_total',
      'Counter of the number of failed healthchecks.',
      ['proxy_name', 'to'],
    ),
    hits: metrics.counter(
      'proxy',
      'conn_cache_hits_total',
      'Counter of connection cache hits per upstream and protocol.',
      ['proxy_name', 'to', 'proto'],
    ),
    misses: metrics.counter(
      'proxy',
      'conn_cache_misses_total',
      'Counter of connection cache misses per upstream and protocol.',
      ['proxy_name', 'to', 'proto'],
    ),
  };
  return {
    broken: metrics
      .counter('forward', 'healthcheck_broken_total', 'Counter of the number of complete failures of the healthchecks.')
      .with(),
    rejected: metrics
      .counter(
        'forward',
        'max_concurrent_rejects_total',
        'Counter of the number of queries rejected because the concurrent queries were at maximum.',
      )
      .with(),
    upstream: (to) => new UpstreamMetrics(proxy, to),
  };
}
