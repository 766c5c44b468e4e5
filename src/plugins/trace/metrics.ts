import type { Metrics } from '../../metrics/metrics.js';

/** Counts spans by what became of them. */
export function traceMetrics(metrics: Metrics): (outcome: 'sent' | 'dropped', spans: number) => void {
  const family = metrics.counter('trace', 'spans_total', 'Counter of spans, sent to the collector or dropped.', [
    'outcome',
  ]);
  return (outcome, spans) => family.with({ outcome }).inc(spans);
}
