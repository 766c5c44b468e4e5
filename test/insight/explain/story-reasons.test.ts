import { describe, expect, it } from 'vitest';
import type { AttemptNote, CacheNote } from '../../../src/chain/index.js';
import { reasonsOf } from '../../../src/insight/explain/reasons.js';
import type { Story } from '../../../src/insight/explain/story.js';
import { cacheText, count, placeText, timeText } from '../../../src/insight/explain/words.js';

const STORY: Story = {
  name: 'a.example.',
  type: 'A',
  answeredBy: { name: 'forward' },
  cached: true,
  unready: [],
  notes: [],
  result: 'NOERROR',
  errors: [],
  end: 'answered',
  time: 5,
};
const TO = '10.0.0.1:53';
const attempt = (result: AttemptNote['result'], rcode = 0): AttemptNote => ({
  ...{ kind: 'attempt', plugin: 'forward', to: TO, protocol: 'udp', sent: 0, ended: 2000, result },
  ...(result === 'answered' && { rcode }),
  ...(result === 'error' && { text: 'EHOSTUNREACH' }),
});
const cache = (state: CacheNote['state'], more: Partial<CacheNote> = {}): CacheNote => ({
  ...{ kind: 'cache', plugin: 'cache', state },
  ...more,
});
const silent = (times: number, state?: 'answers' | 'hangs' | 'refuses' | 'away'): Partial<Story> => ({
  result: 'SERVFAIL',
  notes: Array.from({ length: times }, () => attempt('timeout')),
  ...(state && { upstreams: { [TO]: state } }),
});

describe('why a query came to what it came to', () => {
  const SILENT = `upstream-silent: upstream ${TO} is silent: timeout after 2.0 s by UDP`;
  it.each<{ name: string; story: Partial<Story>; want: readonly string[] }>([
    { name: 'it was answered', story: {}, want: ['answered: NOERROR from forward'] },
    { name: 'nobody says anything', story: { result: undefined }, want: ['answered: silence from forward'] },
    { name: 'nobody answers', story: { answeredBy: undefined }, want: ['answered: NOERROR from nobody'] },
    {
      name: 'there is no such name',
      story: { result: 'NXDOMAIN' },
      want: ['denied: NXDOMAIN from forward: there is no name a.example.'],
    },
    {
      name: 'there is no such type',
      story: { result: 'NODATA' },
      want: ['denied: NODATA from forward: a.example. is there and has no A'],
    },
    {
      name: 'a plugin is not ready',
      story: { result: 'SERVFAIL', unready: ['file'] },
      want: ['not-ready: file is not ready: it has not got yet what it answers from'],
    },
    {
      name: 'a plugin is not ready, and nothing is said',
      story: { result: undefined, unready: ['file'] },
      want: ['not-ready: file is not ready: it has not got yet what it answers from'],
    },
    {
      name: 'another plugin is not ready',
      story: { unready: ['file'] },
      want: ['answered: NOERROR from forward'],
    },
    {
      name: 'it goes round',
      story: { ...silent(1), loops: true },
      want: ['loop: loop: what is sent upstream comes back to this server'],
    },
    { name: 'the upstream is silent', story: silent(1), want: [SILENT] },
    { name: 'the upstream is silent twice', story: silent(2), want: [`${SILENT}, asked 2 times`] },
    { name: 'UDP is lost', story: silent(1, 'answers'), want: [`${SILENT}; it answers over TCP`] },
    {
      name: 'the upstream hangs',
      story: silent(1, 'hangs'),
      want: [`${SILENT.replace('silent', 'hung')}; it takes TCP connections and answers none`],
    },
    {
      name: 'the upstream cannot be reached',
      story: { result: 'SERVFAIL', notes: [attempt('error')] },
      want: [expect.stringMatching(/^upstream-error: upstream 10\.0\.0\.1:53 .*EHOSTUNREACH/) as string],
    },
    {
      name: 'the upstream fails',
      story: { result: 'SERVFAIL', notes: [attempt('answered', 2)] },
      want: [`upstream-fails: upstream ${TO} says SERVFAIL`],
    },
    {
      name: 'the upstream fails, and it is answered otherwise',
      story: { result: 'REFUSED', notes: [attempt('answered', 2)] },
      want: [`answered: REFUSED from upstream ${TO}`],
    },
    {
      name: 'the upstream answers',
      story: { notes: [attempt('answered')] },
      want: [`answered: NOERROR from upstream ${TO}`],
    },
    {
      name: 'the cache answers',
      story: { notes: [cache('hit', { age: 3, left: 7 })] },
      want: ['answered: NOERROR from the cache (stored 3 s ago, valid for 7 s)'],
    },
    {
      name: 'the cache answers what is over',
      story: { notes: [cache('stale', { age: 30, left: -7 })] },
      want: ['stale: stale, stored 30 s ago, over since 7 s: served although its time is over (serve_stale)'],
    },
    {
      name: 'the cache may not answer',
      story: { notes: [cache('disabled', { what: 'success' })] },
      want: [
        'cache-disabled: cache disabled for answers of this name: each query is asked anew',
        'answered: NOERROR from forward',
      ],
    },
  ])('$name', ({ story, want }) =>
    expect(reasonsOf({ ...STORY, ...story }).map(({ code, text }) => `${code}: ${text}`)).toEqual(want),
  );

  it.each([
    { name: 'kubernetes', want: /^Look whether the API answers/ },
    { name: 'file', want: /^Look at file$/ },
  ])('what is to be done where $name is not ready', ({ name, want }) =>
    expect(reasonsOf({ ...STORY, result: 'SERVFAIL', unready: [name] })[0]?.advice).toMatch(want),
  );
});

describe('words', () => {
  it.each([
    [0.04, '0.0 ms'],
    [99.9, '99.9 ms'],
    [100, '100 ms'],
    [1999, '1999 ms'],
    [2000, '2.0 s'],
  ])('for a time of %s: %s', (time, want) => expect(timeText(time)).toBe(want));
  it.each([
    [0, 'queries'],
    [1, 'query'],
    [2, 'queries'],
  ])('for %s: %s', (number, want) => expect(count(number, 'query', 'queries')).toBe(`${number} ${want}`));
  it('for places, and for what a cache knew', () => {
    expect([placeText({ file: 'a' }), placeText({ file: 'a', line: 3 })]).toEqual(['a', 'a:3']);
    expect(cacheText(cache('hit', { age: 1, left: 0 }))).toBe('cache hit, stored 1 s ago, over since 0 s');
    expect([cacheText(cache('hit', { age: 1 })), cacheText(undefined)]).toEqual(['cache hit', 'no cache']);
    expect(cacheText(cache('disabled', { what: 'denial' }))).toBe('cache disabled for denials of this name');
  });
});
