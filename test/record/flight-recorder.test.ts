import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Outcome, type Query } from '../../src/chain/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { ByteRing } from '../../src/record/byte-ring.js';
import { FlightRecorder } from '../../src/record/flight-recorder.js';
import { extendedError, ednsWith } from '../../src/wire/index.js';
import { query, reply } from '../support/dns.js';

describe('the ring', () => {
  it('keeps the newest texts in its bytes, whole and in order', () => {
    const ring = new ByteRing(64);
    for (let i = 0; i < 1000; i++) {
      expect(ring.push(`${i}`.repeat(1 + (i % 7)))).toBe(true);
      const all = ring.all();
      expect(all).toEqual(Array.from({ length: all.length }, (_, k) => textAt(i - all.length + 1 + k)));
      expect(all.length).toBe(ring.count);
    }
    expect(ring.count).toBeGreaterThan(2);
  });

  const textAt = (i: number): string => `${i}`.repeat(1 + (i % 7));

  it('takes what fills it to the last byte, and not a byte more', () => {
    const ring = new ByteRing(20);
    expect(ring.push('é'.repeat(8))).toBe(true);
    expect(ring.all()).toEqual(['é'.repeat(8)]);
    expect(ring.push('x'.repeat(17))).toBe(false);
    expect(ring.all()).toEqual(['é'.repeat(8)]);
  });
});

