import { RefusedRequest } from '../../chain/index.js';
import { sleep, type Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { QueryTap, type TappedQuery } from '../../top/query-tap.js';
import type { TopRecorder } from '../../top/recorder.js';
import { jsonAnswer, type AdminRoute } from '../admin/admin-endpoint.js';

/** What `/queries` answers. */
export interface TappedQueries {
  readonly queries: readonly TappedQuery[];
  /** Queries of the share that there was no room for. */
  readonly lost: number;
}

/** How long queries are gathered for one answer, and how many at most. */
const TIME: Milliseconds = 1000;
const MOST = 10_000;

/** `/queries?share=0.1`: a share of what is asked within a second, to ask it elsewhere too. */
export const queriesRoute = (top: TopRecorder, clock: Clock): AdminRoute => ({
  path: '/queries',
  answer: async ({ query, signal }) => {
    const share = Number(query.get('share') ?? 1);
    if (!(share > 0 && share <= 1))
      throw new RefusedRequest(400, `share: got '${query.get('share')}', allowed: above 0, at most 1`);
    // What threads answered before is not part of it.
    top.refresh();
    const tap = new QueryTap(share, MOST);
    top.taps.add(tap);
    try {
      await sleep(clock, TIME, signal);
      top.refresh();
    } finally {
      top.taps.delete(tap);
    }
    const { queries, lost } = tap;
    return jsonAnswer({ queries, lost } satisfies TappedQueries);
  },
});
