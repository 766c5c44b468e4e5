import { describe, expect, it } from 'vitest';
import { Reply, ReplyLease, type CountsHits, type Outcome, type Query } from '../../../src/chain/index.js';
import { filter } from '../../../src/plugins/filter/setup.js';
import { Flag, Type } from '../../../src/wire/index.js';
import { setup, type TestBlockOptions } from '../../support/block.js';
import { SERVER, query, reply, summary, type QuestionOptions } from '../../support/dns.js';
import { namespace, service } from '../../support/kube.js';
import { podsWorld } from '../autopath/pods-world.js';

const SOA = 'test. 60 IN SOA a. b. 1 2 3 4 5';
const RRSIG = 'both.test. 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 test. AAAA';
const HTTPS = 'web.test. 60 IN HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1';
const PAIR = { A: 'both.test. 60 IN A 192.0.2.1', AAAA: 'both.test. 60 IN AAAA 2001:db8::1' };
const LOCAL = Flag.AA | Flag.RA;
const ANSWERS: Readonly<Record<string, Outcome>> = {
  'both.test. A': reply({ answer: [PAIR.A] }),
  'both.test. AAAA': reply({ answer: [PAIR.AAAA] }),
  'four.test. A': reply({ answer: ['four.test. 60 IN A 192.0.2.4'] }),
  'four.test. AAAA': reply({ authority: [SOA] }),
  'six.test. A': reply({ authority: [SOA] }),
  'six.test. AAAA': reply({ answer: ['six.test. 60 IN AAAA 2001:db8::6'] }),
  'alias.test. A': reply({ answer: ['Alias.test. 30 IN CNAME both.test.', PAIR.A] }),
  'alias.test. AAAA': reply({ answer: ['alias.test. 30 IN CNAME both.test.', PAIR.AAAA] }),
  'local.test. A': reply({ flags: LOCAL, answer: ['local.test. 5 IN A 10.96.0.1'] }),
  'local.test. AAAA': reply({ flags: LOCAL, answer: ['local.test. 5 IN AAAA fd00::1'] }),
  'signed.test. A': reply({ answer: [PAIR.A, RRSIG] }),
  'signed.test. AAAA': reply({ answer: [PAIR.AAAA] }),
  'broken.test. A': reply({ rcode: 2 }),
  'broken.test. AAAA': reply({ answer: [PAIR.AAAA] }),
  'failed.test. A': Reply.failure(2, new Error('nobody there')),
  'failed.test. AAAA': reply({ answer: [PAIR.AAAA] }),
  'gone.test. A': reply({ rcode: 3, authority: [SOA] }),
  'gone.test. AAAA': reply({ answer: [PAIR.AAAA] }),
  'cut.test. A': reply({ flags: Flag.TC, answer: [PAIR.A] }),
  'cut.test. AAAA': reply({ answer: [PAIR.AAAA] }),
  'web.test. HTTPS': reply({ answer: [HTTPS] }),
  'mandatory.test. HTTPS': reply({ answer: ['mandatory.test. 60 IN HTTPS 1 . mandatory=alpn,ipv6hint alpn=h2 ipv6hint=2001:db8::1'] }),
  'only.test. HTTPS': reply({ answer: ['only.test. 60 IN HTTPS 1 . mandatory=ipv6hint ipv6hint=2001:db8::1'] }),
  'named.test. HTTPS': reply({ answer: ['named.test. 60 IN HTTPS 1 a.bc.test. alpn=h2 ipv6hint=2001:db8::1'] }),
  'plain.test. HTTPS': reply({ answer: ['plain.test. 60 IN HTTPS 1 . alpn=h2'] }),
  'local.test. HTTPS': reply({ flags: LOCAL, answer: [HTTPS] }),
}; // prettier-ignore
const NO = reply({ rcode: 3, authority: [SOA] });

async function ask(asked: Query, text = 'filter aaaa', options: TestBlockOptions = {}) {
  const seen: string[] = [];
  const made = setup(filter, text, options);
  await made.block.run('start');
  const next = (of: Query): Outcome => {
    seen.push(of.typeName);
    return ANSWERS[`${of.name} ${of.typeName}`] ?? NO;
  };
  const outcome = await made.ask(asked, next);
  return { ...made, next, outcome, seen, got: summary(outcome) as { answer?: string[]; authority?: string[] } };
}

const soaOf = (zone: string, ttl: number): string =>
  `${zone} ${ttl} IN SOA filter.invalid. hostmaster.filter.invalid. 1 7200 1800 86400 ${ttl}`;
