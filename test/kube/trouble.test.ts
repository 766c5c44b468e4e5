import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/kube/api/api-error.js';
import { Backoff } from '../../src/kube/api/backoff.js';
import type { ReflectorOptions } from '../../src/kube/api/reflector-options.js';
import { DEFAULT_TIMING } from '../../src/kube/api/timing.js';
import { Trouble } from '../../src/kube/api/trouble.js';
import { ManualClock } from '../../src/lib/clock.js';

const fault = (code: string): Error => Object.assign(new Error(code), { code });
const REFUSED = fault('ECONNREFUSED');
/** What is known within 300 ms of the API's return is asked for within 200, connection and answer aside. */
const SOON = 200;

/** Waits between attempts, the longest that chance may make them, as the errors come one after the other. */
function waits(errors: readonly unknown[]): number[] {
  const clock = new ManualClock();
  const random = { uint32: () => 2 ** 32 - 1 };
  const log = { debug: () => undefined, info: () => undefined, warning: () => undefined, error: () => undefined };
  const options = { kind: 'Service', client: { host: 'api' }, clock, random, timing: DEFAULT_TIMING, log };
  const trouble = new Trouble(
    options as unknown as ReflectorOptions,
    new Backoff(DEFAULT_TIMING.backoff, clock, random),
  );
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
