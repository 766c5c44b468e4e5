import { PerServer, QuerySeries, type Query, type Runtime } from '../chain/index.js';
import { Rcode } from '../wire/index.js';

/** Counts queries that reach no server block, under a zone of their own. */
export function countRefused({ metrics, clock }: Runtime): (query: Query) => void {
  const dropped = new PerServer((server) => new QuerySeries(metrics, server.label, 'dropped'));
  return (query) => {
    const seconds = (clock.monotonic() - query.received) / 1000;
    dropped.get(query.client.server).count(query, seconds, Rcode.REFUSED, query.questionEnd, 'nobody');
  };
}
