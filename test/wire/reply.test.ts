import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeRecords, type Rr } from '../../src/wire/index.js';
import { optReplyLength, putHead, replyLength, writeReply, type OptReply } from '../../src/wire/reply.js';
import { query, rrs, texts } from '../support/dns.js';

const SHORT = rrs('www.example.org. 1 IN A 192.0.2.1');
const LONG = rrs(...Array.from({ length: 300 }, (_, i) => `a${i}.example.org. 1 IN A 192.0.2.${i % 256}`));

/** The reply as a client reads it, written over what stood there before. */
function written(parts: {
  answer?: Rr[];
  authority?: Rr[];
  additional?: Rr[];
  rcode?: number;
  ttl?: number;
  opt?: OptReply;
}): ReturnType<typeof decodeMessage> {
  const { bytes, questionEnd } = query('www.example.org.', 'A', { id: 0x1234 });
  const { answer = [], authority = [], additional = [], rcode = 0, ttl, opt } = parts;
  const records = encodeRecords({ answer, authority, additional });
  const head = { id: 0x1234, queryFlags: 0x0100, bytes, questionStart: 12, questionEnd };
  const target = Buffer.alloc(1 << 16, 0xff);
  const length = writeReply(target, head, 0x8080, rcode, records, ttl, opt);
  expect(length).toBe(replyLength(head, records, opt === undefined ? 0 : optReplyLength(opt)));
  return decodeMessage(target.subarray(0, length));
}

describe('a reply', () => {
  it.each([
    { name: 'no records', parts: {} },
    { name: 'one record', parts: { answer: SHORT } },
    { name: 'more than 255 answers', parts: { answer: LONG } },
    { name: 'more than 255 authorities', parts: { authority: LONG } },
    { name: 'more than 255 additional records', parts: { additional: LONG } },
    { name: 'all sections', parts: { answer: SHORT, authority: LONG, additional: SHORT } },
  ])('has the question and its records: $name', ({ parts }: { parts: Parameters<typeof written>[0] }) => {
    const reply = written(parts);
    expect([reply.id, reply.flags, reply.rcode]).toEqual([0x1234, 0x8180, 0]);
    expect(reply.question).toEqual([{ name: 'www.example.org.', type: 1, class: 1 }]);
    for (const section of ['answer', 'authority', 'additional'] as const)
      expect(texts(reply[section])).toEqual(texts(parts[section] ?? []));
    expect(reply.edns).toBeUndefined();
  });

  it('has the TTL that it is to have in each record', () => {
    const { answer, authority } = written({ answer: LONG, authority: SHORT, ttl: 0x01_23_45_67 });
    expect(new Set([...answer, ...authority].map(({ ttl }) => ttl))).toEqual(new Set([0x01_23_45_67]));
  });

  // RFC 6891 section 6.1.3: BADVERS is 16, of which the header has the lower four bits.
  it.each([
    { name: 'DO', opt: { udpSize: 1232, do: true, options: undefined }, rcode: 0 },
    { name: 'no DO', opt: { udpSize: 512, do: false, options: undefined }, rcode: 0 },
    { name: 'a code of more than four bits', opt: { udpSize: 4096, do: false, options: undefined }, rcode: 16 },
    {
      name: 'options of more than 255 octets',
      opt: { udpSize: 1232, do: true, options: Buffer.concat([Buffer.of(0, 12, 1, 44), Buffer.alloc(300)]) },
      rcode: 23,
    },
  ])('tells in its OPT record: $name', ({ opt, rcode }) => {
    const reply = written({ answer: SHORT, additional: SHORT, rcode, opt });
    expect(reply.rcode).toBe(rcode);
    expect([reply.answer.length, reply.additional.length]).toEqual([1, 1]);
    expect(reply.edns).toMatchObject({ udpSize: opt.udpSize, version: 0, do: opt.do });
    expect(reply.edns?.options.map(({ code, data }) => [code, data.length])).toEqual(
      opt.options === undefined ? [] : [[12, 300]],
    );
  });
});

it('a header has the counts that it is given, and one question', () => {
  const target = Buffer.alloc(12, 0xff);
  const head = { id: 0xabcd, queryFlags: 0x0110, bytes: target, questionStart: 12, questionEnd: 12 };
  putHead(target, head, 0x8400, 3, { answers: 0x102, authorities: 0x304, additionals: 0x506 });
  expect(target.toString('hex')).toBe('abcd' + '8513' + '0001' + '0102' + '0304' + '0506');
});
