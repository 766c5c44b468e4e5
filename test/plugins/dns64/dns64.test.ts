import { describe, expect, it } from 'vitest';
import { DROP, Reply, type Outcome, type Query } from '../../../src/chain/index.js';
import { formatIp, parseCidr, parseIp } from '../../../src/lib/cidr.js';
import { embed } from '../../../src/plugins/dns64/address.js';
import { dns64 } from '../../../src/plugins/dns64/setup.js';
import { setup } from '../../support/block.js';
import { SERVER, query, reply, summary, type QuestionOptions } from '../../support/dns.js';

const SOA = 'a. 70 IN SOA ns.a. host.a. 1 2 3 4 5';
const A = reply({
  answer: ['a. 100 IN A 192.0.2.1'],
  authority: ['a. 5 IN NS ns.a.'],
  additional: ['ns.a. 5 IN A 192.0.2.53'],
});
const NODATA = reply({ authority: [SOA] });
const SYNTHESIZED = {
  rcode: 'NOERROR',
  flags: '',
  answer: ['a. 70 IN AAAA 64:ff9b::c000:201'],
  authority: ['a. 5 IN NS ns.a.'],
  additional: ['ns.a. 5 IN A 192.0.2.53'],
};

function ask(
  text: string,
  original: Outcome,
  options: QuestionOptions & { type?: string; forA?: Outcome } = {},
): { got: unknown; asked: Query[]; same: boolean } {
  const asked: Query[] = [];
  const made = setup(dns64, text, {
    ask: (own) => {
      asked.push(own);
      return options.forA ?? A;
    },
  }).ask(query('a.', options.type ?? 'AAAA', { remote: '2001:db8::7', ...options }), () => original) as Outcome;
  return { got: summary(made), asked, same: made === original };
}

