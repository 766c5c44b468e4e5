import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Flag, decodeMessage, echoOwners, encodeRecords, fitReply } from '../../src/wire/index.js';
import { query, rr, rrs } from '../support/dns.js';
import { encodeToFit } from '../support/fitted.js';

interface Case {
  readonly qname: string;
  readonly answer: readonly string[];
  readonly authority?: readonly string[];
  readonly additional?: readonly string[];
  readonly edns?: number;
  readonly limit: number;
  readonly ttl?: number;
  readonly echo?: boolean;
}

/** What is written, and what the encoder of message objects makes of the same. */
function both({ qname, answer, authority = [], additional = [], edns, limit, ttl, echo }: Case): [Buffer, Buffer] {
  const asked = query(qname, 'A', edns === undefined ? {} : { edns });
  const sections = {
    answer: answer.map((text) => rr(text)),
    authority: authority.map((text) => rr(text)),
    additional: additional.map((text) => rr(text)),
  };
  const encoded = encodeRecords(sections);
  const records = echo === true ? echoOwners(encoded, qname) : encoded;
  const opt = edns === undefined ? undefined : { udpSize: edns, do: false, options: undefined };
  const flags = Flag.QR | Flag.AA;
  const own = fitReply(asked, flags, 0, records, ttl, opt, limit, 0);
  const aged = (list: typeof sections.answer): typeof sections.answer =>
    list.map((record) => ({
      ...record,
      ttl: ttl ?? record.ttl,
      name: echo === true && record.name.toLowerCase() === qname.toLowerCase() ? qname : record.name,
    }));
  const message = {
    ...decodeMessage(asked.bytes),
    flags: flags | (asked.queryFlags & Flag.RD),
    answer: aged(sections.answer),
    authority: aged(sections.authority),
    additional: aged(sections.additional),
  };
  // The oracle writes names out where that fits.
  const tight = encodeToFit(message, limit);
  return [own, tight];
}

const addresses = (count: number, owner = 'www.example.org.'): string[] =>
  Array.from({ length: count }, (_, i) => `${owner} 300 IN A 192.0.2.${i % 256}`);

const CASES: (Case & { name: string })[] = [
  { name: 'addresses', qname: 'www.example.org.', answer: addresses(80), limit: 512 },
  { name: 'addresses, with EDNS', qname: 'www.example.org.', answer: addresses(200), limit: 1232, edns: 1232 },
  { name: 'addresses that fit compressed', qname: 'www.example.org.', answer: addresses(20), limit: 512 },
  { name: 'another TTL', qname: 'www.example.org.', answer: addresses(80), limit: 512, ttl: 7 },
  { name: 'another spelling', qname: 'WWW.Example.org.', answer: addresses(80), limit: 512 },
  { name: 'a spelling that is repeated', qname: 'WWW.Example.org.', answer: addresses(80), limit: 512, echo: true },
  { name: 'the root', qname: '.', answer: addresses(80, '.'), limit: 512 },
  {
    name: 'an alias',
    qname: 'a.example.org.',
    answer: ['a.example.org. 5 IN CNAME www.example.org.', ...addresses(80)],
    limit: 512,
  },
  {
    name: 'names in data',
    qname: 'example.org.',
    answer: Array.from({ length: 60 }, (_, i) => `example.org. 5 IN MX ${i} mail${i % 9}.example.org.`),
    authority: ['example.org. 5 IN NS ns1.example.org.', 'example.org. 5 IN NS ns2.sub.example.net.'],
    additional: addresses(40, 'ns1.example.org.'),
    limit: 1232,
    edns: 1232,
  },
  {
    name: 'data whose names are not compressed',
    qname: '_a._tcp.example.org.',
    answer: Array.from({ length: 30 }, (_, i) => `_a._tcp.example.org. 5 IN SRV 0 0 80 host${i}.example.org.`),
    limit: 512,
  },
  {
    name: 'targets that later names point to',
    qname: '_a._tcp.example.org.',
    answer: Array.from({ length: 6 }, (_, i) => `_a._tcp.example.org. 5 IN SRV 0 0 80 host${i}.far.example.net.`),
    additional: Array.from({ length: 12 }, (_, i) => `host${i}.far.example.net. 5 IN A 192.0.2.${i}`),
    limit: 512,
  },
  {
    name: 'a cut in the additional section',
    qname: 'example.org.',
    answer: ['example.org. 5 IN SOA ns.example.org. mail.example.org. 1 2 3 4 5'],
    authority: ['example.org. 5 IN NS ns.example.org.'],
    additional: addresses(80, 'ns.example.org.'),
    limit: 512,
    edns: 512,
  },
  { name: 'no room at all', qname: 'www.example.org.', answer: addresses(80), limit: 40 },
];

