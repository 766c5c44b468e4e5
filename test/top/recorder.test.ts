import { describe, expect, it } from 'vitest';
import { ClientCounts } from '../../src/fastpath/client-counts.js';
import { ManualClock } from '../../src/lib/clock.js';
import { seededRandom } from '../../src/lib/random.js';
import type { Octets } from '../../src/lib/units.js';
import { ADDRESS, TopRecorder } from '../../src/top/recorder.js';
import { topReport, type TopReport, type TopWish } from '../../src/top/report.js';
import { QueryTap } from '../../src/top/query-tap.js';
import { UpstreamLoads, type UpstreamLoad } from '../../src/top/upstreams.js';
import { Metrics, TIME_BOUNDS } from '../../src/metrics/metrics.js';
import { Rcode, Type, encodeName } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { Zipf } from './zipf.js';

const NAMES = 1_000_000;
const CLIENTS = 100_000;
const WISH: TopWish = { rows: 20, sort: 'rate', filter: '' };

const MOST_MEMORY: Octets = 2 << 20;

function recorder(): { clock: ManualClock; top: TopRecorder; report: (wish?: Partial<TopWish>) => TopReport } {
  const clock = new ManualClock();
  const top = new TopRecorder(clock, [0x1234_5678, 0x9abc_def0]);
  const report = (wish?: Partial<TopWish>): TopReport => topReport(top, [], () => undefined, { ...WISH, ...wish });
  return { clock, top, report };
}

/** The keys with the highest counts. */
const heaviest = (counts: Uint32Array, most: number): number[] =>
  [...counts.keys()].sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, most);

describe('the 20 heaviest, within 5 %', () => {
  const DRAWS = 500_000;

  it('of a million names', () => {
    const { clock, top, report } = recorder();
    const zipf = new Zipf(NAMES, seededRandom(1));
    const truth = new Uint32Array(NAMES);
    for (let second = 0; second < 10; second++) {
      const hits = new Map<number, number>();
      for (let i = 0; i < DRAWS / 10; i++) {
        const name = zipf.draw();
        truth[name]!++;
        hits.set(name, (hits.get(name) ?? 0) + 1);
      }
      for (const [name, count] of hits) top.hits(encodeName(`n${name}.example.org.`), 0, Type.A, Rcode.NOERROR, count);
      top.tick();
    }
    clock.advance(1);
    top.stop();
    const rows = report().names;
    const want = heaviest(truth, 20);
    expect(new Set(rows.map(({ key }) => key))).toEqual(new Set(want.map((name) => `n${name}.example.org.`)));
    for (const { key, share } of rows) {
      const count = truth[Number(/\d+/.exec(key)![0])]!;
      expect(Math.abs(share * DRAWS - count) / count).toBeLessThan(0.05);
    }
  });

  it('of a hundred thousand clients, counted by three threads that are asked ten times', () => {
    const { clock, top, report } = recorder();
    const threads = [1, 2, 3].map(() => new ClientCounts(ClientCounts.allocate(3)));
    const zipf = new Zipf(CLIENTS, seededRandom(2));
    const truth = new Uint32Array(CLIENTS);
    const address = new Int32Array(1);
    for (let i = 0; i < DRAWS; i++) {
      const client = zipf.draw();
      truth[client]!++;
      new DataView(address.buffer).setUint32(0, 0x0a00_0000 + client);
      // A client's port decides which thread has it: one client may come to all of them.
      threads[i % 3]!.add(address, 0, false, client % 4 === 0);
      top.totals.queries++;
      if (i % (DRAWS / 10) === DRAWS / 10 - 1)
        for (const counts of threads) counts.take((bytes, count, nxdomain) => top.hitsOf(bytes, 0, count, nxdomain));
    }
    clock.advance(1);
    top.stop();
    const rows = report().clients;
    const text = (client: number): string => `10.${client >> 16}.${(client >> 8) & 255}.${client & 255}`;
    const want = heaviest(truth, 20);
    expect(new Set(rows.map(({ key }) => key))).toEqual(new Set(want.map(text)));
    for (const { key, share, nxdomain } of rows) {
      const client = want.find((one) => text(one) === key)!;
      expect(Math.abs(share * DRAWS - truth[client]!) / truth[client]!).toBeLessThan(0.05);
      expect(nxdomain).toBe(client % 4 === 0 ? 1 : 0);
    }
    expect(top.memory + threads.reduce((all, { size }) => all + size, 0)).toBeLessThan(MOST_MEMORY);
  });

  it('with as many threads as there may be, in the same memory', () => {
    const { top } = recorder();
    top.stop();
    const threads = Array.from({ length: 16 }, () => new ClientCounts(ClientCounts.allocate(16)));
    expect(top.memory + threads.reduce((all, { size }) => all + size, 0)).toBeLessThan(MOST_MEMORY);
  });
});

