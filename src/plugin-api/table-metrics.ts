import type { Metrics } from '../metrics/metrics.js';

/** Metrics of one table, `coredns_PLUGIN_table_...` with the labels `table` and `zones`. */
export interface TableMetrics {
  size(entries: number): void;
  failed(): void;
  /** `seconds` since the last good load, asked at each scrape; undefined where there was none. */
  age(seconds: () => number | undefined): void;
  /** The table is no more; a table of the next configuration may have taken its place. */
  close(): void;
}

interface SeriesOwner {
  entries: number;
}

/**
 * The tables that a series belongs to, newest last: around a reload there are two, and the newer one goes first where
 * its configuration does not come to serve.
 */
const owners = new WeakMap<Metrics, Map<string, SeriesOwner[]>>();

export function tableMetrics(metrics: Metrics, plugin: string, table: string, zones: readonly string[]): TableMetrics {
  const labels = { table, zones: zones.join(' ') };
  const names = ['table', 'zones'];
  const entries = metrics.gauge(plugin, 'table_entries', 'Number of entries in the table.', names);
  const ages = metrics.gauge(plugin, 'table_age_seconds', 'Time since the last good load of the table.', names);
  const errors = metrics.counter(plugin, 'table_errors_total', 'Loads of the table that failed.', names);
  const held = owners.get(metrics) ?? new Map<string, SeriesOwner[]>();
  owners.set(metrics, held);
  const key = [plugin, table, labels.zones].join('\n');
  const self: SeriesOwner = { entries: 0 };
  const list = held.get(key) ?? [];
  held.set(key, [...list, self]);
  errors.with(labels);
  let forget = (): void => undefined;
  return {
    size: (count) => {
      self.entries = count;
      if (held.get(key)?.at(-1) === self) entries.with(labels).set(count);
    },
    failed: () => errors.with(labels).inc(),
    age: (seconds) => {
      forget = ages.onCollect(() => {
        const age = seconds();
        if (age !== undefined && held.get(key)?.at(-1) === self) ages.with(labels).set(age);
      });
    },
    close: () => {
      forget();
      const left = (held.get(key) ?? []).filter((owner) => owner !== self);
      held.set(key, left);
      const newest = left.at(-1);
      if (newest !== undefined) entries.with(labels).set(newest.entries);
      else {
        held.delete(key);
        entries.remove(labels);
        ages.remove(labels);
      }
    },
  };
}
