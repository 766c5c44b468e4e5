import type { Metrics } from '../metrics/metrics.js';
import { LOSS_REASONS, type Losses } from '../net/losses.js';

/** Shows in each scrape how many datagrams were lost on their way out, by reason; a reason from its first one on. */
export function showLosses(metrics: Metrics, counts: readonly (Losses | undefined)[]): void {
  const family = metrics.counter(
    'dns',
    'unsent_datagrams_total',
    'Counter of datagrams that the system did not take, by reason.',
    ['reason'],
  );
  metrics.onScrape(() => {
    for (const reason of LOSS_REASONS) {
      const lost = counts.reduce((sum, losses) => sum + (losses?.of(reason) ?? 0), 0);
      if (lost > 0) family.with({ reason }).set(lost);
    }
  });
}
