import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { apiAgent } from '../../src/kube/api/api-agent.js';
import { ApiError } from '../../src/kube/api/api-error.js';
import { PROTOBUF_TYPE, listBody, watchBody } from '../../src/kube/api/body.js';
import { LineReader } from '../../src/kube/api/line-reader.js';
import { RateLimiter } from '../../src/kube/api/rate-limiter.js';
import { initialQuery, versionQuery } from '../../src/kube/api/resources.js';
import { SilenceGuard } from '../../src/kube/api/silence-guard.js';
import { DEFAULT_TIMING } from '../../src/kube/api/timing.js';
import { tlsOptions } from '../../src/kube/api/tls-options.js';
import { impersonationOf } from '../../src/kube/auth/impersonation.js';
import { Interner } from '../../src/kube/intake/interner.js';
import { portAt } from '../../src/kube/objects/raw.js';
import type { ProtobufObjectReader } from '../../src/kube/protobuf/objects.js';
import { Latch } from '../../src/kube/source.js';
import { ManualClock } from '../../src/lib/clock.js';

describe('how the API is told what a list must not be older than', () => {
  it.each([
    { from: '', list: {}, watch: {} },
    { from: '0', list: { resourceVersion: '0' }, watch: { resourceVersion: '0' } },
    {
      from: '7',
      list: { resourceVersion: '7', resourceVersionMatch: 'NotOlderThan' },
      watch: { resourceVersion: '7' },
    },
  ])("'$from'", ({ from, list, watch }) => {
    expect(versionQuery(from)).toEqual(list);
    expect(initialQuery(from)).toEqual({
      sendInitialEvents: 'true',
      resourceVersionMatch: 'NotOlderThan',
      ...watch,
    });
  });
});

describe('a body is read as JSON', () => {
  const reader = {} as ProtobufObjectReader;
  it.each([
    { name: 'where it says so', type: 'application/json', reader },
    { name: 'where only JSON was asked for', type: PROTOBUF_TYPE, reader: undefined },
  ])('$name', ({ type, reader: given }) => {
    const list = listBody(type, given);
    expect([...list.read(Buffer.from('{"metadata":{"resourceVersion":"7"},"items":[{"a":1}]}'))]).toEqual([{ a: 1 }]);
    const watch = watchBody(type, given);
    expect([...watch.read(Buffer.from('{"type":"ADDED","object":{"a":1}}\n{'))]).toEqual([
      { type: 'ADDED', object: { a: 1 } },
    ]);
    expect(watch.pending).toBe(1);
  });
});

describe('an error of the API', () => {
  const TOO_LARGE = { message: 'x', details: { causes: [{ reason: 'ResourceVersionTooLarge' }] } };
  it.each([
    { name: 'gone by its status', error: ApiError.of(410, {}), expired: true, tooNew: false },
    { name: 'gone by its word', error: ApiError.of(400, { reason: 'Gone' }), expired: true, tooNew: false },
    { name: 'expired by its word', error: ApiError.of(400, { reason: 'Expired' }), expired: true, tooNew: false },
    { name: 'of another kind', error: ApiError.of(500, { reason: 'X' }), expired: false, tooNew: false },
    { name: 'too new', error: ApiError.of(504, TOO_LARGE), expired: false, tooNew: true },
    { name: 'too late', error: ApiError.of(504, {}), expired: false, tooNew: false },
    { name: 'with such a text and another status', error: ApiError.of(500, TOO_LARGE), expired: false, tooNew: false },
  ])('$name', ({ error, expired, tooNew }) => expect([error.expired, error.tooNew]).toEqual([expired, tooNew]));

  it('names no time to come again by itself', () =>
    expect(new ApiError(503, '', 'busy')).toMatchObject({ retryAfter: 0, streamed: false }));

  it.each([
    { name: 'its own words', error: ApiError.of(404, { message: 'no such' }), message: 'no such' },
    { name: 'the words of its status', error: ApiError.of(404, {}), message: 'Not Found' },
    { name: 'a status that nobody knows', error: ApiError.of(299, {}), message: 'unknown error' },
  ])('says $name', ({ error, message }) =>
    expect(error).toMatchObject({ message, retryAfter: 0, streamed: false, name: 'ApiError' }),
  );
});

it.each([
  [1, 1],
  [53, 53],
  [65_535, 65_535],
  [0, undefined],
  [65_536, undefined],
  [1.5, undefined],
  ['53', undefined],
])('a port of %s is %s', (port, want) => expect(portAt({ port }, 'port')).toBe(want));

it('equal values are one value, as long as there are not too many', () => {
  const interner = new Interner();
  const value = (i: number): object => interner.keyed(String(i), () => ({}));
  const first = value(0);
  for (let i = 1; i < 4096; i++) value(i);
  expect(value(0)).toBe(first);
  value(4096);
  expect(value(0)).not.toBe(first);
});

