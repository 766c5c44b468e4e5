import { describe, expect, it } from 'vitest';
import { Reply, type Outcome } from '../../../src/chain/index.js';
import { Buckets } from '../../../src/plugins/limit/buckets.js';
import { limit } from '../../../src/plugins/limit/setup.js';
import { setup } from '../../support/block.js';
import { query, reply } from '../../support/dns.js';

/** A block with a limit, and what becomes of queries. */
function limited(text: string) {
  const { block, ask } = setup(limit, text, { zones: ['example.org.'] });
  const passed = reply();
  const become = (remote: string, name = 'www.example.org.', transport: 'udp' | 'tcp' = 'udp'): string => {
    const outcome = ask(
      query(name, 'A', { remote, transport, received: block.clock.monotonic() }),
      () => passed,
    ) as Outcome;
    if (outcome === passed) return 'pass';
    if (!(outcome instanceof Reply)) return 'drop';
    return outcome.truncated ? 'truncate' : outcome.rcode === 5 ? 'refuse' : 'other';
  };
  const many = (count: number, remote: string, name?: string): number =>
    Array.from({ length: count }, () => become(remote, name)).filter((what) => what === 'pass').length;
  return { block, become, many };
}

describe('limit', () => {
  it('lets a client ask its burst at once, and its rate from then on', () => {
    const { block, many } = limited('limit {\n per_client 10 30\n}');
    expect(many(100, '10.0.0.1')).toBe(30);
    block.clock.advance(1000);
    expect(many(100, '10.0.0.1')).toBe(10);
    block.clock.advance(60_000);
    expect(many(100, '10.0.0.1')).toBe(30);
  });

  it('takes nothing from other clients', () => {
    const { many } = limited('limit {\n per_client 10\n per_zone 25 25\n}');
    expect(many(1000, '10.0.0.1')).toBe(20);
    expect(many(5, '10.0.0.2')).toBe(5);
    expect(many(5, '10.0.0.3')).toBe(0);
  });

  it.each([
    { name: 'addresses of one IPv6 network', one: '2001:db8::1', other: '2001:db8::ffff:2', same: true },
    { name: 'addresses of two', one: '2001:db8::1', other: '2001:db8:0:1::1', same: false },
    { name: 'addresses that begin differently', one: '2001:db8::1', other: '2401:db8::1', same: false },
    { name: 'IPv4 in the form of IPv6', one: '::ffff:10.0.0.1', other: '10.0.0.1', same: true },
    { name: 'neighbours', one: '10.0.0.1', other: '10.0.0.2', same: false },
  ])('$name: one client, $same', ({ one, other, same }) => {
    const { many } = limited('limit {\n per_client 1 1\n}');
    many(1, one);
    expect(many(1, other)).toBe(same ? 0 : 1);
  });

  it.each([
    { text: '', transport: 'udp' as const, want: 'refuse' },
    { text: 'action drop', transport: 'udp' as const, want: 'drop' },
    { text: 'action truncate', transport: 'udp' as const, want: 'truncate' },
    { text: 'action truncate', transport: 'tcp' as const, want: 'refuse' },
    { text: 'dry_run', transport: 'udp' as const, want: 'pass' },
    { text: 'exempt 10.0.0.0/8', transport: 'udp' as const, want: 'pass' },
  ])("beyond it, '$text' over $transport: $want", ({ text, transport, want }) => {
    const { become } = limited(`limit {\n per_client 1 1\n ${text}\n}`);
    expect(become('10.0.0.1', 'a.example.org.', transport)).toBe('pass');
    expect(become('10.0.0.1', 'a.example.org.', transport)).toBe(want);
    expect(become('10.0.0.1', 'a.elsewhere.test.', transport)).toBe('pass');
  });

  it('counts and tells, once a second', async () => {
    const { block, many } = limited('limit {\n per_client 1 1\n dry_run\n}');
    expect(many(50, '10.0.0.1')).toBe(50);
    expect(block.log.lines).toEqual([
      '[WARNING] plugin/limit: client 10.0.0.1 asks more than it may: dry run, it passes',
    ]);
    expect(await block.metrics.text()).toContain(
      'coredns_limit_exceeded_total{action="none",limit="client",server="dns://127.0.0.1:53"} 49\n',
    );
  });

  it('knows so many clients at most, and forgets the idlest', () => {
    const buckets = new Buckets({ perSecond: 1, burst: 1 }, 2);
    for (const key of ['a', 'b', 'a', 'c']) buckets.take(key, 0);
    expect(buckets.size).toBe(2);
    expect([buckets.take('a', 0), buckets.take('b', 0)]).toEqual([false, true]);
    for (const key of ['c', 'd', 'e', 'f']) buckets.take(key, 0);
    expect(buckets.size).toBe(2);
    expect([buckets.take('f', 0), buckets.take('e', 0), buckets.take('d', 0)]).toEqual([false, false, true]);
  });

  it.each([
    { text: 'limit', error: 'Corefile:2: limit: got no limit, allowed: per_client, per_zone or both' },
    {
      text: 'limit {\n per_client 0\n}',
      error: "Corefile:3: limit: per_client: QUERIES: got '0', allowed: a whole number from 1 to 10000000",
    },
    { text: 'limit {\n per_client 5\n exempt here\n}', error: "Corefile:4: limit: exempt: got 'here'" },
    { text: 'limit {\n per_client 5\n exempt\n}', error: /^Corefile:4: limit: .*exempt SOURCE\.\.\./ },
    { text: 'limit {\n per_client\n}', error: /^Corefile:3: limit: .*per_client QUERIES \[BURST\]/ },
    { text: 'limit {\n per_client 1 2 3\n}', error: /^Corefile:3: limit: .*per_client QUERIES \[BURST\]/ },
    { text: 'limit {\n per_client 5\n action\n}', error: /^Corefile:4: limit: .*action refuse\|truncate\|drop/ },
    { text: 'limit {\n per_client 5\n dry_run yes\n}', error: /^Corefile:4: limit: .*dry_run/ },
    { text: 'limit {\n per_client 5 {\n burst 3\n}\n}', error: /^Corefile:3: limit: / },
    { text: 'limit\nlimit', error: /limit/ },
    {
      text: 'limit {\n per_client 5\n action shout\n}',
      error: "Corefile:4: limit: action: got 'shout', allowed: refuse, truncate, drop",
    },
    { text: 'limit {\n per_clients 5\n}', error: "Corefile:3: limit: unknown option 'per_clients'" },
  ])("'$text' is refused", ({ text, error }) => expect(() => limited(text)).toThrow(error));
});
