import { describe, expect, it } from 'vitest';
import { parseCorefile } from '../../src/corefile/load.js';
import { SCHEMES } from '../../src/corefile/scheme.js';
import { zonesFromText } from '../../src/corefile/zone.js';
import { messageOf } from './memory-files.js';

const keys = (text: string): string[] =>
  parseCorefile({ name: 'Corefile', text: `${text} {\n}\n` }).blocks.flatMap((block) =>
    block.keys.map(({ zone, port }) => (port === undefined ? zone : `${zone} ${port}`)),
  );

describe('server block keys', () => {
  it.each([
    { text: '.', want: ['.'] },
    { text: '.:1053', want: ['. 1053'] },
    { text: ':1053', want: ['. 1053'] },
    { text: '.:0', want: ['. 0'] },
    { text: '.:65535', want: ['. 65535'] },
    { text: 'Example.ORG', want: ['example.org.'] },
    { text: 'example.org.:53', want: ['example.org. 53'] },
    { text: 'dns://example.org:53', want: ['example.org. 53'] },
    { text: 'dns://.', want: ['.'] },
    { text: 'a.org b.org:54', want: ['a.org.', 'b.org. 54'] },
    { text: 'a.org,\n  b.org, c.org', want: ['a.org.', 'b.org.', 'c.org.'] },
    { text: '"a.org"', want: ['a.org.'] },
    { text: '0/25.2.0.192.in-addr.arpa', want: ['0/25.2.0.192.in-addr.arpa.'] },
    { text: '_dns._udp.example.org', want: ['_dns._udp.example.org.'] },
    { text: String.raw`a\.b.org`, want: [String.raw`a\.b.org.`] },
    { text: String.raw`a\.`, want: [String.raw`a\..`] },
    { text: String.raw`\.`, want: [String.raw`\..`] },
    { text: String.raw`a\046b.org`, want: [String.raw`a\046b.org.`] },
    { text: '10.0.0.1', want: ['10.0.0.1.'] },
    { text: '10.0.0.0/24:5300', want: ['0.0.10.in-addr.arpa. 5300'] },
    { text: '10.0.0.0/15 example.org', want: ['0.10.in-addr.arpa.', '1.10.in-addr.arpa.', 'example.org.'] },
    { text: '2001:db8::/32:53', want: ['8.b.d.0.1.0.0.2.ip6.arpa. 53'] },
  ])('$text', ({ text, want }) => expect(keys(text)).toEqual(want));

  it.each([
    { scheme: 'dns', port: 53, from: 'RFC 1035 section 4.2' },
    { scheme: 'tls', port: 853, from: 'RFC 7858 section 3.1' },
    { scheme: 'https', port: 443, from: 'RFC 8484 section 5' },
    { scheme: 'quic', port: 853, from: 'RFC 9250 section 4.1.1' },
    { scheme: 'grpc', port: 443, from: 'CoreDNS, plugin/pkg/transport' },
  ] as const)('has port $port for $scheme ($from)', ({ scheme, port }) => expect(SCHEMES[scheme]).toBe(port));

  it.each(['tls', 'https', 'grpc', 'quic'])('takes the scheme %s', (scheme) => {
    const [block] = parseCorefile({ name: 'Corefile', text: `${scheme}://example.org:8053 {\n}\n` }).blocks;
    expect(block!.keys).toMatchObject([{ scheme, zone: 'example.org.', port: 8053 }]);
  });

  it('keeps how and where a key was written', () => {
    expect(parseCorefile({ name: 'Corefile', text: '\nDNS.example\n' }).blocks[0]).toMatchObject({
      file: 'Corefile',
      line: 2,
      directives: [],
      keys: [{ zone: 'dns.example.', port: undefined, scheme: 'dns', text: 'DNS.example', file: 'Corefile', line: 2 }],
    });
  });

  it.each([
    {
      text: '.:99999',
      want: "got port '99999' in '.:99999', allowed: a number from 1 to 65535, or 0 for any free port",
    },
    { text: '.:-1', want: "got port '-1' in '.:-1', allowed: a number from 1 to 65535, or 0 for any free port" },
    { text: '.:', want: "got port '' in '.:', allowed: a number from 1 to 65535, or 0 for any free port" },
    {
      text: 'a.org:domain',
      want: "got port 'domain' in 'a.org:domain', allowed: a number from 1 to 65535, or 0 for any free port",
    },
    {
      text: 'unix://example.org',
      want: "got scheme 'unix://' in 'unix://example.org', allowed: dns://, tls://, https://, quic://, grpc://, or no scheme",
    },
    {
      text: 'https3://.',
      want: "got scheme 'https3://' in 'https3://.', allowed: dns://, tls://, https://, quic://, grpc://, or no scheme",
    },
    { text: 'a..org', want: "got zone 'a..org', allowed: no empty label (a dot at the start, or two in a row)" },
    { text: '.org', want: "got zone '.org', allowed: no empty label (a dot at the start, or two in a row)" },
    { text: '..', want: "got zone '..', allowed: no empty label (a dot at the start, or two in a row)" },
    {
      text: 'a,b.org',
      want: "got zone 'a,b.org', allowed: a domain name without , : ( ) { }; several zones are separated by spaces",
    },
    {
      text: '(a) (b)',
      key: '(a)',
      want: "got zone '(a)', allowed: a domain name without , : ( ) { }; several zones are separated by spaces",
    },
    { text: '"a b"', key: 'a b', want: "got zone 'a b', allowed: printable ASCII without white space" },
    {
      text: 'bücher.example',
      want: "got zone 'bücher.example', allowed: printable ASCII without white space; write it as 'xn--bcher-kva.example'",
    },
    {
      text: 'dns://',
      want: "got zone '', allowed: a domain name such as example.org, . for the root, or an address block such as 10.0.0.0/8",
    },
    {
      text: `a.${'b'.repeat(64)}.org`,
      want: `got zone 'a.${'b'.repeat(64)}.org', allowed: labels of at most 63 octets`,
    },
    { text: 'a.'.repeat(128), want: `got zone '${'a.'.repeat(128)}', 256 characters, allowed: at most 255` },
    { text: 'a.org\\', want: "got zone 'a.org\\', allowed: a backslash only before the character it escapes" },
  ])('refuses $text', ({ text, key, want }) =>
    expect(messageOf(() => keys(text)).split('\n')).toContain(`Corefile:1: server block key '${key ?? text}': ${want}`),
  );
});

