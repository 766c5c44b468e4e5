import type { Metrics, Value } from '../metrics/metrics.js';

/** Reloads that left the configuration before in force, whoever asked for them: a signal, a plugin, a node cache. */
export const reloadFailures = (metrics: Metrics): Value =>
  metrics.counter('reload', 'failed_total', 'Counter of the number of failed reload attempts.').with();
