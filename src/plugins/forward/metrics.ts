import { newStats, type Protocol, type ReuseCounters, type Upstream } from '../../exchange/index.js';
import type { Seconds } from '../../lib/units.js';
import { TIME_BOUNDS, type Family, type Histogram, type Metrics, type Value } from '../../metrics/metrics.js';
import { rcodeName } from '../../wire/index.js';

const PROXY_NAME = 'forward';

export interface ForwardMetrics {
  /** Times that all upstreams were down. */
  readonly broken: Value;
  /** Queries above `max_concurrent`. */
  readonly rejected: Value;
  /** Look-ups that were given up early: no upstream showed a sign of life. */
  readonly unreachable: Value;
  /** Queries answered with a failure of a short time ago. */
  readonly remembered: Value;
  readonly upstream: (to: string) => UpstreamMetrics;
}

/** The counters of one upstream. Series appear when there is something to count. */
export class UpstreamMetrics implements ReuseCounters {
  private readonly byRcode: Histogram[] = [];
  private readonly seen = newStats();
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

  /** A query was sent here early, beside one that was not late yet. */
  hedged(): void {
    this.families.hedges.with({ to: this.to }).inc();
  }

  /** The early one was answered first. */
  hedgeWon(): void {
    this.families.hedgesWon.with({ to: this.to }).inc();
  }

  unanswered(): void {
    this.families.unanswered.with({ to: this.to }).inc();
  }

  /** Sets what is looked at when somebody asks. */
  observe({ latency, slowest, isSilent, stats }: Upstream): void {
    const { to } = this;
    const { families } = this;
    if (latency !== undefined) families.latency.with({ to, quantile: 'mean' }).set(latency / 1000);
    if (slowest !== undefined) families.latency.with({ to, quantile: '0.95' }).set(slowest / 1000);
    if (isSilent || latency !== undefined) families.silent.with({ to }).set(isSilent ? 1 : 0);
    for (const reason of REASONS) {
      const more = stats[reason] - this.seen[reason];
      if (more === 0) continue;
      this.seen[reason] = stats[reason];
      families.wrong.with({ to, reason: WRONG[reason] }).inc(more);
    }
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

/** The `reason` of a reply that counted for nothing. */
const WRONG = {
  strays: 'id',
  mismatches: 'question',
  respelt: 'case',
  cookieless: 'cookie',
  malformed: 'format',
} as const;
const REASONS = ['strays', 'mismatches', 'respelt', 'cookieless', 'malformed'] as const;

interface ProxyFamilies {
  readonly hedges: Family<Value>;
  readonly hedgesWon: Family<Value>;
  readonly unanswered: Family<Value>;
  readonly latency: Family<Value>;
  readonly silent: Family<Value>;
  readonly wrong: Family<Value>;
  readonly duration: Family<Histogram>;
  readonly checkFailures: Family<Value>;
  readonly hits: Family<Value>;
  readonly misses: Family<Value>;
}

/** A code without a name stands as its number. */
const rcodeLabel = (rcode: number): string => rcodeName(rcode).replace(/^RCODE/, '');

export function forwardMetrics(metrics: Metrics): ForwardMetrics {
  const count = (name: string, help: string, ...labels: string[]): Family<Value> =>
    metrics.counter('forward', name, help, labels);
  const proxy: ProxyFamilies = {
    hedges: count('hedges_total', 'Counter of queries that were sent a second time before the first was late.', 'to'),
    hedgesWon: count('hedges_won_total', 'Counter of queries sent a second time that were answered first.', 'to'),
    unanswered: count('unanswered_total', 'Counter of attempts that got no reply in time.', 'to'),
    wrong: count('wrong_replies_total', 'Counter of replies that counted for nothing.', 'to', 'reason'),
    latency: metrics.gauge('forward', 'upstream_latency_seconds', 'Time that replies take, estimated.', [
      'to',
      'quantile',
    ]),
    silent: metrics.gauge(
      'forward',
      'upstream_silent',
      'Whether the upstream left a query unanswered and is left out.',
      ['to'],
    ),
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
    unreachable: count(
      'unreachable_total',
      'Counter of look-ups given up because no upstream showed signs of life.',
    ).with(),
    remembered: count(
      'failures_remembered_total',
      'Counter of queries answered with a failure of a short time ago.',
    ).with(),
    upstream: (to) => new UpstreamMetrics(proxy, to),
  };
}
