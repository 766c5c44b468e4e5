import { describe, expect, it } from 'vitest';
import type { World } from '../../../src/datapath/world.js';
import { Translations } from '../../../src/lab/trace/translations.js';
import { compactText } from '../../../src/lab/explain/compact.js';
import type { ExplainedQuery, Explanation, Hop } from '../../../src/lab/explain/explanation.js';
import { explanationText } from '../../../src/lab/explain/text.js';
import { dnsLab, echo } from '../../datapath/lab.js';

const visit = (at: string | undefined, depth: number, more: Partial<Hop> = {}): Hop => ({
  kind: 'visit',
  depth,
  at,
  transport: 'udp',
  text: `visit ${at} ${depth}`,
  ...more,
});
const translation = (depth: number, text: string): Hop => ({ kind: 'translation', depth, at: undefined, text });
const CORE = visit('pod/kube-system/coredns', 0, { cache: 'miss', plugin: 'forward', result: 'NOERROR' });

const query = (type: string, hops: readonly Hop[], more: Partial<ExplainedQuery> = {}): ExplainedQuery => ({
  type,
  protocol: 'udp',
  server: '10.96.0.10',
  result: 'NOERROR',
  started: 0,
  time: 1,
  text: `${type} by UDP`,
  aliases: [],
  reasons: [],
  hops,
  ...more,
});
const explanation = (queries: readonly ExplainedQuery[], more: Partial<Explanation> = {}): Explanation => ({
  pod: { id: 'pod/default/curl', namespace: 'default', name: 'curl', ip: '10.0.0.1', node: 'n1' },
  asked: 'a.',
  profile: 'glibc',
  servers: ['10.96.0.10', '10.96.0.11'],
  search: ['x', 'y'],
  ndots: 5,
  steps: [
    { name: 'a.', why: 'the name as it stands', queries },
    { name: 'b.', why: 'an alias', queries: [query('A', [CORE])] },
  ],
  addresses: [],
  found: true,
  outcome: 'a. has 10.0.0.9',
  reasons: [],
  cost: { queries: 1, packets: 2, sockets: 1, visits: 3, time: 1.25 },
  ...more,
});
/** The lines of the first step. */
const told = (text: string): string[] => {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith('1. '));
  return lines
    .slice(
      at,
      lines.findIndex((line) => line.startsWith('2. ')),
    )
    .filter((line) => line !== '');
};
const short = (...queries: ExplainedQuery[]): string =>
  told(compactText(explanation(queries)))
    .join('\n')
    .replace('1. a.  (the name as it stands)  ', '');
const long = (...queries: ExplainedQuery[]): string[] => told(explanationText(explanation(queries))).slice(1);

/** A query that came back to the server that it had been at. */
const LOOP = [
  CORE,
  visit('host/up', 1),
  visit('pod/kube-system/coredns', 2),
  visit('host/up', 3),
  visit('pod/kube-system/coredns', 4),
];

describe('an explanation', () => {
  const reasons = [
    { kind: 'x', text: 'it is broken', advice: 'mend it' },
    { kind: 'y', text: 'it is slow', advice: 'mend it' },
  ] as unknown as Explanation['reasons'];
  it.each([
    { name: 'short', textOf: compactText },
    { name: 'long', textOf: explanationText },
  ])('$name: says who asks, with what, what was found, what it cost, and what to do', ({ textOf }) => {
    const lines = textOf(explanation([query('A', [CORE])], { reasons })).split('\n');
    expect(lines.slice(0, 2)).toEqual([
      'default/curl (10.0.0.1 on n1) looks up a. as glibc does',
      'resolv.conf: nameserver 10.96.0.10 10.96.0.11, search x y, ndots:5',
    ]);
    const end = lines.indexOf('a. has 10.0.0.9');
    expect(lines[end - 1]).toBe('');
    expect(lines.slice(end + 1, end + 4)).toEqual([
      'cost: 1 query, 2 packets, 1 socket, 3 server visits, 1.3 ms',
      'why: it is broken',
      'why: it is slow',
    ]);
    expect(lines.at(-1)).toBe('');
    expect(lines.filter((line) => /^\d\. /.test(line)).map((line) => line.slice(0, 5))).toEqual(['1. a.', '2. b.']);
  });

  it('says that nothing is searched', () =>
    expect(compactText(explanation([], { search: [] }))).toContain('search nothing, ndots:5'));

  it('tells in short what the addresses of the resolv.conf were taken for, each once', () => {
    const hops = [translation(0, 'service kube-dns'), CORE, translation(1, 'of another')];
    const lines = compactText(explanation([query('A', hops), query('AAAA', hops)])).split('\n');
    expect(lines.slice(2, 4)).toEqual(['10.96.0.10: service kube-dns', '']);
  });
});

