import { RefusedRequest } from '../../chain/index.js';
import type { Server } from '../../server/server.js';
import type { TopRecorder } from '../../top/recorder.js';
import { SORTS, topReport, type TopWish } from '../../top/report.js';
import { jsonAnswer, type AdminRoute } from '../admin/admin-endpoint.js';

/** Rows of each list where nothing is said, and most. */
const ROWS = 20;
const MOST_ROWS = 1000;

/** `/top`: who asks, what, and what it costs. */
export const topRoute = (server: Pick<Server, 'clientLabel'>, top: TopRecorder): AdminRoute => ({
  path: '/top',
  answer: ({ query }) => {
    const wish = wishFrom(query);
    top.refresh();
    const podOf = (address: string): string | undefined => {
      const pod = server.clientLabel(address, 'kubernetes/client-pod-name');
      return pod && `${server.clientLabel(address, 'kubernetes/client-namespace') ?? ''}/${pod}`;
    };
    return jsonAnswer(topReport(top, top.upstreamLoads, podOf, wish));
  },
});

/** What a request says of the rows it wants; throws a RefusedRequest. */
export function wishFrom(query: URLSearchParams): TopWish {
  const rows = Number(query.get('rows') ?? ROWS);
  if (!Number.isInteger(rows) || rows < 1 || rows > MOST_ROWS)
    throw new RefusedRequest(400, `rows: got '${query.get('rows')}', allowed: 1 to ${MOST_ROWS}`);
  const asked = query.get('sort') ?? 'rate';
  const sort = SORTS.find((one) => one === asked);
  if (sort === undefined) throw new RefusedRequest(400, `sort: got '${asked}', allowed: ${SORTS.join(', ')}`);
  return { rows, sort, filter: (query.get('filter') ?? '').toLowerCase() };
}
