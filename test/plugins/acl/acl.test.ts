import { describe, expect, it } from 'vitest';
import { Reply, type Outcome } from '../../../src/chain/index.js';
import type { Acl } from '../../../src/plugins/acl/handler.js';
import { acl } from '../../../src/plugins/acl/setup.js';
import { setup, type TestBlockOptions } from '../../support/block.js';
import { SERVER, query, reply, summary } from '../../support/dns.js';

const VERDICTS: Record<string, string> = { 'REFUSED 15:0.15': 'block', 'NOERROR 15:0.17': 'filter' };

/** What becomes of a query: `pass`, `drop`, `block` or `filter`. */
function verdict(text: string, type: string, remote: string, qname = 'www.example.org.', options?: TestBlockOptions) {
  const passed = reply();
  const outcome = setup(acl, text, options).ask(query(qname, type, { remote }), () => passed) as Outcome;
  if (outcome === passed) return 'pass';
  if (!(outcome instanceof Reply)) return 'drop';
  const { rcode } = summary(outcome) as { rcode: string };
  const reason = outcome.edns!.options.map(({ code, data }) => `${code}:${data.join('.')}`).join();
  // As CoreDNS, whatever the client's own OPT record says.
  expect(outcome.edns).toMatchObject({ udpSize: 4096, version: 0, do: true });
  return VERDICTS[`${rcode} ${reason}`];
}

const RULES = `acl {
  allow net 10.0.0.0/8
  block type ANY MX net *
  Filter TYPE TXT NET 127.0.0.0/8 fd00::/8
  drop type SRV type AAAA
  block net 192.168.0.0/16 net 172.16.5.9 2001:db8::5
  allow type * HINFO
}`;

describe('acl', () => {
  it.each([
    { name: 'an address that may', type: 'MX', remote: '10.9.8.7', want: 'pass' },
    { name: 'a type from everywhere', type: 'MX', remote: '192.0.2.1', want: 'block' },
    { name: 'the other type of that line', type: 'ANY', remote: '2001:db8::1', want: 'block' },
    { name: 'a type from a network', type: 'TXT', remote: '127.0.0.1', want: 'filter' },
    { name: 'the same from a network of the other family', type: 'TXT', remote: 'fd00::1', want: 'filter' },
    { name: 'the same from elsewhere', type: 'TXT', remote: '192.0.2.1', want: 'pass' },
    { name: 'types of two sections', type: 'AAAA', remote: '192.0.2.1', want: 'drop' },
    { name: 'types of two sections, the first', type: 'SRV', remote: '192.0.2.1', want: 'drop' },
    { name: 'a network', type: 'A', remote: '192.168.200.1', want: 'block' },
    { name: 'a single address', type: 'A', remote: '172.16.5.9', want: 'block' },
    { name: 'its neighbour', type: 'A', remote: '172.16.5.10', want: 'pass' },
    { name: 'a single IPv6 address', type: 'A', remote: '2001:db8::5', want: 'block' },
    { name: 'IPv4 in the form of IPv6', type: 'A', remote: '::ffff:192.168.200.1', want: 'block' },
    { name: 'an address with an interface', type: 'TXT', remote: 'fd00::1%eth0', want: 'filter' },
    { name: 'what no line fits', type: 'A', remote: '192.0.2.1', want: 'pass' },
    { name: 'a source that is no address', type: 'A', remote: 'nowhere', want: 'block' },
  ])('$name: $want', ({ type, remote, want }) => expect(verdict(RULES, type, remote)).toBe(want));

  const zones = 'acl a.example.org b.test {\nblock\n}\nacl {\nallow net 127.0.0.1\nfilter\n}\nacl . {\ndrop\n}';
  it.each([
    { name: 'a zone', qname: 'x.A.example.org.', remote: '127.0.0.1', want: 'block' },
    { name: 'its other zone', qname: 'b.test.', remote: '127.0.0.1', want: 'block' },
    { name: 'the zone above: allow ends the search', qname: 'example.org.', remote: '127.0.0.1', want: 'pass' },
    { name: 'the zone above, another address', qname: 'example.org.', remote: '127.0.0.2', want: 'filter' },
    { name: 'another zone', qname: 'c.test.', remote: '127.0.0.1', want: 'drop' },
  ])('zones: $name', ({ qname, remote, want }) =>
    expect(verdict(zones, 'A', remote, qname, { zones: ['example.org.'] })).toBe(want),
  );

  it('without lines lets everything pass', () => expect(verdict('acl', 'A', '192.0.2.1')).toBe('pass'));

  it('counts', async () => {
    const { block, ask, handlers } = setup(acl, RULES);
    for (const [type, remote] of [
      ['A', '10.0.0.1'],
      ['MX', '127.0.0.1'],
      ['TXT', '127.0.0.1'],
      ['SRV', '127.0.0.1'],
      ['ANY', '127.0.0.1'],
    ])
      // prettier-ignore
      void ask(query('www.example.org.', type, { remote }), () => reply());
    (handlers[0] as Acl).hitCounter(query('www.example.org.'))(3, 4);
    const lines = (await block.metrics.text()).split('\n').filter((line) => line.startsWith('coredns_acl_'));
    const server = `server="${SERVER.label}"`;
    expect(lines.sort()).toEqual([
      `coredns_acl_allowed_requests_total{${server},view=""} 8`,
      `coredns_acl_blocked_requests_total{${server},view="",zone="."} 2`,
      `coredns_acl_dropped_requests_total{${server},view="",zone="."} 1`,
      `coredns_acl_filtered_requests_total{${server},view="",zone="."} 1`,
    ]);
  });

  it('says which source is no address', () => {
    const { block, ask } = setup(acl, 'acl {\nallow\n}');
    void ask(query('a.', 'A', { remote: 'nowhere' }), () => reply());
    expect(block.log.lines).toEqual(['[ERROR] plugin/acl: Blocking request. Unable to parse source address: nowhere']);
  });

  it.each([
    {
      name: 'another action',
      text: 'acl {\nallow\ndeny type A\n}',
      error: "4: acl: unknown option 'deny'; allowed: allow, block, filter, drop",
    },
    {
      name: 'another section',
      text: 'acl {\nblock from 10.0.0.1\n}',
      error: "3: acl: block: got 'from', allowed: type",
    },
    {
      name: 'a section without words',
      text: 'acl {\nblock type A net\n}',
      error: "3: acl: block: got nothing after 'net'",
    },
    { name: 'sections in a row', text: 'acl {\nblock type net *\n}', error: "3: acl: block: got nothing after 'type'" },
    {
      name: 'an unknown type',
      text: 'acl {\nblock type Q\n}',
      error: "3: acl: block: type: got 'Q', allowed: a record",
    },
    { name: 'half an address', text: 'acl {\nblock net 10.1\n}', error: "3: acl: block: net: got '10.1', allowed:" },
    {
      name: 'too long a prefix',
      text: 'acl {\nblock net 10.0.0.0/33\n}',
      error: "3: acl: block: net: got '10.0.0.0/33'",
    },
    { name: 'a block within', text: 'acl {\nblock {\n}\n}', error: '3: acl: block: got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => expect(() => setup(acl, text)).toThrow(`Corefile:${error}`));
});
