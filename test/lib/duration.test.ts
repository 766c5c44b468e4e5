import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/lib/duration.js';

describe('parseDuration', () => {
  it.each([
    { text: '0', want: 0 },
    { text: '5s', want: 5000 },
    { text: '1h30m', want: 5_400_000 },
    { text: '1.5s', want: 1500 },
    { text: '.5s', want: 500 },
    { text: '-2m', want: -120_000 },
    { text: '250us', want: 0.25 },
    { text: '250µs', want: 0.25 },
    { text: '250μs', want: 0.25 },
    { text: '500ns', want: 0.0005 },
    { text: '7ms', want: 7 },
    { text: '+0', want: 0 },
    { text: '-0', want: 0 },
    { text: '+3s', want: 3000 },
    { text: '10', want: undefined },
    { text: '', want: undefined },
    { text: 's', want: undefined },
    { text: '1d', want: undefined },
    { text: '1s x', want: undefined },
  ])('reads $text as $want ms', ({ text, want }) => expect(parseDuration(text)).toBe(want));
});

describe('formatDuration', () => {
  it.each([
    { ms: 0, want: '0s' },
    { ms: 1500, want: '1.5s' },
    { ms: 5_400_000, want: '1h30m0s' },
    { ms: 61_000, want: '1m1s' },
    { ms: 250, want: '250ms' },
    { ms: 0.0125, want: '12.5µs' },
    { ms: 0.001, want: '1µs' },
    { ms: 0.000999, want: '999ns' },
    { ms: 1, want: '1ms' },
    { ms: 1000, want: '1s' },
    { ms: -2000, want: '-2s' },
    { ms: -0.5, want: '-500µs' },
    { ms: -1e-7, want: '0s' },
    { ms: 0.000001, want: '1ns' },
    { ms: 60_000.000001, want: '1m0.000000001s' },
    { ms: 3_600_000, want: '1h0m0s' },
    { ms: 3_599_999, want: '59m59.999s' },
  ])('writes $ms ms as $want', ({ ms, want }) => expect(formatDuration(ms)).toBe(want));
});
