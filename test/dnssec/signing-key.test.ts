import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Rrset, dsData, readSigningKey } from '../../src/dnssec/index.js';
import { formatRr, type Rr } from '../../src/wire/index.js';
import { rr } from '../support/dns.js';

const KEYS = path.join(import.meta.dirname, 'keys');
const file = (name: string): string => readFileSync(path.join(KEYS, name), 'utf8');
const NOW = Date.UTC(2026, 0, 1);

/** Files by name, as a reader sees them. */
const reader = (files: Record<string, string>) => (name: string) => {
  if (files[name] === undefined) throw Object.assign(new Error(`ENOENT: no such file, '${name}'`), { code: 'ENOENT' });
  return files[name];
};
const KSK = { 'k.key': file('ecdsa-ksk.key'), 'k.private': file('ecdsa-ksk.private') };

describe('key files', () => {
  it.each([
    { name: 'ecdsa-ksk', algorithm: 13, role: 'ksk', tag: 40892 },
    { name: 'ecdsa-zsk', algorithm: 13, role: 'zsk', tag: 51621 },
    { name: 'rsa', algorithm: 8, role: 'ksk', tag: 11591 },
    { name: 'p384', algorithm: 14, role: 'ksk', tag: 17903 },
    { name: 'ed25519', algorithm: 15, role: 'ksk', tag: 8003 },
  ])('reads $name', ({ name, ...want }) => {
    for (const written of [name, `${name}.key`, `${name}.private`])
      expect(readSigningKey(written, file, NOW)).toMatchObject({ ...want, owner: 'example.org.', ttl: 3600 });
  });

  it('reads comments, and dates that are yet to come', () => {
    const files = {
      'k.key': `; a comment\n\n${KSK['k.key']}`,
      'k.private': `${KSK['k.private']}Delete: 20260102000000\n`,
    };
    expect(readSigningKey('k', reader(files), NOW).tag).toBe(40892);
  });

  const change = (which: 'k.key' | 'k.private', from: string | RegExp, to: string): Record<string, string> => ({
    ...KSK,
    [which]: KSK[which].replace(from, to),
  });
  it.each([
    { name: 'a missing public key', files: {}, error: "ENOENT: no such file, 'k.key'" },
    { name: 'a missing private key', files: { 'k.key': KSK['k.key'] }, error: "ENOENT: no such file, 'k.private'" },
    { name: 'an empty file', files: { ...KSK, 'k.key': '; none\n' }, error: 'k.key:1: no DNSKEY record' },
    { name: 'another record', files: { ...KSK, 'k.key': 'a. IN A 192.0.2.1' }, error: 'k.key:1: the record is no DNSKEY record of class IN' },
    { name: 'another class', files: change('k.key', ' IN ', ' CH '), error: 'k.key:1: the record is no DNSKEY record of class IN' },
    { name: 'no record', files: { ...KSK, 'k.key': ';\nhello' }, error: 'k.key:2: no DNSKEY record: expected a record type, got the end' },
    { name: 'a key that is no zone key', files: change('k.key', '257', '0'), error: 'k.key:1: flags are 0: it is no zone key' },
    { name: 'an unknown algorithm', files: change('k.key', '3 13', '3 12'), error: 'k.key:1: got algorithm 12, allowed: 5 (RSASHA1), 7 (RSASHA1-NSEC3-SHA1), 8 (RSASHA256), 10 (RSASHA512), 13 (ECDSAP256SHA256), 14 (ECDSAP384SHA384), 15 (ED25519)' },
    { name: 'another algorithm', files: change('k.private', '13 (ECDSAP256SHA256)', '15 (ED25519)'), error: "k.private:2: got algorithm '15 (ED25519)' where the public key has 13 (ECDSAP256SHA256)" },
    { name: 'another format', files: change('k.private', 'v1.3', 'v2.0'), error: "k.private:1: got format 'v2.0', allowed: v1.2, v1.3" },
    { name: 'bad base64', files: change('k.private', /PrivateKey: ./, 'PrivateKey: *'), error: 'k.private:3: PrivateKey is no base64' },
    { name: 'no key', files: change('k.private', /PrivateKey.*/, ''), error: 'k.private: no line with PrivateKey' },
    { name: 'no algorithm', files: change('k.private', /Algorithm.*/, ''), error: 'k.private: no line with Algorithm' },
    { name: 'no text of its form', files: change('k.private', /Algorithm.*/, 'hello'), error: 'k.private:2: expected NAME: VALUE' },
    { name: 'the key of another', files: { ...KSK, 'k.private': file('ecdsa-zsk.private') }, error: 'k.private: no private key for k.key: the private key is not that of the public key' },
    { name: 'a public key of another length', files: change('k.key', /(?<=3 13 ).*/, 'AAAA'), error: 'k.private: no private key for k.key: 3 bytes are no public key of ECDSAP256SHA256' },
    { name: 'a withdrawn key', files: change('k.private', /$/, 'Inactive: 20251231235959\n'), error: 'k.private:4: the key is not to be used since Inactive 20251231235959' },
    { name: 'a deleted key', files: change('k.private', /$/, 'Delete: 20260101000000\n'), error: 'k.private:4: the key is not to be used since Delete 20260101000000' },
  ])('refuses $name', ({ files, error }) => {
    const messages: string[] = [];
    try {
      readSigningKey('k', reader(files), NOW);
    } catch (thrown) {
      messages.push((thrown as Error).message);
    }
    expect(messages).toEqual([error]);
  }); // prettier-ignore
});