it('takes a client of IPv6, and IPv4 in its form, for what they are', () => {
  const { clock, top, report } = recorder();
  const counts = new ClientCounts(ClientCounts.allocate(1));
  const words = (bytes: readonly number[]): Int32Array => new Int32Array(Uint8Array.from(bytes).buffer);
  const doc = [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(ADDRESS - 5).fill(0), 7];
  counts.add(words(doc), 0, true, false);
  counts.add(words(doc), 0, true, true);
  counts.add(words([192, 0, 2, 9]), 0, false, false);
  counts.take((bytes, count, nxdomain) => top.hitsOf(bytes, 0, count, nxdomain));
  counts.take(() => expect.unreachable('it was taken already'));
  clock.advance(1);
  top.stop();
  expect(report().clients.map(({ key, nxdomain }) => [key, nxdomain])).toEqual([
    ['2001:db8::7', 0.5],
    ['192.0.2.9', 0],
  ]);
});

it('shows a name in small letters, and its other octets as they are', () => {
  const { clock, top, report } = recorder();
  const octets = Uint8Array.of(0x40, 0x41, 0x5a, 0x5b, 0x7f, 0x80, 0xc1, 0xff);
  top.hits(Uint8Array.of(octets.length, ...octets, 0), 0, Type.A, Rcode.NOERROR, 1);
  clock.advance(1);
  top.stop();
  expect(report().names.map(({ key }) => key)).toEqual(['\\@az[\\127\\128\\193\\255.']);
});

describe('rates', () => {
  const asked = (top: TopRecorder, name: string, count: number, rcode: number = Rcode.NOERROR): void =>
    top.hits(encodeName(name), 0, Type.A, rcode, count);

  it('are those of now, whatever was asked before', () => {
    const { clock, top, report } = recorder();
    for (let second = 0; second < 3600; second++) {
      asked(top, second < 3000 ? 'early.example.' : 'late.example.', 100);
      clock.advance(1000);
    }
    top.stop();
    const { names, rate } = report();
    expect(Math.abs(rate - 100)).toBeLessThan(1);
    expect(names.map(({ key }) => key)).toEqual(['late.example.', 'early.example.']);
    expect(Math.abs(names[0]!.rate - 100)).toBeLessThan(1);
    expect(names[1]!.rate).toBeLessThan(0.1);
  });

  it('are right from the first second on, and after days', () => {
    const { clock, top, report } = recorder();
    asked(top, 'a.example.', 50);
    clock.advance(1000);
    expect(report().rate).toBeCloseTo(50, 0);
    clock.advance(3 * 86_400_000);
    for (let second = 0; second < 600; second++) {
      asked(top, 'b.example.', 7);
      clock.advance(1000);
    }
    top.stop();
    expect(Math.abs(report().rate - 7)).toBeLessThan(0.1);
    expect(report().names[0]).toMatchObject({ key: 'b.example.', nxdomain: 0 });
  });

  it('are put in order by what is asked for, and filtered', () => {
    const { clock, top, report } = recorder();
    asked(top, 'many.example.', 100);
    asked(top, 'none.example.', 10, Rcode.NXDOMAIN);
    clock.advance(1000);
    top.stop();
    const keys = (wish: Partial<TopWish>): string[] => report(wish).names.map(({ key }) => key);
    expect(keys({})).toEqual(['many.example.', 'none.example.']);
    expect(keys({ sort: 'nxdomain' })).toEqual(['none.example.', 'many.example.']);
    expect(keys({ filter: 'non' })).toEqual(['none.example.']);
    expect(keys({ rows: 1 })).toEqual(['many.example.']);
  });

  it('show a name that is longer than its place without its beginning', () => {
    const { clock, top, report } = recorder();
    const label = 'x'.repeat(60);
    asked(top, `a.${label}.${label}.example.`, 1);
    clock.advance(1000);
    top.stop();
    expect(report().names[0]!.key).toBe(`...${label}.example.`);
  });
});

describe('names that do not exist', () => {
  const walk = (top: TopRecorder, name: string, domains: readonly string[]): void => {
    for (const domain of domains) top.hits(encodeName(`${name}${domain}`), 0, Type.A, Rcode.NXDOMAIN, 1);
    top.hits(encodeName(name), 0, Type.A, Rcode.NOERROR, 1);
  };
  const DOMAINS = ['ns1.svc.cluster.local.', 'svc.cluster.local.', 'cluster.local.', 'corp.example.'];

  it('are walks along search paths where clients ask for the same name without a domain', () => {
    const { clock, top, report } = recorder();
    for (let round = 0; round < 100; round++) walk(top, `www${round % 10}.example.com.`, DOMAINS);
    top.hits(encodeName('typo.ns1.svc.cluster.local.'), 0, Type.A, Rcode.NXDOMAIN, 50);
    clock.advance(1000);
    top.stop();
    const { searches, searched, nxdomain } = report();
    expect(searches.map(({ key }) => key).sort()).toEqual([...DOMAINS].sort());
    expect(nxdomain).toBeCloseTo(450 / 550, 2);
    // The first walks are not known for what they are before their last query.
    expect(searched).toBeGreaterThan(0.89 * (400 / 550));
    expect(searched).toBeLessThanOrEqual(400 / 550);
  });

  it('are told by the ends that they have in common, the longest that says it all', () => {
    const { clock, top, report } = recorder();
    for (let i = 0; i < 200; i++) top.hits(encodeName(`r${i}.victim.example.`), 0, Type.A, Rcode.NXDOMAIN, 1);
    for (let i = 0; i < 100; i++) top.hits(encodeName(`r${i}.other.example.`), 0, Type.A, Rcode.NXDOMAIN, 1);
    clock.advance(1000);
    top.stop();
    const rows = report({ rows: 3 }).suffixes;
    expect(rows.map(({ key, share }) => [key, Number(share.toFixed(2))])).toEqual([
      ['example.', 1],
      ['victim.example.', 0.67],
      ['other.example.', 0.33],
    ]);
  });

  it('cost no more where very many do not exist', () => {
    const { clock, top, report } = recorder();
    for (let i = 0; i < 40_000; i++) top.hits(encodeName(`r${i}.victim.example.`), 0, Type.A, Rcode.NXDOMAIN, 1);
    clock.advance(1);
    top.stop();
    const [first] = report({ filter: 'victim.example.', rows: 1 }).suffixes;
    expect(first!.share).toBeCloseTo(1, 1);
  });
});

