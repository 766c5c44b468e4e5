import { describe, expect, it } from 'vitest';
import { ConnectTime } from '../../src/exchange/connect-time.js';
import { RoundTrip } from '../../src/exchange/rtt.js';
import { seededRandom } from '../../src/lib/random.js';

const after = (times: readonly number[]): RoundTrip => {
  const trip = new RoundTrip();
  for (const time of times) trip.sample(time);
  return trip;
};
const same = (time: number, count: number): number[] => Array<number>(count).fill(time);

describe('RoundTrip', () => {
  it.each<{ name: string; times: number[]; want: Partial<RoundTrip> }>([
    {
      name: 'before the first reply',
      times: [],
      want: { mean: undefined, slowest: undefined, hedgeAfter: Infinity, patience: 300, state: [0, 0, 0, 0] },
    },
    // RFC 6298 section 2.2: the first sample and half of it; the percentile begins at twice the sample.
    { name: 'the first reply', times: [100], want: { mean: 100, patience: 300, state: [100, 50, 199.6, 1] } },
    // Section 2.3: an eighth and a quarter.
    { name: 'the second reply', times: [100, 140], want: { mean: 105, patience: 295 } },
    { name: 'a quick one: nobody else is asked before 150 ms', times: [10], want: { patience: 150 } },
    { name: 'just above', times: [50.5], want: { patience: 151.5 } },
    { name: 'a slow one: nobody waits longer than 400 ms', times: [200], want: { patience: 400 } },
    { name: 'just below', times: [133], want: { patience: 399 } },
    { name: 'no time at all counts as no sample of the mean', times: [0, 100], want: { mean: 100, patience: 300 } },
    {
      name: '19 replies are too few for a percentile',
      times: same(100, 19),
      want: { slowest: undefined, hedgeAfter: Infinity },
    },
    { name: 'a hedge races with no reply that is on its way', times: same(1, 20), want: { hedgeAfter: 20 } },
  ])('$name', ({ times, want }) => {
    const trip = after(times);
    for (const [name, value] of Object.entries(want)) {
      const got: unknown = Reflect.get(trip, name);
      const rounded = (one: unknown): unknown => (typeof one === 'number' ? Math.round(one * 1e6) / 1e6 : one);
      expect(Array.isArray(got) ? got.map(rounded) : rounded(got), name).toEqual(value);
    }
  });

  it('believes the percentile from 20 replies on, and hedges a fifth after it', () => {
    const trip = after(same(100, 20));
    // Each reply that is not above it takes 0.2 % off.
    expect(trip.slowest).toBeCloseTo(200 * 0.998 ** 20, 9);
    expect(trip.hedgeAfter).toBeCloseTo(1.2 * 200 * 0.998 ** 20, 9);
  });

  it('rises from nothing by a least step', () => {
    expect(after([0, 1]).state[2]).toBeCloseTo(0.19, 9);
    expect(after([0, 0]).state[2]).toBe(0);
  });

  it.each([
    { name: 'equal shares of 0 to 1000 ms', draw: (share: number) => 1000 * share, p95: 950 },
    { name: 'a long tail', draw: (share: number) => -20 * Math.log(1 - share), p95: 59.9 },
  ])('rests at 95 of 100: $name', ({ draw, p95 }) => {
    const random = seededRandom(1);
    const trip = new RoundTrip();
    let [sum, count] = [0, 0];
    for (let i = 0; i < 20_000; i++) {
      trip.sample(draw(random.uint32() / 2 ** 32));
      if (i < 1000) continue;
      sum += trip.slowest!;
      count++;
    }
    expect(Math.abs(sum / count - p95) / p95).toBeLessThan(0.04);
  });

  it('goes on from what another knew', () => {
    const [one, other] = [after([100, 140, 90]), new RoundTrip()];
    other.goOn(one.state);
    expect(other.state).toEqual(one.state);
    one.sample(70);
    other.sample(70);
    expect(other.state).toEqual(one.state);
    other.goOn([]);
    expect(other.state).toEqual([0, 0, 0, 0]);
  });
});

describe('time for a connection to open', () => {
  it.each([
    { name: 'nothing known', took: [], want: 30_000 },
    { name: 'one that opened at once, which counts a quarter', took: [0], want: 22_500 },
    { name: 'quick ones: never less than a second', took: new Array<number>(50).fill(1), want: 1000 },
    { name: 'slow ones: twice what they take', took: new Array<number>(50).fill(4000), want: 8000 },
    { name: 'very slow ones: never more than 30 s', took: new Array<number>(50).fill(29_000), want: 30_000 },
  ])('$name', ({ took, want }) => {
    const time = new ConnectTime();
    for (const one of took) time.learn(one);
    expect(Math.round(time.limit)).toBe(want);
  });
});
