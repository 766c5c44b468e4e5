import type { ProvidesTap } from '../../chain/index.js';
import type { Deadlines } from '../../exchange/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import type { HedgeBudget } from './hedges.js';
import type { ForwardMetrics } from './metrics.js';
import type { ForwardOptions } from './options.js';
import type { UpstreamPolicy } from './policy.js';
import type { Proxy } from './proxy.js';

/** What all look-ups of one directive share. */
export interface LookupSettings {
  readonly options: ForwardOptions;
  readonly proxies: readonly Proxy[];
  readonly policy: UpstreamPolicy;
  readonly metrics: ForwardMetrics;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  readonly random: Random;
  readonly hedges: HedgeBudget;
  /** Look-ups that were given up and whose answers are still waited for. */
  readonly late: { waiting: number };
  /** Whether the next handler is a forward too: only then option `next` hands a query on. */
  readonly hasNextForward: boolean;
  /** Who wants to hear of what is asked and answered. */
  taps: readonly ProvidesTap[];
}
