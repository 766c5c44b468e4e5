import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from 'vitest';
import type { AttemptNote, CacheNote, TrailNote } from '../../../src/chain/index.js';
import { toldErrors } from '../../../src/insight/explain/ede.js';
import { findOut } from '../../../src/insight/explain/find-out.js';
import type { Story } from '../../../src/insight/explain/story.js';
import { askedOf, askedText, cacheText, timeText } from '../../../src/insight/explain/words.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { seededRandom } from '../../../src/lib/random.js';
import type { Server } from '../../../src/server/server.js';
import { FrameReader, frame } from '../../../src/wire/index.js';
import { FakeNetwork, elapse } from '../../support/fake-network.js';

const attempt = (to: string, more: Partial<AttemptNote> = {}): AttemptNote => ({
  kind: 'attempt',
  plugin: 'forward',
  to,
  protocol: 'udp',
  sent: 0,
  ended: 1,
  result: 'timeout',
  ...more,
});
const reason = (word: string) => ({ kind: 'reason', plugin: 'forward', reason: word, text: '' }) as TrailNote;

/** What is found out where the probe does `inspect`, and upstreams do as `listen` says; and what waits afterwards. */
async function found(
  more: Partial<Story>,
  {
    inspect = () => new Promise<never>(() => undefined),
    listen = () => undefined,
    name = 'a.example.',
    time = 1000,
  }: {
    readonly inspect?: (question: { readonly name: string }) => Promise<unknown>;
    readonly listen?: (network: FakeNetwork) => unknown;
    readonly name?: string;
    readonly time?: number;
  } = {},
) {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  listen(network);
  const story = { result: 'SERVFAIL', notes: [], ...more } as unknown as Story;
  const server = { inspect } as unknown as Pick<Server, 'inspect'>;
  const watched = channel('nodens:handler').hasSubscribers;
  const finding = findOut(server, story, name, { network, clock, random: seededRandom(7) });
  await elapse(clock, time);
  const result = await finding;
  expect(channel('nodens:handler').hasSubscribers).toBe(watched);
  return result;
}