it('a value in the name of a user that no header can have is told', () => {
  const fail = (what: string): never => {
    throw new Error(what);
  };
  expect(() => impersonationOf({ as: 'a\nb' }, fail)).toThrow('Impersonate-User cannot be sent as a header');
  expect(impersonationOf({ as: 'a\tü' }, fail)).toEqual({ 'Impersonate-User': 'a\tü' });
});

it.each([
  { name: 'a name', given: { servername: 'api.example' }, want: 'api.example' },
  { name: 'no address', given: { servername: '10.0.0.1' }, want: '' },
  { name: 'nothing where nothing is said', given: {}, want: undefined },
])('as server name goes out $name', ({ given, want }) => expect(tlsOptions(given).servername).toBe(want));

describe('what waits for a request', () => {
  it('holds its caller no longer than it lasts', () => {
    const outer = new AbortController();
    const clock = new ManualClock();
    const guard = new SilenceGuard(clock, 1000, outer.signal);
    expect(getEventListeners(outer.signal, 'abort')).toHaveLength(1);
    guard.end();
    expect([getEventListeners(outer.signal, 'abort').length, clock.pending]).toEqual([0, 0]);
  });
  it('gives up when nothing has come for so long', () => {
    const clock = new ManualClock();
    const guard = new SilenceGuard(clock, 1000, new AbortController().signal);
    clock.advance(999);
    guard.heard();
    clock.advance(999);
    expect([guard.signal.aborted, guard.reason]).toEqual([false, undefined]);
    clock.advance(1);
    expect([guard.signal.aborted, guard.reason?.message]).toEqual([true, 'nothing was received for 1 s']);
  });
  it('holds its caller no longer than it queues for a place', async () => {
    const limiter = new RateLimiter({ qps: 10, burst: 10, maxInFlight: 1 }, new ManualClock());
    const { signal } = new AbortController();
    await limiter.acquire(signal);
    const second = limiter.acquire(signal);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    limiter.release();
    await second;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

it('a latch opens once and stays open', async () => {
  const latch = new Latch();
  expect(latch.isOpen).toBe(false);
  latch.release();
  expect(latch.isOpen).toBe(true);
  await latch.opened;
});

describe('unless another timing is asked for', () => {
  const { backoff, refused, eager, retell, listSilence, watch, watchGrace, initialSilence, initial } = DEFAULT_TIMING;
  it.each([
    { what: 'the longest back-off is that of the Kubernetes client library', is: backoff.max, want: 30_000 },
    { what: 'back-off starts anew when it does with that library', is: backoff.reset, want: 120_000 },
    { what: 'watches last as long as with that library', is: watch, want: 5 * 60_000 },
    { what: 'a first failure costs less than half a second', is: 2 * backoff.min, want: 400 },
    { what: 'an API that is back is asked within 0.2 s', is: 2 * refused, want: 200 },
    { what: 'that holds for 10 s after it was well', is: eager, want: 10_000 },
    { what: 'that it is away is told twice a minute', is: 60_000 / retell, want: 2 },
    { what: 'a list may be silent for half a minute', is: listSilence, want: 30_000 },
    { what: 'a watch half a minute longer than it lasts', is: watchGrace, want: 30_000 },
    { what: 'what it begins with a sixth of a minute', is: initialSilence, want: 10_000 },
    { what: 'and that may take two minutes in all', is: initial, want: 120_000 },
  ])('$what', ({ is, want }) => expect(is).toBe(want));
});

describe('lines of a watch', () => {
  const MOST = 8 * 1024 * 1024;
  const lines = (...chunks: readonly string[]): string[] => {
    const reader = new LineReader();
    return chunks.flatMap((chunk) => [...reader.read(Buffer.from(chunk))]);
  };
  it.each([
    { name: 'whole ones', chunks: ['a\nb\n'], want: ['a', 'b'] },
    { name: 'one in three pieces', chunks: ['a', 'b', 'c\nd'], want: ['abc'] },
    { name: 'one whose end comes by itself', chunks: ['a', '\n', 'b\n'], want: ['a', 'b'] },
    { name: 'no empty ones', chunks: ['\n\r\n', '', 'a\n\n'], want: ['a'] },
  ])('are $name', ({ chunks, want }) => expect(lines(...chunks)).toEqual(want));
  it('have up to 8 MiB', () => {
    const most = 'x'.repeat(MOST);
    expect(lines(most, '\n').map(({ length }) => length)).toEqual([MOST]);
    expect(() => lines(most, 'x')).toThrow(RangeError);
  });
});

it.each([
  { url: 'http://api', protocol: 'http:' },
  { url: 'https://api', protocol: 'https:' },
])('connections to $url are kept, and probed where they are silent', ({ url, protocol }) =>
  expect(apiAgent(new URL(url), undefined)).toMatchObject({ protocol, keepAlive: true, keepAliveMsecs: 15_000 }),
);
