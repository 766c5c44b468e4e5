import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/kube/api/api-error.js';
import { Backoff } from '../../src/kube/api/backoff.js';
import type { ReflectorOptions } from '../../src/kube/api/reflector-options.js';
import { DEFAULT_TIMING } from '../../src/kube/api/timing.js';
import { Trouble } from '../../src/kube/api/trouble.js';
import { ManualClock } from '../../src/lib/clock.js';
import { RecordedLog } from '../support/kube.js';

const fault = (code: string): Error => Object.assign(new Error(code), { code });
const REFUSED = fault('ECONNREFUSED');
/** What is known within 300 ms of the API's return is asked for within 200, connection and answer aside. */
const SOON = 200;

/** What has gone wrong with following services, with the longest waits that chance may make. */
function made(chance = 2 ** 32 - 1) {
  const clock = new ManualClock();
  const random = { uint32: () => chance };
  const log = new RecordedLog();
  const options = { kind: 'Service', client: { host: 'api' }, clock, random, timing: DEFAULT_TIMING, log };
  const trouble = new Trouble(
    options as unknown as ReflectorOptions,
    new Backoff(DEFAULT_TIMING.backoff, clock, random),
  );
  return { clock, log, trouble };
}

/** Waits between attempts as the errors come one after the other. */
function waits(errors: readonly unknown[]): number[] {
  const { clock, trouble } = made();
  return errors.map((error) => {
    const wait = trouble.wait(error);
    clock.advance(wait);
    return wait;
  });
}

describe('an API that comes back', () => {
  const away = new Array<Error>(1000).fill(REFUSED);

  it.each([
    { name: 'at once', errors: [] },
    { name: 'not ready yet', errors: [new ApiError(503, '', 'not ready'), new ApiError(500, '', 'starting')] },
    { name: 'not knowing yet who may do what', errors: [new ApiError(403, 'Forbidden', 'forbidden')] },
    { name: 'breaking off its first connections', errors: [fault('ECONNRESET'), fault('ERR_HTTP2_STREAM_ERROR')] },
  ])('is asked soon however long it was away: $name', ({ errors }) => {
    expect(Math.max(...waits([...away, ...errors]))).toBeLessThanOrEqual(SOON);
  });

  it.each([
    { name: 'it says when to come again', errors: [new ApiError(503, '', 'busy', 5000)], least: 5000 },
    { name: 'it was there and failed', errors: [new ApiError(500, '', 'a'), new ApiError(500, '', 'b')], least: 400 },
  ])('is waited for longer where $name', ({ errors, least }) => {
    expect(waits(errors).at(-1)).toBeGreaterThanOrEqual(least);
  });
});

describe('after a failure', () => {
  const refusal = (status: number): ApiError => new ApiError(status, '', 'no');
  const streamed = (status: number): ApiError => new ApiError(status, '', 'no', undefined, true);
  const TOO_NEW = new ApiError(504, '', 'Too large resource version');
  it.each([
    { name: 'a list is asked for again as it was', error: refusal(500), from: '0', want: '0' },
    { name: 'a list without a version, too', error: refusal(500), from: '', want: '' },
    { name: 'a version that is gone is not asked for again', error: refusal(410), from: '7', want: '' },
    { name: 'nor one that is yet to come', error: TOO_NEW, from: '7', want: '' },
    { name: 'nor what is refused', error: refusal(400), from: '0', want: '' },
    { name: 'the last of the refusals', error: refusal(499), from: '0', want: '' },
    { name: 'but for 401', error: refusal(401), from: '0', want: '0' },
    { name: 'and 403', error: refusal(403), from: '0', want: '0' },
    { name: 'and 408', error: refusal(408), from: '0', want: '0' },
    { name: 'and 429', error: refusal(429), from: '0', want: '0' },
    { name: 'a watch goes on from its version', error: refusal(500), from: undefined, want: undefined },
    { name: 'also where its connection broke', error: fault('ECONNRESET'), from: undefined, want: undefined },
    { name: 'all is asked for after an error within a watch', error: streamed(500), from: undefined, want: '9' },
    { name: 'and after what is no JSON', error: new SyntaxError(''), from: undefined, want: '9' },
    { name: 'or no protobuf', error: new RangeError(''), from: undefined, want: '9' },
  ])('$name', ({ error, from, want }) => expect(made().trouble.next(error, from, '9')).toBe(want));

  it('a watch is given up for all there is at the third in a row', () => {
    const { trouble } = made();
    const next = (): unknown => trouble.next(refusal(500), undefined, '9');
    expect([next(), next(), next()]).toEqual([undefined, undefined, '9']);
    trouble.over();
    expect([next(), next(), next()]).toEqual([undefined, undefined, '9']);
  });

  it('a watch waits however often the API is away', () => {
    const { trouble } = made();
    const next = (error: unknown): unknown => trouble.next(error, undefined, '9');
    expect([REFUSED, REFUSED, REFUSED, refusal(500), refusal(500)].map(next)).toEqual(Array(5).fill(undefined));
  });
});