const nibbles = (first: number, last: number, rest: string): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `${(first + i).toString(16)}.${rest}`);
const octets = (first: number, last: number, rest: string): string[] =>
  Array.from({ length: last - first + 1 }, (_, i) => `${first + i}.${rest}`);
const LONG = '0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.';

describe('zonesFromText', () => {
  it.each([
    { text: 'Cluster.Local', want: ['cluster.local.'] },
    { text: '.', want: ['.'] },
    { text: 'dns://example.org:53', want: ['example.org.'] },
    { text: '10.0.0.0/8', want: ['10.in-addr.arpa.'] },
    { text: '10.0.0.0/16', want: ['0.10.in-addr.arpa.'] },
    { text: '10.0.0.0/9', want: octets(0, 127, '10.in-addr.arpa.') },
    { text: '10.128.0.0/9', want: octets(128, 255, '10.in-addr.arpa.') },
    { text: '192.168.1.1/23', want: ['0.168.192.in-addr.arpa.', '1.168.192.in-addr.arpa.'] },
    { text: '10.129.60.0/22', want: octets(60, 63, '129.10.in-addr.arpa.') },
    { text: '10.9.3.0/18', want: octets(0, 63, '9.10.in-addr.arpa.') },
    { text: '10.0.0.0/27', want: octets(0, 31, '0.0.10.in-addr.arpa.') },
    { text: '10.0.0.200/31', want: octets(200, 201, '0.0.10.in-addr.arpa.') },
    { text: '10.1.2.3/32', want: ['3.2.1.10.in-addr.arpa.'] },
    { text: '0.0.0.0/0', want: ['in-addr.arpa.'] },
    { text: '128.0.0.0/1', want: octets(128, 255, 'in-addr.arpa.') },
    { text: '2001:db8::/32', want: ['8.b.d.0.1.0.0.2.ip6.arpa.'] },
    { text: '2001:db8::/31', want: nibbles(8, 9, 'b.d.0.1.0.0.2.ip6.arpa.') },
    { text: '2001:db8::/29', want: nibbles(8, 15, 'b.d.0.1.0.0.2.ip6.arpa.') },
    { text: '2001:DB8::/112', want: [LONG] },
    { text: '2001:db8::/113', want: nibbles(0, 7, LONG) },
    { text: '2001:db8::/115', want: nibbles(0, 1, LONG) },
    { text: 'fd00::/7', want: nibbles(12, 13, 'f.ip6.arpa.') },
    { text: '2001::/0', want: ['ip6.arpa.'] },
  ])('$text', ({ text, want }) => expect(zonesFromText(text)).toEqual(want));

  it.each([
    { text: '', want: "got zone '', allowed: a domain name" },
    { text: ':53', want: "got zone '', allowed: a domain name" },
    { text: '10.0.0.0/33', want: "got '10.0.0.0/33', allowed: an address block such as 10.0.0.0/8" },
    { text: '10.0.0.0/', want: "got '10.0.0.0/', allowed: an address block" },
    {
      text: '10.0.0/24',
      want: "got '10.0.0/24', allowed: an address block such as 10.0.0.0/8 or 2001:db8::/32, with all four octets",
    },
    { text: '2001:db8::/129', want: "got '2001:db8::/129', allowed: an address block" },
    { text: '::/0', want: "got '::/0', allowed: an address block" },
    { text: '::ffff:b:f/115', want: "got '::ffff:b:f/115', allowed: an address block" },
    { text: '0:1::/64', want: "got '0:1::/64', allowed: an address block" },
    { text: '2001:db8::', want: "got port '' in '2001:db8::', allowed: a number" },
    {
      text: 'unix://run',
      want: "got scheme 'unix://' in 'unix://run', allowed: dns://, tls://, https://, quic://, grpc://, or no scheme",
    },
  ])("refuses '$text'", ({ text, want }) => expect(() => zonesFromText(text)).toThrow(want));
});
