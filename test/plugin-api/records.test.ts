import dnsPacket from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { publicRecord, rrFrom } from '../../src/plugin-api/records.js';
import { decodeMessage, encodeMessage, parseRr, type Rr } from '../../src/wire/index.js';

const messageOf = (...answer: Rr[]): Buffer =>
  encodeMessage({ id: 1, flags: 0x8000, rcode: 0, question: [], answer, authority: [], additional: [] });

/** With data that compares whatever kind of array holds it. */
const plain = (rr: Rr): unknown => ({ ...rr, rdata: Buffer.from(rr.rdata) });

/** One record of each type that dns-packet reads. */
const TEXTS = [
  'a.example. 300 IN A 192.0.2.1',
  'a.example. 300 IN AAAA 2001:db8::1',
  'example. 300 IN NS ns.example.',
  'a.example. 300 IN CNAME b.example.',
  'a.example. 300 IN DNAME b.example.',
  '1.2.0.192.in-addr.arpa. 300 IN PTR a.example.',
  '. 300 IN NS a.root-servers.net.',
  'example. 300 IN SOA ns.example. admin.example. 7 3600 600 86400 30',
  'example. 300 IN MX 10 mail.example.',
  '_dns._udp.example. 300 IN SRV 0 100 53 ns.example.',
  'a.example. 300 IN TXT "one" "two words"',
  'a.example. 300 IN HINFO "RFC8482" ""',
  'a.example. 300 IN RP admin.example. txt.example.',
  'example. 300 IN CAA 128 issue "ca.example"',
  'a.example. 300 IN NAPTR 1 2 "u" "sip+E2U" "!^.*$!sip:a@example!" .',
  'example. 300 IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D',
  'example. 300 IN DNSKEY 257 3 8 AwEAAaz/tAm8',
  'a.example. 300 IN SSHFP 4 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D',
  '_443._tcp.example. 300 IN TLSA 3 1 1 E06D44B8',
  'a.example. 300 CH TXT "chaos"',
  'a.example. 300 IN TYPE65 \\# 3 000100',
  'a.example. 300 IN TYPE65280 \\# 2 ABCD',
];