describe('of upstreams that were silent', () => {
  it('is found out what they do over TCP, of four at most', async () => {
    const places = ['[2001:db8::1]', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5'].map((ip) => `${ip}:53`);
    const listen = (network: FakeNetwork): void => {
      void network.listenTcp({ address: '2001:db8::1', port: 53 }, ({ stream }) => {
        const reader = new FrameReader();
        stream.on('data', (chunk: Buffer) => {
          reader.push(chunk);
          const answer = Buffer.from(reader.next()!);
          answer[2]! |= 0x80;
          stream.write(frame(answer));
        });
      });
      void network.listenTcp({ address: '192.0.2.2', port: 53 }, () => undefined);
      network.black.add('192.0.2.4');
    };
    const notes = [...places, ...places].map((to) => attempt(to));
    expect(await found({ notes }, { listen, time: 1100 })).toEqual({
      loops: false,
      upstreams: {
        '[2001:db8::1]:53': 'answers',
        '192.0.2.2:53': 'hangs',
        '192.0.2.3:53': 'refuses',
        '192.0.2.4:53': 'away',
      },
    });
  });

  const silence = attempt('192.0.2.3:53');
  const REFUSED = { loops: false, upstreams: { '192.0.2.3:53': 'refuses' } };
  it.each([
    { name: 'a failure', story: { notes: [silence] }, want: REFUSED },
    { name: 'silence', story: { notes: [silence], result: undefined }, want: REFUSED },
    {
      name: 'one that was asked over TCP',
      story: { notes: [{ ...silence, protocol: 'tcp' as const }] },
      want: REFUSED,
    },
    {
      name: 'one that was asked over TLS',
      story: { notes: [{ ...silence, protocol: 'tls' as AttemptNote['protocol'] }] },
      want: { loops: false, upstreams: {} },
    },
    { name: 'a query that was answered', story: { notes: [silence], result: 'NOERROR' }, want: {} },
    { name: 'one that refused', story: { notes: [attempt('192.0.2.3:53', { result: 'error' })] }, want: {} },
    {
      name: 'a query that joined another',
      story: { notes: [reason('joined')] },
      want: { loops: false, upstreams: {} },
    },
    { name: 'a failure from before', story: { notes: [reason('remembered')] }, want: { loops: false, upstreams: {} } },
    { name: 'another reason', story: { notes: [reason('busy')] }, want: {} },
    { name: 'nothing', story: {}, want: {} },
  ])('$name', async ({ story, want }) => expect(await found(story)).toEqual(want));
});

describe('a probe', () => {
  const notes = [reason('joined')];
  const comesBack =
    (more: object) =>
    ({ name }: { readonly name: string }): Promise<never> => {
      const query = { name, context: { inspects: false } };
      channel('nodens:handler').publish({ phase: 'enter', query, ...more });
      return new Promise(() => undefined);
    };
  it.each([
    { name: 'comes back', more: {}, want: true },
    { name: 'is answered', more: { phase: 'leave' }, want: false },
    { name: 'is another query', more: { query: { name: 'b.', context: { inspects: false } } }, want: false },
  ])('that $name', async ({ more, want }) =>
    expect(await found({ notes }, { inspect: comesBack(more) })).toEqual({ loops: want, upstreams: {} }),
  );
  it('that the server sends to itself for an inspection is none that came back', async () => {
    const inspect = ({ name }: { readonly name: string }) =>
      comesBack({ query: { name, context: { inspects: true } } })({ name });
    expect(await found({ notes }, { inspect })).toMatchObject({ loops: false });
  });
  it('that is answered at once takes no time', async () =>
    expect(await found({ notes }, { inspect: () => Promise.resolve(), time: 0 })).toMatchObject({ loops: false }));
  it.each([
    { name: 'a.example.', want: /^\d+-\d+-loop\.a\.example\.$/ },
    { name: `${'a'.repeat(60)}.`.repeat(4), want: /^\d+-\d+-loop\.$/ },
  ])('has a name that nobody else asks for', async ({ name, want }) => {
    const asked: string[] = [];
    const inspect = (question: { readonly name: string }) => Promise.resolve(asked.push(question.name));
    await found({ notes }, { inspect, name });
    expect(asked).toEqual([expect.stringMatching(want)]);
  });
});

describe('in words', () => {
  it.each([
    [0, '0.0 ms'],
    [99.94, '99.9 ms'],
    [100, '100 ms'],
    [1999, '1999 ms'],
    [2000, '2.0 s'],
  ])('%s ms', (time, want) => expect(timeText(time)).toBe(want));

  const note = (state: CacheNote['state'], more: Partial<CacheNote> = {}): CacheNote => ({
    kind: 'cache',
    plugin: 'cache',
    state,
    ...more,
  });
  it.each([
    { note: note('hit'), want: 'cache hit' },
    { note: note('hit', { age: 3 }), want: 'cache hit' },
    { note: note('hit', { left: 3 }), want: 'cache hit' },
    { note: note('hit', { age: 3, left: 1 }), want: 'cache hit, stored 3 s ago, valid for 1 s' },
    { note: note('stale', { age: 3, left: 0 }), want: 'cache: stale, stored 3 s ago, over since 0 s' },
    { note: note('stale', { age: 3, left: -2 }), want: 'cache: stale, stored 3 s ago, over since 2 s' },
    { note: undefined, want: 'no cache' },
  ])('$want', ({ note: told, want }) => expect(cacheText(told)).toBe(want));

  it('attempts that came to the same are told together', () => {
    const asked = askedOf([
      attempt('10.0.0.1:53', { sent: 10, ended: 20 }),
      attempt('10.0.0.1:53', { sent: 20, ended: 60 }),
      attempt('10.0.0.1:53', { sent: 60, ended: 63, result: 'answered' }),
    ]);
    expect(asked.map(askedText)).toEqual([
      '10.0.0.1:53 by UDP: timeout after 50.0 ms, asked 2 times',
      '10.0.0.1:53 by UDP: NOERROR after 3.0 ms',
    ]);
  });
});

it('extended errors are those that have a code', () => {
  const options = ['0003', '00', '00166100', ''].map((data) => ({ code: 15, data: Buffer.from(data, 'hex') }));
  const edns = { udpSize: 1232, version: 0, do: false, options: [...options, { code: 10, data: Buffer.alloc(8) }] };
  expect(toldErrors({ edns }).map(({ code, text }) => [code, text])).toEqual([
    [3, ''],
    [22, 'a'],
  ]);
});
