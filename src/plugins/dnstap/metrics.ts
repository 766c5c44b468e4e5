import type { Metrics, Value } from '../../metrics/metrics.js';

/** Counters of one tap. */
export const dnstapMetrics = (metrics: Metrics, socket: string): { readonly dropped: Value } => ({
  dropped: metrics
    .counter('dnstap', 'dropped_total', 'Counter of messages that a reader was too slow for, or not there.', ['socket'])
    .with({ socket }),
});