/** RFC 8080 section 6.1: all that follows from its private key. */
const RFC8080 = {
  'k.key': 'example.com. 3600 IN DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=',
  'k.private':
    'Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n',
};
const VALIDITY = { inception: 1438207200, expiration: 1440021600 };
const text = (record: Omit<Rr, 'class' | 'ttl'>): string =>
  formatRr({ class: 1, ttl: 3600, ...record }).replaceAll('\t', ' ');

describe('RFC 8080 section 6.1', () => {
  const key = readSigningKey('k', reader(RFC8080), NOW);
  const SIGNATURE = 'oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqNAg==';

  it('digests the key', () =>
    expect(text({ name: 'example.com.', type: 43, rdata: dsData('Example.com.', key, 'sha256') })).toBe(
      'example.com. 3600 IN DS 3613 15 2 3AA5AB37EFCE57F737FC1627013FEE07BDF241BD10F3B1964AB55C78E79A304B',
    ));

  // RFC 8624 section 3.3 and the registry of digests.
  it.each([
    { hash: 'sha1', number: 1, octets: 20 },
    { hash: 'sha256', number: 2, octets: 32 },
  ] as const)('digests by $hash, which is $number', ({ hash, number, octets }) => {
    const data = dsData('example.com.', key, hash);
    expect([data[3], data.length]).toEqual([number, 4 + octets]);
  });

  it.each([
    { name: 'the record', records: ['example.com. 3600 IN MX 10 mail.example.com.'] },
    { name: 'capitals, another TTL, twice the same', records: ['EXAMPLE.com. 5 IN MX 10 Mail.Example.COM.', 'example.com. 5 IN MX 10 mail.example.com.'] },
  ])('signs $name', ({ records }) => {
    const rdata = new Rrset(records.map(rr) as [Rr, ...Rr[]], 3600).sign(key, 'example.com.', VALIDITY);
    expect(text({ name: 'example.com.', type: 46, rdata })).toBe(
      `example.com. 3600 IN RRSIG MX 15 2 3600 20150819220000 20150729220000 3613 example.com. ${SIGNATURE}`,
    );
  }); // prettier-ignore

  it('does not count the label of a wildcard', () =>
    expect(new Rrset([rr('*.a.example.com. 1 IN A 192.0.2.1')], 1).sign(key, 'example.com.', VALIDITY)[3]).toBe(3));

  it.each([
    { name: 'all letters in names', given: 'MX 10 ABYZ\\@[.abyz.', want: 'MX 10 abyz\\@[.abyz.' },
    { name: 'both names', given: 'SOA NS.A. Me.A. 1 2 3 4 5', want: 'SOA ns.a. me.a. 1 2 3 4 5' },
    // 024A4B4C in hexadecimal, which are letters behind a length.
    { name: 'no numbers behind them', given: 'SOA A. B. 38423372 2 3 4 5', want: 'SOA a. b. 38423372 2 3 4 5' },
    {
      name: 'names behind strings, which stay as they are',
      given: 'NAPTR 1 2 "U" "SIP" "!B!" Ab.Z.',
      want: 'NAPTR 1 2 "U" "SIP" "!B!" ab.z.',
    },
  ])('puts into lower case $name', ({ given, want }) => {
    const octets = (data: string): Buffer => new Rrset([rr(`a. 1 IN ${data}`)], 1).octets;
    expect(octets(given)).toEqual(octets(want));
    expect(octets(want).subarray(-rr(`a. 1 IN ${want}`).rdata.length)).toEqual(
      Buffer.from(rr(`a. 1 IN ${want}`).rdata),
    );
  });

  it('leaves names of types that came later as they are', () => {
    const octets = (data: string): Buffer => new Rrset([rr(`a. 1 IN ${data}`)], 1).octets;
    expect(octets('NSEC B. A')).not.toEqual(octets('NSEC b. A'));
  });

  it('puts records in the order of their data', () => {
    const octets = (...records: string[]): string =>
      new Rrset(records.map(rr) as [Rr, ...Rr[]], 1).octets.toString('hex');
    const [one, two] = ['a. 1 IN A 192.0.2.1', 'a. 1 IN A 10.0.2.2'];
    expect(octets(one, two)).toBe(octets(two, one));
    expect(octets(one, two).indexOf('0a000202')).toBeLessThan(octets(one, two).indexOf('c0000201'));
  });
});
