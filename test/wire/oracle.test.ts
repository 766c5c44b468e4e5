import dnsPacket from 'dns-packet';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage, typeName, type Message } from '../../src/wire/index.js';
import { rr } from '../support/dns.js';

/** Another reading of the RFCs than ours: what it writes we must read, and what we write it must read. */
const CASES: { text: string; data: unknown }[] = [
  { text: 'a.example.org. 300 IN A 192.0.2.1', data: '192.0.2.1' },
  { text: 'a.example.org. 300 IN AAAA 2001:db8::1', data: '2001:db8::1' },
  { text: 'a.example.org. 300 IN CNAME b.example.org.', data: 'b.example.org' },
  { text: 'example.org. 300 IN NS ns1.example.org.', data: 'ns1.example.org' },
  { text: '1.2.0.192.in-addr.arpa. 300 IN PTR a.example.org.', data: 'a.example.org' },
  { text: 'example.org. 300 IN MX 10 mx.example.org.', data: { preference: 10, exchange: 'mx.example.org' } },
  {
    text: '_http._tcp.example.org. 300 IN SRV 0 100 80 a.example.org.',
    data: { priority: 0, weight: 100, port: 80, target: 'a.example.org' },
  },
  {
    text: 'example.org. 300 IN SOA ns1.example.org. host.example.org. 7 1800 900 604800 30',
    data: {
      mname: 'ns1.example.org',
      rname: 'host.example.org',
      serial: 7,
      refresh: 1800,
      retry: 900,
      expire: 604800,
      minimum: 30,
    },
  },
  { text: 'example.org. 300 IN TXT "one" "two"', data: [Buffer.from('one'), Buffer.from('two')] },
  {
    text: 'example.org. 300 IN CAA 0 issue "ca.example.net"',
    data: { flags: 0, tag: 'issue', value: 'ca.example.net', issuerCritical: false },
  },
  {
    text: 'example.org. 300 IN DS 60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118',
    data: {
      keyTag: 60485,
      algorithm: 5,
      digestType: 1,
      digest: Buffer.from('2BB183AF5F22588179A53B0A98631FAD1A292118', 'hex'),
    },
  },
  {
    text: 'example.org. 300 IN NAPTR 100 10 "s" "SIP+D2U" "" _sip._udp.example.org.',
    data: {
      order: 100,
      preference: 10,
      flags: 's',
      services: 'SIP+D2U',
      regexp: '',
      replacement: '_sip._udp.example.org',
    },
  },
];

const message = (text: string): Message => {
  const record = rr(text);
  return {
    id: 7,
    flags: 0x8580,
    rcode: 0,
    question: [{ name: record.name, type: record.type, class: 1 }],
    answer: [record],
    authority: [],
    additional: [],
  };
};

describe('dns-packet', () => {
  it.each(CASES)('reads what we write, in full and compressed: $text', ({ text, data }) => {
    for (const compress of [false, true]) {
      const [answer] = dnsPacket.decode(encodeMessage(message(text), compress)).answers!;
      expect(answer).toMatchObject({ type: typeName(rr(text).type), ttl: 300, data });
    }
  });

  it.each(CASES)('writes what we read: $text', ({ text, data }) => {
    const { name, type } = rr(text);
    const answer = { name: name.slice(0, -1), type: typeName(type), class: 'IN', ttl: 300, data } as dnsPacket.Answer;
    const bytes = dnsPacket.encode({ type: 'response', id: 7, questions: [], answers: [answer] });
    expect(decodeMessage(bytes).answer).toEqual([rr(text)]);
  });
});
