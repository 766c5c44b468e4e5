import type { Metrics } from '../metrics/metrics.js';
import { EXTENDED_ERROR } from '../wire/index.js';
import type { ResponderHooks } from './respond.js';

/** Counts what clients are told of failures (RFC 8914), by code. */
export function countExtendedErrors(metrics: Metrics): NonNullable<ResponderHooks['answered']> {
  const family = metrics.counter(
    'dns',
    'extended_errors_total',
    'Counter of extended DNS errors that clients were told, by code.',
    ['server', 'code'],
  );
  return ({ client, hasEdns }, { edns }) => {
    if (edns === undefined || !hasEdns) return;
    for (const { code, data } of edns.options)
      if (code === EXTENDED_ERROR && data.length >= 2)
        family.with({ server: client.server.label, code: String((data[0]! << 8) | data[1]!) }).inc();
  };
}