describe('a reply that does not fit', () => {
  it.each(CASES)('is written as from its records: $name', (one) => {
    const [own, tight] = both(one);
    expect(own.toString('hex')).toBe(tight.toString('hex'));
    expect(own.length).toBeLessThanOrEqual(Math.max(one.limit, 40));
  });

  it('is written as from its records, whatever they are', () => {
    const label = fc.constantFrom('a', 'b', 'A', 'example', 'org', 'www', 'x'.repeat(63));
    const name = fc.array(label, { maxLength: 3 }).map((labels) => `${labels.map((one) => `${one}.`).join('')}` || '.');
    const record = fc.oneof(
      fc.tuple(name, fc.nat(255)).map(([owner, last]) => `${owner} 60 IN A 192.0.2.${last}`),
      fc.tuple(name, name).map(([owner, target]) => `${owner} 60 IN CNAME ${target}`),
      fc.tuple(name, name, name).map(([owner, ns, box]) => `${owner} 60 IN SOA ${ns} ${box} 1 2 3 4 5`),
      fc.tuple(name, name).map(([owner, target]) => `${owner} 60 IN SRV 1 2 3 ${target}`),
      fc.tuple(name, fc.nat(200)).map(([owner, size]) => `${owner} 60 IN TXT "${'t'.repeat(size)}"`),
    );
    const list = fc.array(record, { maxLength: 12 });
    let cut = 0;
    fc.assert(
      fc.property(
        name,
        list,
        list,
        list,
        fc.nat(700),
        fc.boolean(),
        (qname, answer, authority, additional, room, edns) => {
          const one: Case = { qname, answer, authority, additional, limit: 300 + room, ...(edns && { edns: 1232 }) };
          const encoded = encodeRecords({
            answer: rrs(...answer),
            authority: rrs(...authority),
            additional: rrs(...additional),
          });
          const asked = query(qname, 'A', edns ? { edns: 1232 } : {});
          if (12 + asked.questionEnd - 12 + encoded.bytes.length + (edns ? 11 : 0) <= one.limit) return true;
          cut++;
          const [own, tight] = both(one);
          return own.equals(tight);
        },
      ),
      { seed: 6, numRuns: 2000 },
    );
    expect(cut).toBeGreaterThan(300);
  });

  it.each([
    { name: 'to the byte is not cut', less: 0, flag: 0, kept: 80 },
    { name: 'but for a byte is cut by a record', less: 1, flag: Flag.TC, kept: 79 },
  ])('$name', ({ less, flag, kept }) => {
    const asked = query('www.example.org.');
    const records = encodeRecords({ answer: rrs(...addresses(80)), authority: [], additional: [] });
    const sent = decodeMessage(fitReply(asked, Flag.QR, 0, records, 9, undefined, 33 + 80 * 16 - less, 0));
    expect([sent.flags & Flag.TC, sent.answer.length]).toEqual([flag, kept]);
  });

  it('is the same again, with the TTL, id and spelling of each query', () => {
    const records = encodeRecords({ answer: rrs(...addresses(80)), authority: [], additional: [] });
    const fit = (qname: string, id: number, ttl: number, limit = 512, edns?: number): Buffer => {
      const opt = edns === undefined ? undefined : { udpSize: edns, do: false, options: undefined };
      return fitReply(query(qname, 'A', { id }), Flag.QR, 0, records, ttl, opt, limit, 0);
    };
    const rows = [
      ['www.example.org.', 1, 9],
      ['WWW.example.org.', 2, 8],
      ['www.example.org.', 3, 7],
      ['www.example.org.', 4, 7, 700],
      ['www.example.org.', 5, 7, 900, 900],
      ['www.example.org.', 6, 7, 512, 512],
      ['WWW.example.org.', 7, 6],
    ] as const;
    for (const [qname, id, ttl, limit, edns] of [...rows, ...rows]) {
      const [, want] = both({ qname, answer: addresses(80), limit: limit ?? 512, ttl, ...(edns && { edns }) });
      want.writeUInt16BE(id, 0);
      const got = fit(qname, id, ttl, limit, edns);
      want.writeUInt16BE(got.readUInt16BE(2), 2);
      expect(got.toString('hex')).toBe(want.toString('hex'));
    }
  });

  it('is kept: what it was made of is not gone through again', () => {
    const records = encodeRecords({ answer: rrs(...addresses(80)), authority: [], additional: [] });
    const fit = (qname: string, limit: number): string =>
      fitReply(query(qname), Flag.QR, 0, records, 9, undefined, limit, 0).toString('hex', 2);
    const [small, large] = [fit('www.example.org.', 512), fit('www.example.org.', 1232)];
    for (let i = 0; i < records.bytes.length; i++) records.bytes[i] = 0xee;
    expect([fit('www.example.org.', 512), fit('www.example.org.', 1232)]).toEqual([small, large]);
  });

  it('leaves room in front', () => {
    const asked = query('www.example.org.');
    const records = encodeRecords({ answer: rrs(...addresses(80)), authority: [], additional: [] });
    const [bare, framed] = [0, 2].map((prefix) => fitReply(asked, Flag.QR, 0, records, 9, undefined, 512, prefix));
    expect(framed!.subarray(2)).toEqual(bare);
  });
});