describe('a step in short', () => {
  it.each([
    { name: 'a query', queries: [query('A', [CORE])], want: 'A NOERROR after 1.0 ms: coredns (cache miss, forward)' },
    {
      name: 'types that went one way, after the time of the slower',
      queries: [query('A', [CORE], { time: 3 }), query('AAAA', [CORE], { result: 'NODATA', time: 2 })],
      want: 'A NOERROR, AAAA NODATA after 3.0 ms: coredns (cache miss, forward)',
    },
    {
      name: 'one result of two types',
      queries: [query('A', [CORE]), query('AAAA', [CORE])],
      want: 'A and AAAA NOERROR after 1.0 ms: coredns (cache miss, forward)',
    },
    {
      name: 'tries without an answer',
      queries: [query('A', [], { result: 'timeout' }), query('A', [], { result: 'timeout' })],
      want: 'A timeout (2 times) after 1.0 ms: no server took it',
    },
    {
      name: 'who was chosen, and is silent',
      queries: [query('A', [], { result: 'timeout', chosen: '10.0.0.7' })],
      want: 'A timeout after 1.0 ms: no server took it: 10.0.0.7 was chosen, and is silent',
    },
    {
      name: 'who was chosen, and refuses',
      queries: [query('A', [], { result: 'REFUSED', chosen: '10.0.0.7' })],
      want: 'A REFUSED after 1.0 ms: no server took it: 10.0.0.7 was chosen, and says REFUSED',
    },
    {
      name: 'servers behind each other, and beside each other',
      queries: [
        query('A', [
          visit('pod/kube-system/cache', 0, { cache: 'hit', plugin: 'cache' }),
          visit('pod/kube-system/coredns', 1, { cache: 'none', plugin: 'kubernetes', transport: 'tcp' }),
          visit('host/up', 1, { cache: 'none' }),
        ]),
      ],
      want: 'A NOERROR after 1.0 ms: cache (cache hit) > coredns by TCP (kubernetes), up (nobody answered)',
    },
    {
      name: 'what a server asked itself, each once',
      queries: [
        query('A', [
          visit('host/up', 0, {
            plugin: 'template',
            asks: [
              { name: 'c.', type: 'A', result: 'x' },
              { name: 'c.', type: 'AAAA', result: 'x' },
            ],
          }),
        ]),
      ],
      want: 'A NOERROR after 1.0 ms: up (template, asks for c.)',
    },
    {
      name: 'a loop, until it is back',
      queries: [query('A', LOOP)],
      want: 'A NOERROR after 1.0 ms: coredns (cache miss, forward) > up (nobody answered) > coredns (nobody answered) > a loop, 2 visits more',
    },
    {
      name: 'aliases, each once',
      queries: [query('A', [CORE], { aliases: ['a. is b.'] }), query('AAAA', [CORE], { aliases: ['a. is b.'] })],
      want: 'A and AAAA NOERROR after 1.0 ms: coredns (cache miss, forward); a. is b.',
    },
  ])('tells $name', ({ queries, want }) => expect(short(...queries)).toBe(want));
});

