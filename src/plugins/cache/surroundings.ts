import type { PerServer } from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Family, Value } from '../../metrics/metrics.js';
import type { ByteBudget } from './byte-budget.js';
import type { CacheMetrics } from './metrics.js';

/** What the cache needs from the block it stands in. */
export interface CacheSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  /** What this cache and all others of the server may keep. */
  readonly budget: ByteBudget;
  readonly metrics: PerServer<CacheMetrics>;
  /** Counts faults of handlers in background refreshes, which the server does not see. */
  readonly panics: Family<Value>;
  /** Tells it from the other caches of the configuration. */
  readonly keptAs: string;
  /** The cache's zones cover every name that can reach it. */
  readonly everyZone: boolean;
}