describe('dns64', () => {
  it.each([
    { name: 'NODATA', original: NODATA, want: SYNTHESIZED },
    {
      name: 'an answer without SOA record: 600 seconds at most',
      original: reply(),
      forA: reply({ answer: ['a. 900 IN A 192.0.2.1'] }),
      want: { rcode: 'NOERROR', flags: '', answer: ['a. 600 IN AAAA 64:ff9b::c000:201'] },
    },
    { name: 'SERVFAIL that was made', original: reply({ rcode: 2, authority: [SOA] }), want: SYNTHESIZED },
    {
      name: 'an alias, which stays',
      original: reply({ answer: ['a. 9 IN CNAME b.'], authority: [SOA] }),
      forA: reply({ answer: ['a. 9 IN CNAME b.', 'b. 8 IN A 192.0.2.2'] }),
      want: { rcode: 'NOERROR', flags: '', answer: ['a. 9 IN CNAME b.', 'b. 8 IN AAAA 64:ff9b::c000:202'] },
    },
    {
      name: 'a name that has no A records either',
      original: NODATA,
      forA: NODATA,
      want: { rcode: 'NOERROR', flags: '', authority: [SOA] },
    },
    {
      name: 'an A answer that is cut short',
      original: NODATA,
      forA: reply({ flags: 0x200, answer: ['a. 1 IN A 192.0.2.1'] }),
      want: { rcode: 'NOERROR', flags: 'tc', answer: ['a. 1 IN AAAA 64:ff9b::c000:201'] },
    },
    { name: 'a prefix', text: 'dns64 64:1337::/96', original: NODATA, want: { ...SYNTHESIZED, answer: ['a. 70 IN AAAA 64:1337::c000:201'] } }, // prettier-ignore
    { name: 'a client over IPv4, allowed', text: 'dns64 {\nallow_ipv4\n}', original: NODATA, options: { remote: '192.0.2.9' }, want: SYNTHESIZED }, // prettier-ignore
    {
      name: 'AAAA records, which are replaced',
      text: 'dns64 {\ntranslate_all\nprefix 2001:db8::/32\n}',
      original: reply({ answer: ['a. 5 IN AAAA 2001:db8::1'], authority: [SOA] }),
      want: { ...SYNTHESIZED, answer: ['a. 70 IN AAAA 2001:db8:c000:201::'] },
    },
  ])('makes addresses for $name', ({ text, original, forA, options, want }) => {
    const { got, asked } = ask(text ?? 'dns64', original, { ...options, ...(forA && { forA }) });
    expect(got).toEqual(want);
    expect(asked.map(({ name, typeName }) => `${name} ${typeName}`)).toEqual(['a. A']);
  });

  it.each([
    { name: 'AAAA records', original: reply({ answer: ['a. 5 IN AAAA 2001:db8::1'] }) },
    { name: 'NXDOMAIN', original: reply({ rcode: 3, authority: [SOA] }) },
    { name: 'NXDOMAIN, though all is translated', text: 'dns64 {\ntranslate_all\n}', original: reply({ rcode: 3, authority: [SOA] }) }, // prettier-ignore
    { name: 'a failure', original: Reply.failure(2) },
    { name: 'silence', original: DROP as Outcome },
    { name: 'another type', original: NODATA, options: { type: 'A' } },
    { name: 'another class', original: NODATA, options: { class: 3 } },
    { name: 'a client over IPv4', original: NODATA, options: { remote: '192.0.2.9' } },
  ])('leaves $name', ({ text, original, options }) =>
    expect(ask(text ?? 'dns64', original, options)).toMatchObject({ same: true, asked: [] }),
  );

  it('fails where the question for A records has no answer', () =>
    expect(ask('dns64', NODATA, { forA: DROP }).got).toEqual({ rcode: 'SERVFAIL', flags: '' }));

  it('counts what it made', async () => {
    const { block, ask: again } = setup(dns64, 'dns64', { ask: () => A });
    for (const made of [NODATA, A, reply({ answer: ['a. 5 IN AAAA 2001:db8::1'] })])
      await again(query('a.', 'AAAA', { remote: '::1' }), () => Promise.resolve(made));
    expect(await block.metrics.text()).toContain(
      `coredns_dns64_requests_translated_total{server="${SERVER.label}"} 2\n`,
    );
  });

  // The examples of RFC 6052 section 2.4.
  it.each([
    ['2001:db8::/32', '2001:db8:c000:221::'],
    ['2001:db8:100::/40', '2001:db8:1c0:2:21::'],
    ['2001:db8:122::/48', '2001:db8:122:c000:2:2100::'],
    ['2001:db8:122:300::/56', '2001:db8:122:3c0:0:221::'],
    ['2001:db8:122:344::/64', '2001:db8:122:344:c0:2:2100:0'],
    ['2001:db8:122:344::/96', '2001:db8:122:344::c000:221'],
    ['64:ff9b::/96', '64:ff9b::c000:221'],
  ])('puts 192.0.2.33 behind %s as %s', (prefix, want) => {
    expect(formatIp(embed(parseCidr(prefix)!, parseIp('192.0.2.33')!))).toBe(want);
  });

  it.each([
    {
      name: 'no prefix',
      text: 'dns64 x',
      error: "2: dns64: PREFIX: got 'x', allowed: an IPv6 prefix of 32 to 96 bits",
    },
    { name: 'an address', text: 'dns64 64:ff9b::1', error: "2: dns64: PREFIX: got '64:ff9b::1'" },
    { name: 'an IPv4 prefix', text: 'dns64 10.0.0.0/8', error: "2: dns64: PREFIX: got '10.0.0.0/8'" },
    {
      name: 'too short a prefix',
      text: 'dns64 {\nprefix 64::/24\n}',
      error: "3: dns64: prefix: PREFIX: got '64::/24'",
    },
    { name: 'too long a prefix', text: 'dns64 64::/104', error: "2: dns64: PREFIX: got '64::/104'" },
    { name: 'half a byte', text: 'dns64 64::/36', error: "2: dns64: PREFIX: got '64::/36'" },
    { name: 'two prefixes', text: 'dns64 64::/96 65::/96', error: '2: dns64: got 2 arguments' },
    { name: 'another option', text: 'dns64 {\nfoo\n}', error: "3: dns64: unknown option 'foo'; allowed: prefix" },
    { name: 'a word too many', text: 'dns64 {\nallow_ipv4 yes\n}', error: '3: dns64: allow_ipv4: got 1 argument' },
  ])('refuses $name', ({ text, error }) => expect(() => setup(dns64, text)).toThrow(`Corefile:${error}`));
});
