import { describe, expect, it } from 'vitest';
import { Reply, type ServerAddress } from '../../src/chain/index.js';
import { AddressBook } from '../../src/server/address-book.js';
import { ClientCounts } from '../../src/fastpath/client-counts.js';
import type { SharedAnswerCache, TableHits } from '../../src/fastpath/shared-answer-cache.js';
import type { UdpWorkerPool } from '../../src/fastpath/udp-worker-pool.js';
import { ManualClock } from '../../src/lib/clock.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { countExtendedErrors } from '../../src/server/extended-errors.js';
import { showKernel } from '../../src/server/kernel-metrics.js';
import { Places } from '../../src/server/places.js';
import { watchAnswers, watchHits } from '../../src/server/top.js';
import { QueryTap } from '../../src/top/query-tap.js';
import { TopRecorder } from '../../src/top/recorder.js';
import { topReport } from '../../src/top/report.js';
import { Rcode, Type, encodeName } from '../../src/wire/index.js';
import { query } from '../support/dns.js';

describe('places', () => {
  it('are taken up to the limit; who waits comes in order, as others leave', () => {
    let most = 2;
    const places = new Places(() => most);
    const begun: number[] = [];
    const enter = (one: number): void => places.enter(() => void begun.push(one));
    for (const one of [1, 2, 3, 4, 5]) enter(one);
    expect(begun).toEqual([1, 2]);
    places.leave();
    expect(begun).toEqual([1, 2, 3]);
    most = 1;
    places.leave();
    expect(begun).toEqual([1, 2, 3]);
    places.leave();
    expect(begun).toEqual([1, 2, 3, 4]);
    most = 3;
    places.leave();
    expect(begun).toEqual([1, 2, 3, 4, 5]);
    for (const one of [6, 7, 8]) enter(one);
    expect(begun).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('go to a long row of those who leave at once, one after the other', () => {
    const places = new Places(() => 1);
    let [begun, depth, deepest] = [0, 0, 0];
    places.enter(() => undefined);
    for (let i = 0; i < 1000; i++)
      places.enter(() => {
        begun++;
        deepest = Math.max(deepest, ++depth);
        places.leave();
        depth--;
      });
    places.leave();
    expect([begun, deepest]).toEqual([1000, 1]);
    places.enter(() => void begun++);
    places.enter(() => void begun++);
    expect(begun).toBe(1001);
    places.leave();
    expect(begun).toBe(1002);
  });
});

describe('who asks', () => {
  const REPORT = { rows: 20, sort: 'rate', filter: '' } as const;

  it('is counted with the time that the chain took, and what is done with answers is done', () => {
    const clock = new ManualClock();
    const top = new TopRecorder(clock, [1, 2]);
    const done: unknown[] = [];
    const asked = query('a.example.');
    clock.advance(asked.received - clock.monotonic() + 250);
    watchAnswers(clock, top, (of, reply) => void done.push(of, reply.rcode))(asked, Reply.empty(Rcode.NXDOMAIN));
    expect(done).toEqual([asked, Rcode.NXDOMAIN]);
    const { queries, nxdomain, time } = top.totals;
    expect([queries, nxdomain, time]).toEqual([1, 1, 0.25]);
    top.stop();
  });

  it('is not counted where nobody wants to know', () => {
    const first = (): void => undefined;
    expect(watchAnswers(new ManualClock(), undefined, first)).toBe(first);
  });

  it('is counted where threads answer: names from the table of answers, clients from the threads', () => {
    const clock = new ManualClock();
    const top = new TopRecorder(clock, [1, 2]);
    const counts = new ClientCounts(ClientCounts.allocate(1));
    const bytes = encodeName('a.example.');
    const hits: TableHits = {
      ...{ bytes, name: 0, type: Type.A, signed: true, rcode: Rcode.NXDOMAIN, plain: 3, edns: 2 },
    };
    const cache = {
      watcher: undefined as ((hits: TableHits) => void) | undefined,
      harvest: (): void => cache.watcher?.(hits),
    };
    const pool = { clients: [counts] } as unknown as UdpWorkerPool;
    watchHits(top, pool, cache as unknown as SharedAnswerCache);
    const tap = new QueryTap(1, 10);
    top.taps.add(tap);
    const address = new Int32Array(Uint8Array.of(192, 0, 2, 9).buffer);
    for (let i = 0; i < 5; i++) counts.add(address, 0, false, i < 4);
    clock.advance(1);
    top.refresh();
    const { clients, names, nxdomain } = topReport(top, [], () => undefined, REPORT);
    expect([clients, names, nxdomain]).toEqual([
      [expect.objectContaining({ key: '192.0.2.9', share: 1, nxdomain: 0.8 })],
      [expect.objectContaining({ key: 'a.example.', share: 1, nxdomain: 1 })],
      1,
    ]);
    expect(top.totals).toMatchObject({ queries: 5, withoutChain: 5 });
    expect(tap.queries.map((one) => [one.name, one.do, one.bufsize])).toEqual([
      ...Array<unknown>(3).fill(['a.example.', true, 0]),
      ...Array<unknown>(2).fill(['a.example.', true, 1232]),
    ]);
    top.stop();
  });
});

describe('an address of a server', () => {
  it('has one number for good, and one stand-in under which what no client asks is counted', () => {
    const book = new AddressBook();
    const made = (): ServerAddress[] => {
      const own = book.of('dns', '127.0.0.1', 53);
      return [own, book.standIn(own), book.of('tls', '127.0.0.1', 853)];
    };
    const first = made();
    expect(first.map(({ index, label }) => `${index} ${label}`)).toEqual([
      '0 dns://127.0.0.1:53',
      '1 explain',
      '2 tls://127.0.0.1:853',
    ]);
    expect(first[1]!.standsFor).toBe(first[0]);
    made().forEach((again, i) => expect(again).toBe(first[i]));
  });
});

describe('what became of queries in the kernel', () => {
  it.each([
    { name: 'shows from its first query on', outcomes: { answered: 7, dropped: 0, edns: 1 }, want: [7, undefined, 1] },
    { name: 'does not show where the kernel does not answer', outcomes: undefined, want: [undefined] },
  ])('$name', async ({ outcomes, want }) => {
    const metrics = new Metrics();
    const below = outcomes && { outcomes: () => outcomes };
    showKernel(metrics, { below } as unknown as UdpWorkerPool);
    const text = await metrics.text();
    expect(
      Object.keys(outcomes ?? { answered: 0 }).map((outcome) => {
        const found = new RegExp(`^coredns_dns_kernel_queries_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm').exec(text);
        return found === null ? undefined : Number(found[1]);
      }),
    ).toEqual(want);
  });
});

describe('what clients are told of failures', () => {
  const option = (code: number, ...data: readonly number[]) => ({ code, data: Uint8Array.from(data) });
  const OPTIONS = [option(15, 0, 22), option(15, 1, 2, 0x61), option(15, 7), option(3, 0, 9), option(15, 0, 22)];
  const COUNTS = ['coredns_dns_extended_errors_total{code="22",server="dns://127.0.0.1:53"} 2'];

  it.each([
    {
      name: 'counts by code',
      asked: { edns: 1232 },
      options: OPTIONS,
      want: [...COUNTS, COUNTS[0]!.replace('"22"', '"258"').replace(' 2', ' 1')],
    },
    { name: 'does not count where the client takes none', asked: {}, options: OPTIONS, want: [] },
    { name: 'does not count where there is none', asked: { edns: 1232 }, options: undefined, want: [] },
  ])('$name', async ({ asked, options, want }) => {
    const metrics = new Metrics();
    const edns = options && { udpSize: 1232, version: 0, do: false, options };
    countExtendedErrors(metrics)(query('a.example.', 'A', asked), Reply.of(0, 2, {}, edns));
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('coredns_dns_extended_errors'));
    expect(lines).toEqual(want);
  });
});