describe('the recorder', () => {
  const CHAIN = { handlers: [{ name: 'cache' }, { name: 'forward' }] };
  const servfail = Reply.failure(2, new Error('no answer'));
  const good = Reply.empty(0);
  const stale = (): Query => {
    const made = query('old.example.');
    made.context.keepTrail().note({ kind: 'cache', plugin: 'cache', state: 'stale', age: 40, left: -10 });
    return made;
  };
  const noted = (): Query => {
    const made = query('a.example.');
    made.context.keepTrail().note({ kind: 'reason', plugin: 'acl', reason: 'blocked', text: 'block' });
    return made;
  };

  const rows: readonly { name: string; ask: () => Query; outcome: Outcome; after?: number; want: readonly string[] }[] =
    [
      { name: 'an answer', ask: () => query('a.example.'), outcome: good, want: [] },
      {
        name: 'an answer that took as long as is slow',
        ask: () => query('a.example.'),
        outcome: good,
        after: 500,
        want: ['slow'],
      },
      {
        name: 'an answer that took a little less',
        ask: () => query('a.example.'),
        outcome: good,
        after: 499,
        want: [],
      },
      { name: 'a failure', ask: () => query('a.example.'), outcome: servfail, after: 1, want: ['failed'] },
      { name: 'a failure at once', ask: () => query('a.example.'), outcome: servfail, want: ['failed'] },
      {
        name: 'a slow failure',
        ask: () => query('a.example.'),
        outcome: servfail,
        after: 900,
        want: ['failed', 'slow'],
      },
      { name: 'too many under way', ask: noted, outcome: Reply.failure(5, new Error('busy')), want: ['failed'] },
      { name: 'a stale answer at once', ask: stale, outcome: good, want: ['stale'] },
      { name: 'what a rule blocks', ask: noted, outcome: Reply.empty(5), want: [] },
      { name: 'silence', ask: noted, outcome: DROP, want: [] },
      { name: 'slow silence', ask: noted, outcome: DROP, after: 800, want: ['slow'] },
    ];
  it.each(rows)('$name: $want', ({ ask, outcome, after, want }) => {
    const clock = new ManualClock();
    const recorder = new FlightRecorder({ size: 1 << 16, slow: 500 }, clock);
    const asked = ask();
    clock.advance(asked.received - clock.monotonic() + (after ?? 0));
    if (after === undefined) recorder.atOnce(asked, outcome, CHAIN);
    else recorder.waited(asked, outcome, CHAIN);
    expect(recorder.recording('test').queries.map(({ why }) => why)).toEqual(want.length > 0 ? [want] : []);
  });

  it('keeps a query whole, with times from when it came in', () => {
    const clock = new ManualClock();
    const recorder = new FlightRecorder({ size: 1 << 16, slow: 500 }, clock);
    const asked = query('www.Example.', 'AAAA', { edns: 1232, do: true });
    const { received } = asked;
    asked.context.keepTrail().note({
      ...{ kind: 'attempt', plugin: 'forward', to: '192.0.2.1:53', protocol: 'udp', result: 'timeout' },
      ...{ sent: received + 1, ended: received + 701 },
    });
    clock.advance(received - clock.monotonic() + 702);
    recorder.waited(asked, servfail, CHAIN);
    const { address, port } = asked.client.remote;
    expect(recorder.recording('test').queries).toMatchObject([
      {
        why: ['failed', 'slow'],
        name: 'www.Example.',
        type: 'AAAA',
        asked: ['rd', 'do', 'edns 1232'],
        client: { address, port, transport: 'udp' },
        handlers: ['cache', 'forward'],
        notes: [{ to: '192.0.2.1:53', sent: 1, ended: 701, result: 'timeout' }],
        result: 'SERVFAIL',
        cause: 'no answer',
        time: 702,
      },
    ]);
  });

  it.each([
    { name: 'no data', outcome: good, want: { result: 'NODATA', errors: [] } },
    { name: 'an answer', outcome: reply({ answer: ['a. 1 IN A 192.0.2.1'] }), want: { result: 'NOERROR', errors: [] } },
    { name: 'a name that is not there', outcome: Reply.empty(3), want: { result: 'NXDOMAIN', errors: [] } },
    {
      name: 'what it was explained with',
      outcome: Reply.of(
        0,
        2,
        {},
        {
          ...ednsWith(extendedError(22)),
          options: [
            extendedError(22),
            { code: 3, data: Buffer.from('id') },
            { code: 15, data: Buffer.from([9]) },
            { code: 15, data: Buffer.from([1, 2, 0x61, 0x62]) },
          ],
        },
      ),
      want: {
        result: 'SERVFAIL',
        errors: [
          [22, ''],
          [258, 'ab'],
        ],
      },
    },
  ])('keeps $name', ({ outcome, want }) => {
    const clock = new ManualClock();
    const recorder = new FlightRecorder({ size: 1 << 16, slow: 500 }, clock);
    const asked = query('a.example.', 'A', { rd: false, ad: true, cd: true });
    clock.advance(asked.received - clock.monotonic() + 500);
    recorder.waited(asked, outcome, undefined);
    const at = new Date(clock.now() - 500).toISOString();
    expect(recorder.recording('test').queries).toMatchObject([
      { at, asked: ['ad', 'cd'], zones: [], handlers: [], ...want },
    ]);
  });

  it('counts how long a query took from when it came in', () => {
    const clock = new ManualClock();
    clock.advance(10_000);
    const recorder = new FlightRecorder({ size: 1 << 16, slow: 500 }, clock);
    const asked = query('a.example.', 'A', { received: clock.monotonic() });
    for (const step of [499, 1]) {
      clock.advance(step);
      recorder.waited(asked, good, CHAIN);
    }
    expect(recorder.count).toBe(1);
  });

  it('keeps no more than a hundred a second, and counts the others', () => {
    const clock = new ManualClock();
    const recorder = new FlightRecorder({ size: 1 << 20, slow: 500 }, clock);
    for (let i = 0; i < 150; i++) recorder.atOnce(query(`${i}.example.`), servfail, CHAIN);
    expect(recorder.recording('test')).toMatchObject({ omitted: 50 });
    expect(recorder.count).toBe(100);
    clock.advance(1000);
    recorder.atOnce(query('next.example.'), servfail, CHAIN);
    expect(recorder.count).toBe(101);
  });
});
