import { describe, expect, it } from 'vitest';
import type { ExplainedQuery, Explanation, Hop } from '../../src/lab/web/api.js';
import { costText, endOf, framesOf, hitsOf, startOf, toneOf, whyText } from '../../src/page/frames.js';

const hop = (kind: Hop['kind'], depth: number, at: string | undefined, more: Partial<Hop> = {}): Hop => ({
  kind,
  depth,
  at,
  text: `${kind} ${at}`,
  ...more,
});
const query = (type: string, hops: readonly Hop[], result = 'NXDOMAIN'): ExplainedQuery => ({
  type,
  protocol: 'udp',
  server: '10.96.0.10',
  result,
  started: 0,
  time: 1,
  text: `${type} answered ${result}`,
  aliases: [],
  reasons: [],
  hops,
});

const POD = 'pod/default/curl-pod';
const DNS = 'service/kube-system/kube-dns';
const CACHE = 'pod/kube-system/node-local-dns-x';
const UPSTREAM = 'service/kube-system/kube-dns-upstream';
const CORE = 'pod/kube-system/coredns-y';

/** Through a node cache to the cluster's DNS, then a hit. */
const STORY: Explanation = {
  pod: { id: POD, namespace: 'default', name: 'curl-pod', ip: '172.20.1.236', node: 'k8s-ctr' },
  asked: 'a.b',
  profile: 'glibc',
  servers: ['10.96.0.10'],
  search: ['x', 'y'],
  ndots: 5,
  steps: [
    {
      name: 'a.b.x.',
      why: 'search x',
      queries: [
        query('A', [
          hop('translation', 0, DNS, { redirect: true }),
          hop('visit', 0, CACHE, { cache: 'miss', plugin: 'forward', result: 'NXDOMAIN' }),
          hop('translation', 1, UPSTREAM),
          hop('visit', 1, CORE, { cache: 'miss', plugin: 'kubernetes', result: 'NXDOMAIN' }),
        ]),
      ],
    },
    {
      name: 'a.b.',
      why: 'the name as it stands',
      queries: [
        query(
          'A',
          [hop('translation', 0, DNS), hop('visit', 0, CACHE, { cache: 'hit', plugin: 'cache', result: 'NOERROR' })],
          'NOERROR',
        ),
        query('AAAA', [hop('translation', 0, undefined)], 'timeout'),
      ],
    },
  ],
  addresses: ['192.0.2.1'],
  found: true,
  outcome: 'a.b has 192.0.2.1',
  reasons: [],
  cost: { queries: 3, packets: 5, sockets: 1, visits: 3, time: 2 },
};