describe('a step in full', () => {
  it.each([
    {
      name: 'each hop, further in the deeper it is',
      queries: [query('A', [translation(0, 'to kube-dns'), CORE, visit('host/up', 1)], { aliases: ['a. is b.'] })],
      want: [
        '   A by UDP',
        '     to kube-dns',
        '     visit pod/kube-system/coredns 0',
        '       visit host/up 1',
        '     a. is b.',
      ],
    },
    {
      name: 'a query that nobody took',
      queries: [query('A', [translation(0, 'to kube-dns')])],
      want: ['   A by UDP', '     to kube-dns', '     no server took it'],
    },
    {
      name: 'a loop, until it is back',
      queries: [query('A', LOOP)],
      want: [
        '   A by UDP',
        '     visit pod/kube-system/coredns 0',
        '       visit host/up 1',
        '         visit pod/kube-system/coredns 2',
        '         a loop: 2 visits more of the same',
      ],
    },
    {
      name: 'visits of one server beside each other, which are no loop',
      queries: [query('A', [CORE, CORE, CORE])],
      want: ['   A by UDP', ...Array<string>(3).fill('     visit pod/kube-system/coredns 0')],
    },
  ])('tells $name', ({ queries, want }) => expect(long(...queries)).toEqual(want));
});

it('the address that a caller named is known by the backend that it came to', () => {
  const { world } = dnsLab();
  const translations = new Translations(world);
  echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
  const ask = (address: string) => world.pod('default', 'curl-pod').process.udp().sendTo(Buffer.from('x'), address, 53);
  const named = () => translations.before('172.20.1.236', '172.20.1.144');
  ask('172.20.1.144');
  expect(named()).toBeUndefined();
  ask('10.96.0.10');
  expect([named(), translations.before('172.20.1.144', '172.20.1.236')]).toEqual(['10.96.0.10', undefined]);
  translations.close();
});

describe('the addresses that callers named', () => {
  /** Tells of the calls of sockets as the datapath does. */
  function told() {
    let listener: (event: object) => void = () => undefined;
    let over = false;
    const world = {
      events: { subscribe: (to: typeof listener) => ((listener = to), () => (over = true)) },
    } as unknown as World;
    const translations = new Translations(world);
    const call = (point: string, ip: string, { cookie = 1, kind = 'sock', caller = '10.0.0.1' } = {}): void =>
      listener({ kind, point, cookie, source: { ip: caller }, destination: { ip } });
    return { translations, call, over: () => over };
  }

  it.each<{ name: string; cookie?: number; kind?: string; point?: string; want: string | undefined }>([
    { name: 'one socket', want: '10.96.0.10' },
    { name: 'two sockets', cookie: 2, want: undefined },
    { name: 'what is no call of a socket', kind: 'trace', want: undefined },
    { name: 'an answer', point: 'post-xlate-rev', want: undefined },
  ])('are known by the two calls of $name: $want', ({ point = 'post-xlate-fwd', want, ...more }) => {
    const { translations, call, over } = told();
    call('pre-xlate-fwd', '10.96.0.10');
    call(point, '10.0.0.7', more);
    expect(translations.before('10.0.0.1', '10.0.0.7')).toBe(want);
    translations.close();
    expect(over()).toBe(true);
  });

  it('are forgotten by age where there are more than 4096 of them', () => {
    const { translations, call } = told();
    const connect = (i: number): void => {
      call('pre-xlate-fwd', '10.96.0.10');
      call('post-xlate-fwd', `backend ${i}`);
    };
    const known = (i: number) => translations.before('10.0.0.1', `backend ${i}`) !== undefined;
    for (let i = 1; i <= 4096; i++) connect(i);
    // Who is looked at is used: the second is the oldest then.
    expect(known(1)).toBe(true);
    connect(4097);
    expect([known(1), known(2), known(3), known(4097)]).toEqual([true, false, true, true]);
  });
});
