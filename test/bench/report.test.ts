import { describe, expect, it } from 'vitest';
import { OUTSIDE, rightAnswers } from './cluster.js';
import { MEASURE, OWN, ratios, startTable, summary, table, type Row } from './report.js';
import { SCENARIOS } from './scenarios.js';

const row = (scenario: string, peer: string, cpu: number, more: Partial<Row> = {}): Row => ({
  scenario,
  peer,
  cpu,
  perSecond: 100_000,
  p50: 0.3,
  p99: 2,
  lost: 0,
  memory: 90,
  start: 400,
  ...more,
});

describe('ratios', () => {
  it.each([
    {
      name: 'a peer in the same scenario',
      rows: [row('a', OWN, 5), row('a', 'unbound', 4)],
      want: [{ scenario: 'a', peer: 'unbound', against: 'a', ratio: 1.25 }],
    },
    {
      name: 'a peer that cannot do it, by its cache hits',
      rows: [row('a', OWN, 5), row(MEASURE, 'unbound', 4)],
      want: [{ scenario: 'a', peer: 'unbound', against: MEASURE, ratio: 1.25 }],
    },
    { name: 'a peer that was not measured in either', rows: [row('a', OWN, 5), row('b', 'unbound', 4)], want: [] },
    {
      name: 'no peer where cores are shared',
      rows: [row('a', OWN, 5, { threads: 2 }), row(MEASURE, 'unbound', 4)],
      want: [],
    },
    { name: 'nobody', rows: [], want: [] },
  ])('compares with $name', ({ rows, want }) => expect(ratios(rows)).toEqual(want));
});

describe('summary', () => {
  it.each([
    {
      name: 'memory of services',
      want: { memoryPerThousandServices: 1.5 },
      rows: [
        row('cluster names, many', OWN, 5, { services: 50_000, memory: 160 }),
        row('cluster names, few', OWN, 5, { services: 10_000, memory: 100 }),
        row('list', OWN, 5, { services: 10_000, memory: 7 }),
      ],
    },
    {
      name: 'a large zone',
      want: { zoneToCacheHit: 1.25 },
      rows: [row('zone of many names', OWN, 5), row(MEASURE, OWN, 4), row(MEASURE, 'unbound', 1)],
    },
    {
      name: 'threads',
      want: {
        oneCore: [{ peer: OWN, perQuery: 10 }],
        threads: { count: 2, cpu: 1.1, perSecond: 1.5 },
      },
      rows: [row('one', OWN, 10, { threads: 1 }), row('two', OWN, 11, { threads: 2, perSecond: 150_000 })],
    },
    {
      name: 'of one number of threads what client and server take together, and nothing of one size of cluster',
      want: { oneCore: [{ peer: OWN, perQuery: 10 }] },
      rows: [row('cluster names', OWN, 5, { services: 10_000 }), row('one', OWN, 10, { threads: 1 })],
    },
  ])('tells $name', ({ rows, want }) => expect(summary(rows)).toEqual(want));
});

it('writes a table with the ratios and what the rows say together', () => {
  const rows = [
    row(MEASURE, OWN, 5),
    row(MEASURE, 'unbound', 4),
    row('cluster names', OWN, 6, { services: 10_000 }),
    row('one', OWN, 10, { threads: 1 }),
    row('two', OWN, 11, { threads: 2 }),
  ];
  expect(table(rows).split('\n')).toEqual([
    'scenario                server   CPU us/query  queries/s  p50 ms  p99 ms  lost  RSS MB  start ms  of unbound',
    'cache hit, 1,000 names  nodens            5.0     100000    0.30     2.0     0      90       400       1.25',
    'cache hit, 1,000 names  unbound           4.0     100000    0.30     2.0     0      90       400',
    'cluster names           nodens            6.0     100000    0.30     2.0     0      90       400       1.50*',
    'one                     nodens           10.0     100000    0.30     2.0     0      90       400',
    'two                     nodens           11.0     100000    0.30     2.0     0      90       400',
    '',
    `* of its CPU time for: ${MEASURE}`,
    '',
    'client and server on one core, us per query: nodens 10.0',
    '',
    '2 threads on as many cores, shared with the load: CPU time per query 1.10 times that of one, queries per second 1.00 times',
  ]);
});

describe('right answers', () => {
  it.each([
    { question: 'svc7.ns7.svc.cluster.local A', want: { rcode: 'NOERROR', address: '10.96.0.7' } },
    { question: 'sVc7.ns7.SVc.cLuSteR.lOCAl A', want: { rcode: 'NOERROR', address: '10.96.0.7' } },
    { question: 'svc7.ns7.svc.cluster.local AAAA', want: { rcode: 'NOERROR', address: undefined } },
    { question: 'svc7.ns8.svc.cluster.local A', want: { rcode: 'NXDOMAIN', address: undefined } },
    { question: 'kube-dns.kube-system.svc.cluster.local A', want: { rcode: 'NOERROR', address: '10.98.0.1' } },
    { question: '1-2-3-4.default.pod.cluster.local A', want: { rcode: 'NOERROR', address: '1.2.3.4' } },
    { question: '1-2-3-4.nowhere.pod.cluster.local A', want: { rcode: 'NXDOMAIN', address: undefined } },
    { question: 'google.com.cluster.local AAAA', want: { rcode: 'NXDOMAIN', address: undefined } },
    { question: 'google.com A', want: { rcode: 'NOERROR', address: OUTSIDE } },
    { question: 'google.com AAAA', want: { rcode: 'NOERROR', address: undefined } },
  ])('$question', ({ question, want }) => expect(rightAnswers(10)(question)).toEqual(want));

  it('are known for every question of every scenario', () => {
    for (const { queries } of SCENARIOS)
      for (const question of queries()) expect(question).toMatch(/^[a-z0-9.-]+ (A|AAAA)$/);
  });
});

describe('starts', () => {
  it('are compared with the first of their scenario', () =>
    expect(
      startTable([
        { scenario: 'start: a', peer: 'node -e 0', ms: 40 },
        { scenario: 'start: a', peer: OWN, ms: 50 },
        { scenario: 'start: b', peer: OWN, ms: 200, memory: 70.4, cpu: 180 },
        { scenario: 'start: b', peer: 'nodens, before', ms: 410, memory: 75 },
      ]).split('\n'),
    ).toEqual([
      'scenario  program          ms  times  CPU ms  RSS MB',
      'start: a  node -e 0        40   1.00',
      'start: a  nodens           50   1.25',
      'start: b  nodens          200   1.00     180      70',
      'start: b  nodens, before  410   2.05              75',
    ]));
});