describe('what is told of trouble', () => {
  it('is that the API is away, twice a minute or when it is in another way, and that it is back', () => {
    const { trouble, log, clock } = made(0);
    const away = (error: unknown, after: number): string => {
      clock.advance(after);
      trouble.wasWell();
      trouble.wait(error);
      return log.lines.splice(0).join();
    };
    const TEXT = 'cannot follow Service objects at api: ECONNREFUSED; next attempt in 100 ms';
    expect(away(REFUSED, 0)).toBe(`warning ${TEXT}`);
    expect(away(REFUSED, 29_999)).toBe(`debug ${TEXT}`);
    expect(away(REFUSED, 1)).toBe(`warning ${TEXT}`);
    expect(away(new ApiError(503, '', 'soon'), 0)).toBe(`warning ${TEXT.replace('ECONNREFUSED', '503 soon')}`);
    expect(away(new AggregateError([REFUSED]), 0)).toBe(`warning ${TEXT}`);
    trouble.over();
    trouble.over();
    expect(log.lines.splice(0)).toEqual(['info following Service objects at api again']);
    expect(away(REFUSED, 0)).toBe(`warning ${TEXT}`);
  });

  it('is no warning where a version is gone for the first time, which is asked for soon', () => {
    const { trouble, log } = made(2 ** 31);
    const gone = new ApiError(410, 'Expired', 'too old');
    const after = (error: unknown): [number, string | undefined] => {
      trouble.next(error, undefined, '9');
      return [trouble.wait(error), log.lines.at(-1)?.split(' ')[0]];
    };
    expect(after(gone)).toEqual([150, 'debug']);
    expect(after(gone)).toEqual([300, 'warning']);
    trouble.over();
    expect(log.lines.at(-1)).toBe('info following Service objects at api again');
    expect(after(new Error('other'))).toEqual([600, 'warning']);
  });

  it.each([
    { name: 'its message', error: new Error('broken'), want: 'broken' },
    { name: 'its name without a message', error: new RangeError(''), want: 'RangeError' },
    { name: 'the first of all addresses', error: new AggregateError([fault('EPIPE'), fault('X')]), want: 'EPIPE' },
    { name: 'that of all where there is one', error: new AggregateError([fault('X')], 'all'), want: 'all' },
    { name: 'what is no error as it is', error: 'odd', want: 'odd' },
  ])('is of an error $name', ({ error, want }) => {
    const { trouble, log } = made(0);
    trouble.wait(error);
    expect(log.lines).toEqual([`warning cannot follow Service objects at api: ${want}; next attempt in 200 ms`]);
  });

  it('an API that was well is away for 10 s, and has failed from then on', () => {
    const { trouble, clock } = made(0);
    trouble.wasWell();
    clock.advance(10_000);
    expect(trouble.wait(new ApiError(500, '', 'a'))).toBe(100);
    clock.advance(1);
    expect(trouble.wait(new ApiError(500, '', 'a'))).toBe(200);
    trouble.wasWell();
    expect([499, 403].map((status) => trouble.wait(new ApiError(status, '', 'a')))).toEqual([400, 100]);
  });
});
