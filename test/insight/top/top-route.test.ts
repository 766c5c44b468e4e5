import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../src/chain/index.js';
import { queriesRoute, type TappedQueries } from '../../../src/insight/top/queries-route.js';
import { topRoute, wishFrom } from '../../../src/insight/top/top-route.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { TopRecorder } from '../../../src/top/recorder.js';
import type { TopReport } from '../../../src/top/report.js';
import { encodeQuery } from '../compare/capture-writer.js';

describe('what a request asks for', () => {
  const wish = (text: string) => wishFrom(new URLSearchParams(text));

  it.each([
    ['nothing', '', { rows: 20, sort: 'rate', filter: '' }],
    ['all', 'rows=3&sort=nxdomain&filter=Pod', { rows: 3, sort: 'nxdomain', filter: 'pod' }],
    ['the least', 'rows=1', { rows: 1, sort: 'rate', filter: '' }],
    ['the most', 'rows=1000', { rows: 1000, sort: 'rate', filter: '' }],
  ])('%s', (_, text, expected) => expect(wish(text)).toEqual(expected));

  it.each([
    ['no row', 'rows=0', "rows: got '0', allowed: 1 to 1000"],
    ['too many rows', 'rows=1001', "rows: got '1001', allowed: 1 to 1000"],
    ['no number', 'rows=x', "rows: got 'x', allowed: 1 to 1000"],
    ['another order', 'sort=name', "sort: got 'name', allowed: rate, time, nxdomain"],
  ])('not %s', (_, text, message) =>
    expect(() => wish(text)).toThrow(expect.objectContaining({ message, status: 400 })),
  );
});

/** A recorder, and what a thread holds until it is asked: queries for a.example. */
function recording() {
  const clock = new ManualClock();
  const top = new TopRecorder(clock, [1, 2]);
  const held = { queries: 0 };
  const bytes = encodeQuery('a.example.', 'A');
  top.refreshed = () => {
    for (const tap of top.taps) tap.hits(bytes, 12, 1, false, held.queries, 0);
    top.hits(bytes, 12, 1, 0, held.queries);
    top.hitsOf(Uint8Array.of(...Array.from({ length: 10 }, () => 0), 255, 255, 10, 0, 0, 1), 0, held.queries, 0);
    held.queries = 0;
  };
  const asks = (query: string, signal = new AbortController().signal) =>
    ({ query: new URLSearchParams(query), signal }) as HttpRequest;
  return { clock, top, held, asks };
}

describe('the queries of a second', () => {
  /** What is told where a thread has three queries from before, and so many within the second. */
  async function told(query: string, queries: number): Promise<TappedQueries> {
    const { clock, top, held, asks } = recording();
    held.queries = 3;
    let body: unknown;
    const answer = Promise.resolve(queriesRoute(top, clock).answer(asks(query))).then((got) => (body = got.body));
    held.queries += queries;
    await clock.advanceAsync(999);
    expect([body, top.taps.size]).toEqual([undefined, 1]);
    await clock.advanceAsync(1);
    await answer;
    expect(top.taps.size).toBe(0);
    return JSON.parse(body as string) as TappedQueries;
  }
  const QUERY = { name: 'a.example.', type: 'A', proto: 'udp', do: false, bufsize: 0 };

  it.each([
    ['all, where nothing is said', '', 4, 4],
    ['all', 'share=1', 4, 4],
    ['a half', 'share=0.5', 4, 2],
  ])('%s', async (_, query, queries, count) =>
    expect(await told(query, queries)).toEqual({ queries: Array.from({ length: count }, () => QUERY), lost: 0 }),
  );
  it('no more than ten thousand', async () => {
    const { queries, lost } = await told('', 10_002);
    expect([queries.length, lost]).toEqual([10_000, 2]);
  });
  it.each(['0', '-1', '1.1', 'x'])('no share of %s', async (share) => {
    const { clock, top, asks } = recording();
    const message = `share: got '${share}', allowed: above 0, at most 1`;
    const answer = async () => queriesRoute(top, clock).answer(asks(`share=${share}`));
    await expect(answer()).rejects.toThrow(expect.objectContaining({ message, status: 400 }));
  });
  it('nobody looks on any more once who asked is gone', async () => {
    const { clock, top, asks } = recording();
    const gone = new AbortController();
    const answer = Promise.resolve(queriesRoute(top, clock).answer(asks('', gone.signal)));
    gone.abort(new Error('gone'));
    await expect(answer).rejects.toThrow('gone');
    expect(top.taps.size).toBe(0);
  });
});

describe('the report', () => {
  it.each([
    { name: 'of a pod', labels: { pod: 'web', namespace: 'shop' }, pod: 'shop/web' },
    { name: 'of no pod', labels: { namespace: 'shop' }, pod: undefined },
  ])('has what threads hold, and the client $name', async ({ labels, pod }) => {
    const { top, held, asks } = recording();
    held.queries = 4;
    const clientLabel = (address: string, name: string) =>
      address === '10.0.0.1' ? Object.entries(labels).find(([label]) => name.includes(`-${label}`))?.[1] : undefined;
    const { body } = await topRoute({ clientLabel }, top).answer(asks(''));
    const report = JSON.parse(body as string) as TopReport;
    expect(report.names.map(({ key }) => key)).toEqual(['a.example.']);
    expect(report.clients.map(({ key, pod: shown }) => [key, shown])).toEqual([['10.0.0.1', pod]]);
  });
});
