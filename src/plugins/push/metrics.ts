import type { Metrics } from '../../metrics/metrics.js';

export type PushMetrics = ReturnType<typeof pushMetrics>;

/** Counts of one server, all its blocks together. */
export function pushMetrics(metrics: Metrics) {
  const counter = (name: string, help: string) => metrics.counter('push', name, help).with();
  return {
    subscriptions: metrics.gauge('push', 'entries', 'Subscriptions to zones at the moment.').with(),
    changes: counter('changes_total', 'Counter of changed names, each once for all subscribers.'),
    messages: counter('messages_total', 'Counter of messages with changes that were sent.'),
    bytes: counter('bytes_total', 'Counter of bytes of messages with changes that were sent.'),
    behind: counter('behind_total', 'Counter of subscribers told that a whole zone has changed, being too slow.'),
    refused: counter('refused_total', 'Counter of refused subscriptions.'),
  };
}
