import { describe, expect, it } from 'vitest';
import { ClientShares } from '../../src/fastpath/client-shares.js';
import { encodeSockaddr } from '../../src/fastpath/sockaddr.js';

/** More than may wait before shares are looked at. */
const PRESSED = 1 << 20;

const sockaddr = (address: string): Uint8Array => encodeSockaddr({ address, port: 4000 });
const isHeavy = (shares: ClientShares, address: string): boolean => {
  const view = new DataView(Uint8Array.from(sockaddr(address)).buffer);
  return address.includes(':')
    ? shares.isHeavy(view.getInt32(8, true), view.getInt32(12, true))
    : shares.isHeavy(view.getInt32(4, true), 0);
};

/** Clients 10.0.0.0 and on, each with so much work. */
function charged(work: readonly number[], waiting = PRESSED): ClientShares {
  const shares = new ClientShares(ClientShares.allocate(), 42);
  shares.settle(1000, 0);
  work.forEach((each, i) => shares.charge(sockaddr(`10.0.0.${i}`), each));
  shares.settle(1000, waiting);
  return shares;
}

const heavy = (shares: ClientShares, count: number): number[] =>
  Array.from({ length: count }, (_, i) => i).filter((i) => isHeavy(shares, `10.0.0.${i}`));

describe('clients take more than their share', () => {
  it.each([
    { name: 'where one takes nearly all', work: [100_000, 50, 50, 50], want: [0] },
    { name: 'where two do', work: [60_000, 50_000, 900, 50], want: [0, 1] },
    {
      name: 'not where they take little, however many they are',
      work: [5000, ...new Array<number>(20).fill(50)],
      want: [0],
    },
    { name: 'all, where all are alike: they wait for each other', work: [500, 500, 500], want: [0, 1, 2] },
    { name: 'a sole one too', work: [500], want: [0] },
  ])('$name', ({ work, want }) => {
    expect(heavy(charged(work), work.length)).toEqual(want);
  });

  it('never while all is calm', () => {
    expect(heavy(charged([100_000, 50], 0), 2)).toEqual([]);
  });

  it('until they have taken less for a while', () => {
    const shares = charged([100_000, 50]);
    for (let at = 1100; at <= 2000; at += 100) {
      shares.charge(sockaddr('10.0.0.1'), 1000);
      shares.settle(at, PRESSED);
    }
    expect(heavy(shares, 2)).toEqual([1]);
  });

  it('by their queries alone, before any was looked at', () => {
    const shares = charged([50, 50]);
    for (let i = 0; i < 1000; i++) shares.take(10 | (9 << 24), 0);
    shares.settle(1020, PRESSED);
    expect(heavy(shares, 10)).toEqual([9]);
  });

  it('by network, where that is of IPv6', () => {
    const shares = charged([50, 50]);
    for (let i = 0; i < 100; i++) shares.charge(sockaddr(`2001:db8:0:1::${i}`), 1000);
    shares.charge(sockaddr('2001:db8:0:2::1'), 50);
    shares.settle(1020, PRESSED);
    expect(isHeavy(shares, '2001:db8:0:1::ffff')).toBe(true);
    expect(isHeavy(shares, '2001:db8:0:2::1')).toBe(false);
  });

  it('at a socket of both families as at one of their own', () => {
    const shares = charged([50, 50]);
    for (let i = 0; i < 100; i++) shares.charge(sockaddr('::ffff:10.0.0.1'), 1000);
    shares.settle(1020, PRESSED);
    expect(heavy(shares, 2)).toEqual([1]);
  });
});

describe('what waits calmly', () => {
  it.each([
    { name: 'is less where queries are dear', cost: 1000, want: 16_384 },
    { name: 'is no less where the process was not run for a while', cost: 75_000, want: 16_384 },
    { name: 'is more where they are not', cost: 10, want: 600_000 },
  ])('$name', ({ cost, want }) => {
    const shares = new ClientShares(ClientShares.allocate(), 42);
    for (let i = 0; i < 1000; i++) shares.ran(sockaddr('10.0.0.1'), cost, 1);
    shares.settle(1000, 0);
    expect(shares.calm).toBeGreaterThanOrEqual(want);
    expect(shares.calm).toBeLessThan(1.5 * want);
  });
});

it('a client is not charged for a time in which the process was not run', () => {
  const shares = charged([500, 500, 500, 20_000]);
  shares.ran(sockaddr('10.0.0.1'), 75_000, 1);
  shares.settle(1020, PRESSED);
  expect(heavy(shares, 4)).toEqual([3]);
});

it('tells while there is too much to do, who asks most, and when that is over', () => {
  const shares = charged([100_000, 50]);
  const told: boolean[] = [];
  shares.watcher = (calm) => told.push(calm);
  shares.settle(1020, PRESSED);
  shares.charge(sockaddr('10.0.0.0'), 10);
  expect(shares.heaviest).toEqual(sockaddr('10.0.0.0'));
  for (const at of [1030, 1500, 2100, 3000]) shares.settle(at, 0);
  expect(told).toEqual([false, true]);
  expect(heavy(shares, 2)).toEqual([]);
});
