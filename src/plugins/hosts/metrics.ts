import type { Family, Metrics, Value } from '../../metrics/metrics.js';

export interface HostsMetrics {
  /** By the file's path. */
  readonly entries: Family<Value>;
  /** Seconds since 1970: when the file that was read last had changed. */
  readonly reloaded: Value;
}

export const hostsMetrics = (metrics: Metrics): HostsMetrics => ({
  entries: metrics.gauge('hosts', 'entries', 'The combined number of entries in hosts and Corefile.', ['hostsfile']),
  reloaded: metrics
    .gauge('hosts', 'reload_timestamp_seconds', 'The timestamp of the last reload of hosts file.')
    .with(),
});