const empty = { rcode: 'NOERROR', flags: 'ra', authority: [soaOf('.', 60)] };
const given = (key: string): unknown => summary(ANSWERS[key] as Reply);

describe('filter aaaa', () => {
  it.each<{ name: string; qname: string; type?: string; options?: QuestionOptions; text?: string; want: unknown }>([
    { name: 'suppresses', qname: 'both.test.', want: empty },
    { name: 'leaves A alone', qname: 'both.test.', type: 'A', want: given('both.test. A') },
    { name: 'leaves other types alone', qname: 'both.test.', type: 'MX', want: summary(NO) },
    { name: 'says no more of a name without any', qname: 'four.test.', want: empty },
    { name: 'keeps the only addresses', qname: 'six.test.', want: given('six.test. AAAA') },
    { name: 'takes them with always', qname: 'six.test.', text: 'filter aaaa {\n always\n}', want: given('six.test. A') },
    { name: 'says that there is no such name', qname: 'none.test.', want: summary(NO) },
    { name: 'says so with always', qname: 'none.test.', text: 'filter aaaa {\n always\n}', want: summary(NO) },
    { name: 'follows aliases', qname: 'alias.test.', want: { ...empty, answer: ['Alias.test. 30 IN CNAME both.test.'], authority: [soaOf('.', 30)] } },
    { name: 'keeps data of its own', qname: 'local.test.', want: given('local.test. AAAA') },
    { name: 'keeps it with always', qname: 'local.test.', text: 'filter aaaa {\n always\n}', want: given('local.test. AAAA') },
    { name: 'leaves signed answers to those who want them', qname: 'signed.test.', options: { edns: 1232, do: true }, want: given('signed.test. AAAA') },
    { name: 'suppresses what is signed for others', qname: 'signed.test.', want: empty },
    { name: 'suppresses what is not signed', qname: 'both.test.', options: { edns: 1232, do: true }, want: empty },
    { name: 'asks after a failure', qname: 'broken.test.', want: given('broken.test. AAAA') },
    { name: 'asks where nobody answers', qname: 'failed.test.', want: given('failed.test. AAAA') },
    ...['broken', 'failed', 'gone', 'cut'].map((name) => ({
      name: `keeps addresses with always where the others are ${name}`,
      qname: `${name}.test.`,
      text: 'filter aaaa {\n always\n}',
      want: given(`${name}.test. AAAA`),
    })),
    { name: 'keeps addresses where the others are cut short', qname: 'cut.test.', want: given('cut.test. AAAA') },
    { name: 'leaves other classes alone', qname: 'both.test.', options: { class: 3 }, want: given('both.test. AAAA') },
    { name: 'is for its zones', qname: 'both.test.', text: 'filter aaaa example.org', want: given('both.test. AAAA') },
    { name: 'names its zone', qname: 'both.test.', text: 'filter aaaa test', want: { ...empty, authority: [soaOf('test.', 60)] } },
    { name: 'is for its clients', qname: 'both.test.', text: 'filter aaaa {\n net 10.0.0.0/8\n}', options: { remote: '10.1.2.3' }, want: empty },
    { name: 'is for no others', qname: 'both.test.', text: 'filter aaaa {\n net 10.0.0.0/8\n}', options: { remote: '11.1.2.3' }, want: given('both.test. AAAA') },
    { name: 'tries further directives', qname: 'both.test.', text: 'filter aaaa example.org\nfilter aaaa test', want: { ...empty, authority: [soaOf('test.', 60)] } },
    { name: 'of A', qname: 'both.test.', type: 'A', text: 'filter a', want: empty },
    { name: 'of A keeps the only address', qname: 'four.test.', type: 'A', text: 'filter a', want: given('four.test. A') },
    { name: 'takes hints out', qname: 'web.test.', type: 'HTTPS', want: { rcode: 'NOERROR', flags: 'ra', answer: ['web.test. 60 IN HTTPS 1 . alpn="h2" ipv4hint=192.0.2.1'] } },
    { name: 'takes hints of A out', qname: 'web.test.', type: 'HTTPS', text: 'filter a', want: { rcode: 'NOERROR', flags: 'ra', answer: ['web.test. 60 IN HTTPS 1 . alpn="h2" ipv6hint=2001:db8::1'] } },
    { name: 'takes hints from the mandatory ones', qname: 'mandatory.test.', type: 'HTTPS', want: { rcode: 'NOERROR', flags: 'ra', answer: ['mandatory.test. 60 IN HTTPS 1 . mandatory=alpn alpn="h2"'] } },
    { name: 'leaves no empty list of mandatory ones', qname: 'only.test.', type: 'HTTPS', want: { rcode: 'NOERROR', flags: 'ra', answer: ['only.test. 60 IN HTTPS 1 .'] } },
    { name: 'takes hints out behind a target', qname: 'named.test.', type: 'HTTPS', want: { rcode: 'NOERROR', flags: 'ra', answer: ['named.test. 60 IN HTTPS 1 a.bc.test. alpn="h2"'] } },
    { name: 'leaves answers without hints alone', qname: 'plain.test.', type: 'HTTPS', want: given('plain.test. HTTPS') },
    { name: 'keeps hints of its own', qname: 'local.test.', type: 'HTTPS', want: given('local.test. HTTPS') },
    { name: 'keeps hints outside its zones', qname: 'web.test.', type: 'HTTPS', text: 'filter aaaa example.org', want: given('web.test. HTTPS') },
  ])('$name', async ({ qname, type = 'AAAA', options, text, want }) => {
    expect((await ask(query(qname, type, options), text)).got).toEqual(want);
  }); // prettier-ignore

  it('does not ask for what it suppresses', async () =>
    expect((await ask(query('both.test.', 'AAAA'))).seen).toEqual(['A']));

  it('leaves a record that cannot be read as it is', async () => {
    const cut = reply({ answer: ['cut.test. 60 IN TYPE65 \\# 7 00010000060010'] });
    const { ask: through } = setup(filter, 'filter aaaa');
    expect(await through(query('cut.test.', 'HTTPS'), () => cut)).toBe(cut);
  });

  it('lets an empty answer be given again for as long as the addresses, and counts that', async () => {
    const lease = new ReplyLease(5000);
    const { ask: through, handlers, block } = setup(filter, 'filter aaaa');
    const asked = query('both.test.', 'AAAA');
    const made = (await through(asked, () => reply({ answer: [PAIR.A] }).withLease(lease))) as Reply;
    expect([made.lease?.until, made.lease?.origin === lease]).toEqual([5000, true]);
    (handlers[0] as unknown as CountsHits).hitCounter(asked, made)(2, 1);
    (handlers[0] as unknown as CountsHits).hitCounter(asked, NO)(7, 7);
    lease.revoke();
    expect(made.lease?.revoked).toBe(true);
    expect(await block.metrics.text()).toContain(
      `coredns_filter_suppressed_total{server="${SERVER.label}",type="AAAA"} 4\n`,
    );
  });

  it.each([
    { text: 'filter aaaa', dependsOn: 'question', clientNetworks: undefined },
    { text: 'filter aaaa {\n net 10.0.0.0/8 fd00::/64 10.1.0.0/16\n}', dependsOn: 'client', clientNetworks: { ipv4: 16, ipv6: 64 } },
  ])('depends on what it is told: $text', ({ text, ...want }) =>
    expect(setup(filter, text).handlers[0]).toMatchObject(want)); // prettier-ignore
});