describe('what the chain answers', () => {
  const CLIENTS_OF = ['2001:db8::7', '192.0.2.9', '2001:db8::7', '::ffff:192.0.2.9', 'somewhere', '2001:db8::7'];

  it('is counted by client, whatever form its address has, and told to who wants queries themselves', () => {
    const { clock, top, report } = recorder();
    const tap = new QueryTap(1, 100);
    top.taps.add(tap);
    for (const remote of CLIENTS_OF) top.answered(query('a.example.', 'A', { remote }), Rcode.NOERROR, 0.5);
    clock.advance(1);
    top.stop();
    const { clients, names } = report();
    expect(clients.map(({ key, share, nxdomain }) => [key, Math.round(6 * share), nxdomain])).toEqual([
      ['2001:db8::7', 3, 0],
      ['192.0.2.9', 2, 0],
    ]);
    expect(names.map(({ key, share }) => [key, share])).toEqual([['a.example.', 1]]);
    expect(clients.map(({ time, rate }) => time! / rate)).toEqual([0.5, 0.5]);
    expect(tap.queries).toHaveLength(6);
  });

  it.each([
    { sort: 'rate', want: ['AAAA', 'MX', 'other', 'A'] },
    { sort: 'time', want: ['A', 'other', 'MX', 'AAAA'] },
    { sort: 'nxdomain', want: ['MX', 'AAAA', 'A', 'other'] },
  ] as const)('is put in order of types by $sort', ({ sort, want }) => {
    const { clock, top, report } = recorder();
    const ask = (type: string, count: number, missing: number, time: number): void => {
      for (let i = 0; i < count; i++)
        top.answered(query('a.example.', type), i < missing ? Rcode.NXDOMAIN : Rcode.NOERROR, time / count);
    };
    ask('A', 4, 1, 40);
    ask('MX', 6, 6, 20);
    ask('AAAA', 8, 2, 10);
    ask('TYPE65280', 5, 0, 30);
    clock.advance(1);
    top.stop();
    expect(report({ sort }).types.map(({ key }) => key)).toEqual(want);
  });
});

describe('upstreams', () => {
  it('are put in order of what queries wait for at them', () => {
    const { top } = recorder();
    top.stop();
    const load = (to: string, rate: number, latency: number | undefined, unanswered: number): UpstreamLoad => ({
      ...{ to, rate, latency, unanswered },
    });
    const loads = [
      load('idle', 1, undefined, 0),
      load('quick', 5, 0.1, 0),
      load('lossy', 1, 1, 3),
      load('slow', 2, 1, 0),
    ];
    const { upstreams } = topReport(top, loads, () => undefined, WISH);
    expect(upstreams.map(({ to }) => to)).toEqual(['lossy', 'slow', 'quick', 'idle']);
  });

  it('are as busy as they were of late', () => {
    const metrics = new Metrics();
    const labels = { proxy_name: 'forward', to: '192.0.2.53:53', rcode: 'NOERROR' };
    const times = metrics.histogram('proxy', 'request_duration_seconds', '', TIME_BOUNDS, Object.keys(labels));
    const silent = metrics.counter('forward', 'unanswered_total', '', ['to']).with({ to: labels.to });
    const loads = new UpstreamLoads(metrics);
    const now = (): unknown[] =>
      loads.loads(2000).map(({ rate, latency, unanswered }) => [rate, latency?.toFixed(3), unanswered]);
    times.with(labels).observe(0.02, 200);
    silent.inc(4);
    loads.tick(1);
    expect(now()).toEqual([[100, '0.020', 2]]);
    loads.tick(0.5);
    expect(now()).toEqual([[50, '0.020', 1]]);
    times.with(labels).observe(0.05, 100);
    loads.tick(0.5);
    expect(now()).toEqual([[75, '0.040', 0.5]]);
    loads.tick(0);
    expect(now()).toEqual([[0, undefined, 0]]);
  });
});