describe('records in the shape of dns-packet', () => {
  const rrs = TEXTS.map(parseRr);

  it.each(rrs.map((rr, i) => [TEXTS[i], rr] as const))('%s: as dns-packet reads its bytes', (_, rr) => {
    const [read] = dnsPacket.decode(messageOf(rr)).answers!;
    expect(publicRecord(rr)).toEqual(
      read?.type === 'CAA' ? { ...read, data: { ...read.data, issuerCritical: undefined } } : read,
    );
  });

  it.each(rrs.map((rr, i) => [TEXTS[i], rr] as const))('%s: taken back', (_, rr) => {
    expect(plain(rrFrom(publicRecord(rr), 'answers[0]'))).toEqual(plain(rr));
  });

  it.each(rrs.map((rr, i) => [TEXTS[i], rr] as const))('%s: from what dns-packet reads', (_, rr) => {
    const [read] = dnsPacket.decode(messageOf(rr)).answers!;
    expect(plain(rrFrom(read, 'answers[0]'))).toEqual(plain(rr));
  });

  it.each([
    [
      'RRSIG',
      {
        typeCovered: 'A',
        algorithm: 8,
        labels: 2,
        originalTTL: 300,
        expiration: 2,
        inception: 1,
        keyTag: 7,
        signersName: 'example',
        signature: Buffer.from('sig'),
      },
    ],
    ['NSEC', { nextDomain: 'b.example', rrtypes: ['A', 'MX', 'RRSIG', 'CAA'] }],
  ] as const)('%s: encoded as dns-packet encodes it', (type, data) => {
    const record = { name: 'a.example', type, ttl: 1, data };
    const bytes = dnsPacket.encode({ type: 'response', answers: [record as never] });
    expect(rrFrom(record, 'x')).toEqual({ ...decodeMessage(bytes).answer[0]!, rdata: expect.anything() });
    expect(Buffer.from(rrFrom(record, 'x').rdata)).toEqual(Buffer.from(decodeMessage(bytes).answer[0]!.rdata));
    expect(publicRecord(decodeMessage(bytes).answer[0]!).data).toEqual(data);
  });

  it('NSEC3 comes back as it was given', () => {
    const data = {
      algorithm: 1,
      flags: 1,
      iterations: 0,
      salt: Buffer.from('ab'),
      nextDomain: Buffer.alloc(20, 7),
      rrtypes: ['A'],
    };
    expect(publicRecord(rrFrom({ name: 'x.example', type: 'NSEC3', data }, 'x')).data).toEqual(data);
  });

  it('data that does not fit its type is bytes of an unknown type', () =>
    expect(publicRecord({ name: 'a.', type: 33, class: 1, ttl: 0, rdata: Buffer.from([0, 1]) })).toMatchObject({
      type: 'UNKNOWN_33',
      data: Buffer.from([0, 1]),
    }));

  it('keeps labels apart that hold a dot or bytes', () => {
    const rr = parseRr('a\\.b\\000.example. 1 IN CNAME c\\.d.example.');
    expect(publicRecord(rr)).toMatchObject({ name: 'a\\.b\\000.example', data: 'c\\.d.example' });
    expect(rrFrom(publicRecord(rr), 'x')).toEqual({ ...rr, rdata: Buffer.from(rr.rdata) });
  });

  const A = { name: 'a.example', type: 'A', data: '192.0.2.1' };
  const bad: [string, unknown, string][] = [
    [
      'nothing',
      undefined,
      "answers[0]: got nothing, allowed: a record such as { name: 'example.org', type: 'A', ttl: 60, data: '192.0.2.1' }",
    ],
    [
      'a name that is too long',
      { ...A, name: `${'a'.repeat(64)}.example` },
      /^answers\[0\]\.name: got 'aaaa.*allowed: a domain name/,
    ],
    ['no name', { ...A, name: undefined }, /name: got nothing/],
    [
      'an unknown type',
      { ...A, type: 'AAAAA' },
      "answers[0].type: got 'AAAAA', allowed: a record type such as 'A', or 'TYPE65'",
    ],
    ['a number for a type', { ...A, type: 1 }, 'answers[0].type: got number'],
    [
      'a TTL that is no number',
      { ...A, ttl: '60' },
      "answers[0].ttl: got '60', allowed: whole seconds from 0 to 2147483647",
    ],
    ['a TTL below 0', { ...A, ttl: -1 }, 'got -1'],
    ['an address of the other family', { ...A, data: '::1' }, "answers[0].data: got '::1', allowed: an IPv4 address"],
    [
      'data that is no object',
      { ...A, type: 'MX', data: 'mail.example' },
      "answers[0].data: got 'mail.example', allowed: an object with preference, exchange",
    ],
    ['a missing field', { ...A, type: 'SRV', data: { port: 53 } }, 'answers[0].data.target: got nothing'],
    [
      'a port out of range',
      { ...A, type: 'SRV', data: { port: 65536, target: 'a.example' } },
      'answers[0].data.port: got 65536, allowed: a whole number from 0 to 65535',
    ],
    ['a string that is too long', { ...A, type: 'TXT', data: ['ok', 'x'.repeat(256)] }, 'answers[0].data[1]: got'],
    ['text where bytes are wanted', { ...A, type: 'HTTPS', data: '1 .' }, "answers[0].data: got '1 .', allowed: bytes"],
    [
      'a class that is none',
      { ...A, class: 'INTERNET' },
      "answers[0].class: got 'INTERNET', allowed: IN, CH, HS or ANY",
    ],
  ] as never;
  it.each(bad)('refuses %s', (_, record, message) => expect(() => rrFrom(record, 'answers[0]')).toThrow(message));

  it('leaves out what dns-packet leaves out', () => {
    expect(rrFrom({ name: 'A.example.', type: 'a', data: '192.0.2.1' }, 'x')).toMatchObject({
      name: 'A.example.',
      type: 1,
      class: 1,
      ttl: 0,
    });
    expect(rrFrom({ name: 'a', type: 'MX', data: { exchange: 'm' } }, 'x').rdata).toEqual(
      Buffer.from([0, 0, 1, 0x6d, 0]),
    );
  });
});