it('keeps what a cache has of its own data', async () => {
  const dual = service('dual', { clusterIPs: ['10.96.0.1', 'fd00:96::1'], ipFamilies: ['IPv4', 'IPv6'] });
  const corefile = '. {\n filter aaaa\n cache 30\n kubernetes cluster.local\n}\n';
  const { server } = await podsWorld(corefile, [namespace('default'), dual], {});
  const name = 'dual.default.svc.cluster.local.';
  const counts = [];
  for (let i = 0; i < 2; i++) counts.push((await server.inject({ name, type: Type.AAAA }))!.answer.length);
  expect(counts).toEqual([1, 1]);
});

describe('auto', () => {
  const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';
  const row4 = (destination: string, flags: string, mask: string): string =>
    `eth0\t${destination}\t0101A8C0\t${flags}\t0\t0\t100\t${mask}\t0\t0\t0\n`;
  const row6 = (destination: string, prefix: string, flags: string, device = 'eth0'): string =>
    `${destination.padEnd(32, '0')} ${prefix} ${'0'.repeat(32)} 00 fe80${'0'.repeat(27)}1 00000400 00000001 00000000 ${flags}     ${device}\n`;
  const OUT4 = HEAD + row4('00000000', '0003', '00000000');
  const OUT6 = row6('', '00', '00000003');
  const LINK6 = row6('fe80', '40', '00000001') + row6('ff00', '08', '00000001');

  it.each([
    { name: 'no IPv6 route', v4: OUT4, v6: LINK6, text: 'filter aaaa {\n auto\n}', suppressed: true },
    { name: 'no IPv6 at all', v4: OUT4, v6: undefined, text: 'filter aaaa {\n auto\n}', suppressed: true },
    { name: 'an IPv6 route that refuses', v4: OUT4, v6: row6('', '00', '00200200', 'lo') + row6('', '00', '00000201'), text: 'filter aaaa {\n auto\n}', suppressed: true },
    { name: 'both', v4: OUT4, v6: OUT6, text: 'filter aaaa {\n auto\n}', suppressed: false },
    { name: 'a route to all global addresses', v4: OUT4, v6: row6('2000', '03', '00000003'), text: 'filter aaaa {\n auto\n}', suppressed: false },
    { name: 'half of IPv4', v4: HEAD + row4('00000000', '0003', '00000080'), v6: LINK6, text: 'filter aaaa {\n auto\n}', suppressed: true },
    { name: 'an eighth of IPv4', v4: HEAD + row4('00000000', '0003', '000000E0'), v6: LINK6, text: 'filter aaaa {\n auto\n}', suppressed: true },
    { name: 'a sixteenth of IPv4', v4: HEAD + row4('00000000', '0003', '000000F0'), v6: LINK6, text: 'filter aaaa {\n auto\n}', suppressed: false },
    { name: 'a sixteenth of IPv6', v4: OUT4, v6: row6('2000', '04', '00000003'), text: 'filter aaaa {\n auto\n}', suppressed: true },
    { name: 'a mask that is none', v4: HEAD + row4('00000000', '0003', '000'), v6: LINK6, text: 'filter aaaa {\n auto\n}', suppressed: false },
    { name: 'neither', v4: HEAD + row4('0001A8C0', '0001', '00FFFFFF'), v6: LINK6, text: 'filter aaaa {\n auto\n}', suppressed: false },
    { name: 'no tables to read', v4: undefined, v6: undefined, text: 'filter aaaa {\n auto\n}', suppressed: false },
    { name: 'no IPv6 route, of two', v4: OUT4, v6: LINK6, text: 'filter a {\n auto\n}\nfilter aaaa {\n auto\n}', suppressed: true },
    { name: 'no IPv4 route', v4: HEAD, v6: OUT6, text: 'filter aaaa {\n auto\n}', suppressed: false },
  ])('with $name', async ({ v4, v6, text, suppressed }) => {
    const files = { ...(v4 !== undefined && { '/proc/net/route': v4 }), ...(v6 !== undefined && { '/proc/net/ipv6_route': v6 }) };
    const { got } = await ask(query('both.test.', 'AAAA'), text, { files });
    expect(got).toEqual(suppressed ? empty : given('both.test. AAAA'));
  }); // prettier-ignore

  it('of A suppresses on a host without IPv4', async () => {
    const files = { '/proc/net/route': HEAD, '/proc/net/ipv6_route': OUT6 };
    expect((await ask(query('both.test.'), 'filter a {\n auto\n}', { files })).got).toEqual(empty);
  });

  it('follows the routes, and says so', async () => {
    const files: Record<string, string> = { '/proc/net/route': OUT4, '/proc/net/ipv6_route': LINK6 };
    const { block, ask: through, next } = await ask(query('both.test.'), 'filter aaaa {\n auto\n}', { files });
    files['/proc/net/ipv6_route'] = OUT6;
    await block.clock.advanceAsync(10_000);
    expect(summary(await through(query('both.test.', 'AAAA'), next))).toEqual(given('both.test. AAAA'));
    expect(block.log.lines).toEqual([
      '[INFO] plugin/filter: AAAA is suppressed: this host has no way out for that family',
      '[INFO] plugin/filter: nothing is suppressed: this host has a way out for both families, or for none',
    ]);
    await block.run('stop');
    expect(block.clock.pending).toBe(0);
  });
});

describe('the directive', () => {
  it.each([
    { text: 'filter', error: 'allowed: at least 1 argument' },
    { text: 'filter mx', error: "got 'mx', allowed: a, aaaa" },
    { text: 'filter aaaa {\n net x\n}', error: "got 'x', allowed: an address, or an address block" },
    { text: 'filter aaaa {\n zzz\n}', error: "unknown option 'zzz'; allowed: net, auto, always" },
    { text: 'filter aaaa\nfilter a', error: 'got both a and aaaa in one server block' },
    { text: 'filter aaaa\nfilter a {\n auto\n}', error: 'got both a and aaaa in one server block' },
  ])('refuses $text', ({ text, error }) => expect(() => setup(filter, text)).toThrow(error));
});
