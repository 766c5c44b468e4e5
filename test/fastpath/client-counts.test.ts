import { describe, expect, it } from 'vitest';
import { ClientCounts } from '../../src/fastpath/client-counts.js';
import { formatIp, parseIp } from '../../src/lib/cidr.js';

const counts = (): ClientCounts => new ClientCounts(ClientCounts.allocate(1));
/** Counts an answer; `before` words of something else stand before the address. */
function add(to: ClientCounts, address: string, nxdomain = false, before = 0): void {
  const bytes = parseIp(address)!;
  const words = new Int32Array(before + bytes.length / 4).fill(-1);
  words.set(new Int32Array(Uint8Array.from(bytes).buffer), before);
  to.add(words, before, bytes.length === 16, nxdomain);
}
/** What is taken, by address: answers, and those of them that were NXDOMAIN. */
function taken(from: ClientCounts): Map<string, readonly [number, number]> {
  const found = new Map<string, readonly [number, number]>();
  from.take((bytes, count, nxdomain) => {
    // IPv4 in the form that it has among addresses of IPv6 (RFC 4291 section 2.5.5.2).
    const mapped = Buffer.from(bytes.subarray(0, 12)).toString('hex') === `${'00'.repeat(10)}ffff`;
    const address = formatIp(mapped ? bytes.subarray(12) : bytes);
    expect(found.has(address)).toBe(false);
    found.set(address, [count, nxdomain]);
  });
  return found;
}

describe('clients of a thread', () => {
  it.each([
    { name: 'IPv4', addresses: ['192.0.2.1', '192.0.2.2', '192.0.3.1', '10.0.2.1', '0.0.0.0'] },
    {
      name: 'IPv6, whichever word differs',
      addresses: ['2001:db8::1', '2001:db9::1', '2001:db8:1::1', '2001:db8::1:0:1', '2001:db8::2', '::'],
    },
  ])('are counted apart: $name', ({ addresses }) => {
    const all = counts();
    addresses.forEach((address, i) => {
      for (let n = 0; n <= i; n++) add(all, address, n === 1, n);
    });
    const read = taken(all);
    expect([...read.values()].sort(([a], [b]) => a - b)).toEqual(
      addresses.map((_, i) => [i + 1, i > 0 ? 1 : 0] as const),
    );
    expect(taken(all).size).toBe(0);
  });

  it('are told by their addresses', () => {
    const all = counts();
    add(all, '192.0.2.1');
    add(all, '2001:db8::1');
    expect([...taken(all).keys()].sort()).toEqual(['192.0.2.1', '2001:db8::1']);
  });

  it('that ask much stay, however many ask little', () => {
    const all = counts();
    const heavy = Array.from({ length: 20 }, (_, i) => `10.1.0.${i}`);
    for (const address of heavy) for (let n = 0; n < 50; n++) add(all, address, n % 2 === 0);
    for (let i = 0; i < 5000; i++) add(all, `10.2.${i >> 8}.${i & 255}`, i % 2 === 0);
    const read = taken(all);
    for (const address of heavy) expect(read.get(address)).toEqual([50, 25]);
    // Who took the place of another has counts of its own.
    const light = [...read].filter(([address]) => address.startsWith('10.2.'));
    expect(light.length).toBeGreaterThan(1500);
    for (const [address, count] of light)
      expect(count).toEqual([1, Number(address.split('.').at(-1)) % 2 === 0 ? 1 : 0]);
  });

  it('have a fourth of the memory for each where there are more than four threads', () => {
    const [four, five] = [4, 5].map((threads) => ClientCounts.allocate(threads).byteLength) as [number, number];
    expect(four).toBe(4 * five);
    expect(new ClientCounts(ClientCounts.allocate(5)).size).toBe(five);
  });
});