describe('a lookup as moments', () => {
  const frames = framesOf(STORY);

  it('opens, walks each hop and reply, and ends', () => {
    expect(frames.map(({ kind, query: number, hop: place }) => `${kind} ${number} ${place}`)).toEqual([
      'start -1 0',
      'translation 0 0',
      'visit 0 1',
      'translation 0 2',
      'visit 0 3',
      'reply 0 4',
      'translation 1 0',
      'visit 1 1',
      'reply 1 2',
      'translation 2 0',
      'reply 2 1',
      'end -1 0',
    ]);
    expect(frames[1]!.title).toBe('Query 1 of 3 · A a.b.x. (search x)');
    expect(frames.at(-1)!.text).toBe(
      'a.b has 192.0.2.1. Cost: 3 queries, 5 packets, 1 socket, 3 server visits, 2.0 ms',
    );
  });

  it('goes from the pod by services to servers, and from a server on', () => {
    expect(frames.slice(1, 5).map(({ now }) => now && `${now.from} > ${now.to}`)).toEqual([
      `${POD} > ${DNS}`,
      `${DNS} > ${CACHE}`,
      `${CACHE} > ${UPSTREAM}`,
      `${UPSTREAM} > ${CORE}`,
    ]);
    expect(frames[5]!.trail).toHaveLength(4);
    expect(frames[5]!.now).toBeUndefined();
    // The next query begins at the pod again.
    expect(frames[6]!).toMatchObject({ trail: [], now: { from: POD, to: DNS } });
  });

  it('marks what servers did, and what the pod got', () => {
    expect(frames[4]!.marks).toEqual({
      [CACHE]: { text: 'miss, forwards', tone: 'plain' },
      [CORE]: { text: 'kubernetes: NXDOMAIN', tone: 'plain' },
    });
    expect(frames[7]!.marks).toEqual({ [CACHE]: { text: 'cache hit', tone: 'good' } });
    expect(frames[8]!.marks[POD]).toEqual({ text: 'NOERROR', tone: 'good' });
    expect(frames[10]!).toMatchObject({
      text: 'AAAA answered timeout; no server took it',
      marks: { [POD]: { text: 'timeout', tone: 'bad' } },
    });
  });

  it('ends with the way that led to the answer; where none did, with every way, each once', () => {
    const waysOf = (all: ReturnType<typeof framesOf>): readonly string[] =>
      all.at(-1)!.trail.map(({ from, to }) => `${from} > ${to}`);
    expect(waysOf(frames)).toEqual([`${POD} > ${DNS}`, `${DNS} > ${CACHE}`]);
    const failed = framesOf({ ...STORY, found: false, outcome: 'EAI_NONAME' });
    expect(waysOf(failed)).toEqual([
      `${POD} > ${DNS}`,
      `${DNS} > ${CACHE}`,
      `${CACHE} > ${UPSTREAM}`,
      `${UPSTREAM} > ${CORE}`,
    ]);
    expect(failed.at(-1)).toMatchObject({
      title: 'Not found',
      marks: { [POD]: { text: 'not found', tone: 'bad' } },
    });
  });

  it('counts the queries that the first cache had the answer to', () => expect(hitsOf(STORY)).toBe(1));

  it.each([
    { number: 0, start: 1, end: 5 },
    { number: 1, start: 6, end: 8 },
    { number: 9, start: 0, end: 0 },
  ])('query $number stands at $start to $end', ({ number, start, end }) => {
    expect([startOf(frames, number), endOf(frames, number)]).toEqual([start, end]);
  });
});

describe('in words', () => {
  it.each([
    {
      asked: 'webpod',
      ndots: 5,
      search: ['x'],
      text: 'webpod has no dot, fewer than ndots (5): the search domain comes first',
    },
    {
      asked: 'google.com',
      ndots: 5,
      search: ['x', 'y'],
      text: 'google.com has 1 dot, fewer than ndots (5): the 2 search domains come first',
    },
    {
      asked: 'a.b.c',
      ndots: 2,
      search: ['x'],
      text: 'a.b.c has 2 dots, ndots is 2: the name as it stands comes first',
    },
    {
      asked: 'google.com.',
      ndots: 5,
      search: ['x'],
      text: 'google.com. ends with a dot: it is asked as it stands, no search list',
    },
    { asked: 'a', ndots: 5, search: [], text: 'a has no dot; there is no search list' },
  ])('why $asked takes what it takes', ({ asked, ndots, search, text }) =>
    expect(whyText({ asked, ndots, search })).toBe(text),
  );

  it('one of each is no plural', () =>
    expect(costText({ cost: { queries: 1, packets: 1, sockets: 1, visits: 1, time: 0.04 } })).toBe(
      'Cost: 1 query, 1 packet, 1 socket, 1 server visit, 0.0 ms',
    ));

  it.each([
    { result: 'NOERROR', tone: 'good' },
    { result: 'NXDOMAIN', tone: 'plain' },
    { result: 'NODATA', tone: 'plain' },
    { result: 'SERVFAIL', tone: 'bad' },
    { result: 'timeout', tone: 'bad' },
  ])('$result is $tone', ({ result, tone }) => expect(toneOf(result)).toBe(tone));
});
