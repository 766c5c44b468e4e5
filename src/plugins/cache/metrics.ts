import { PerServer, type ServerAddress } from '../../chain/index.js';
import type { Family, Labels, Metrics, Value } from '../../metrics/metrics.js';
import type { CacheType } from './options.js';

/** A series that appears in a scrape from its first count on, as the reference's do. */
class Series {
  private bound: Value | undefined;

  constructor(
    private readonly family: Family<Value>,
    private readonly labels: Labels,
  ) {}

  inc(by = 1): void {
    (this.bound ??= this.family.with(this.labels)).inc(by);
  }

  set(value: number): void {
    (this.bound ??= this.family.with(this.labels)).set(value);
  }
}

/** The counts of one cache at one listening address. */
export interface CacheMetrics {
  readonly requests: Series;
  readonly misses: Series;
  readonly prefetches: Series;
  readonly servedStale: Series;
  readonly drops: Series;
  readonly hits: Readonly<Record<CacheType, Series>>;
  readonly entries: Readonly<Record<CacheType, Series>>;
  readonly evictions: Readonly<Record<CacheType, Series>>;
}

/** `zones` is the label of that name: the cache's zones in order, separated by commas. */
export function cacheMetrics(metrics: Metrics, zones: string, view: () => string): PerServer<CacheMetrics> {
  const counter = (name: string, help: string, ...more: string[]): Family<Value> =>
    metrics.counter('cache', name, help, ['server', 'zones', 'view', ...more]);
  const requests = counter('requests_total', 'The count of cache requests.');
  const misses = counter(
    'misses_total',
    'The count of cache misses. Deprecated, derive misses from cache hits/requests counters.',
  );
  const prefetches = counter('prefetch_total', 'The number of times the cache has prefetched a cached item.');
  const servedStale = counter('served_stale_total', 'The number of requests served from stale cache entries.');
  const drops = counter('drops_total', 'The number responses that are not cached, because the reply is malformed.');
  const hits = counter('hits_total', 'The count of cache hits.', 'type');
  const evictions = counter('evictions_total', 'The count of cache evictions.', 'type');
  const entries = metrics.gauge('cache', 'entries', 'The number of elements in the cache.', [
    'server',
    'type',
    'zones',
    'view',
  ]);
  return new PerServer<CacheMetrics>((server: ServerAddress) => {
    const labels = { server: server.label, zones, view: view() };
    const perType = (family: Family<Value>): Record<CacheType, Series> => ({
      success: new Series(family, { ...labels, type: 'success' }),
      denial: new Series(family, { ...labels, type: 'denial' }),
    });
    return {
      requests: new Series(requests, labels),
      misses: new Series(misses, labels),
      prefetches: new Series(prefetches, labels),
      servedStale: new Series(servedStale, labels),
      drops: new Series(drops, labels),
      hits: perType(hits),
      entries: perType(entries),
      evictions: perType(evictions),
    };
  });
}
