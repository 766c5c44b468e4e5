import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Flag,
  HEADER_SIZE,
  NO_RECORDS,
  WireError,
  decodeMessage,
  decodeRecords,
  echoOwners,
  encodeMessage,
  encodeRecords,
  expandReply,
  optReplyLength,
  parseRr,
  replyLength,
  writeReply,
  type EncodedRecords,
  type OptReply,
} from '../../src/wire/index.js';
import { query, rrs, texts } from '../support/dns.js';
import { message } from './arbitrary.js';

const sections = {
  answer: rrs('Www.example.org. 30 A 192.0.2.1', 'www.example.org. 60 A 192.0.2.2'),
  authority: rrs('example.org. 90 NS ns.example.org.'),
  additional: rrs('ns.example.org. 120 A 192.0.2.3'),
};

const write = (
  asked: ReturnType<typeof query>,
  records: EncodedRecords,
  options: { flags?: number; rcode?: number; ttl?: number; opt?: OptReply } = {},
): Buffer => {
  const size = replyLength(asked, records, options.opt === undefined ? 0 : optReplyLength(options.opt));
  const target = Buffer.alloc(size + 8, 0xee);
  expect(
    writeReply(target, asked, options.flags ?? Flag.QR, options.rcode ?? 0, records, options.ttl, options.opt),
  ).toBe(size);
  expect(target.subarray(size)).toEqual(Buffer.alloc(8, 0xee));
  return target.subarray(0, size);
};

describe('encodeRecords and decodeRecords', () => {
  it('knows where the TTLs are', () => {
    const records = encodeRecords(sections);
    expect(records).toMatchObject({ answers: 2, authorities: 1, additionals: 1 });
    expect(records.ttls.map((at) => Buffer.from(records.bytes).readUInt32BE(at))).toEqual([30, 60, 90, 120]);
  });
  it('no records are one shared value', () =>
    expect(encodeRecords({ answer: [], authority: [], additional: [] })).toBe(NO_RECORDS));
  it('puts one TTL into every record', () =>
    expect(texts(decodeRecords(encodeRecords(sections), 5).answer)).toEqual([
      'Www.example.org. 5 IN A 192.0.2.1',
      'www.example.org. 5 IN A 192.0.2.2',
    ]));
  it('gives back the sections of any message', () => {
    fc.assert(
      fc.property(message, ({ answer, authority, additional }) => {
        expect(structuredClone(decodeRecords(encodeRecords({ answer, authority, additional })))).toEqual({
          answer,
          authority,
          additional,
        });
      }),
    );
  });
  it.each([
    {
      name: 'data over its length field',
      answer: [{ ...parseRr('. 1 A 192.0.2.1'), type: 65_280, rdata: new Uint8Array(65_536) }],
      error: 'record data of 65536 octets, at most 65535 are allowed at octet 0',
    },
    {
      name: 'a broken name',
      answer: [{ ...parseRr('. 1 A 192.0.2.1'), name: 'a..' }],
      error: 'name a.. has an empty label at octet 0',
    },
    {
      name: 'too many records',
      answer: Array.from({ length: 6 }, () => ({
        ...parseRr('. 1 A 192.0.2.1'),
        type: 65_280,
        rdata: new Uint8Array(60_000),
      })),
      error: 'records of more than 262144 octets at octet 300055',
    },
  ])('refuses $name', ({ answer, error }) => {
    expect(() => encodeRecords({ answer, authority: [], additional: [] })).toThrow(error);
    expect(() => encodeRecords({ answer, authority: [], additional: [] })).toThrow(WireError);
  });
});

describe('expandReply', () => {
  const expand = (compress: boolean): ReturnType<typeof expandReply> => {
    const asked = query('www.example.org.');
    return expandReply(
      encodeMessage({ ...asked.decode(), flags: Flag.QR | Flag.AA, rcode: 3, ...sections }, compress),
      asked.questionEnd,
    );
  };
  it.each([true, false])('compressed %s: the same records as encoded directly', (compress) =>
    expect(expand(compress)).toEqual({
      flags: Flag.QR | Flag.AA,
      rcode: 3,
      records: encodeRecords(sections),
      edns: undefined,
    }),
  );
  it.each([
    { name: 'TSIG', type: 250 },
    { name: 'SIG(0)', type: 24 },
  ])('leaves out the signature of the message itself: $name', ({ type }) => {
    const asked = query('www.example.org.');
    const signature = { name: 'key.', type, class: 255, ttl: 0, rdata: Buffer.alloc(30) };
    const { additional } = sections;
    const signed = encodeMessage({ ...asked.decode(), ...sections, additional: [...additional, signature] });
    expect(expandReply(signed, asked.questionEnd).records).toEqual(encodeRecords(sections));
  });
  it('a reply without records', () => {
    const asked = query('www.example.org.');
    expect(expandReply(asked.bytes, asked.questionEnd).records).toBe(NO_RECORDS);
  });
  it('refuses a message that grows past its limit', () => {
    const asked = query(`${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(60)}.`);
    const one = Buffer.from('c00c000500010000001e0002c00c', 'hex');
    const bytes = Buffer.concat([asked.bytes, ...Array.from({ length: 600 }, () => one)]);
    bytes.writeUInt16BE(600, 6);
    expect(() => expandReply(bytes, asked.questionEnd)).toThrow('message that expands to more than 262144 octets');
  });
});

describe('writeReply', () => {
  const records = encodeRecords(sections);
  it('repeats id, question, RD, CD and opcode of the query and nothing else of it', () => {
    const asked = query('wWw.Example.org.', 'AAAA', { id: 0xabcd, cd: true, ad: true });
    const got = decodeMessage(write(asked, NO_RECORDS, { flags: Flag.QR | Flag.AA | Flag.CD | 0x2800, rcode: 3 }));
    expect(got).toMatchObject({
      id: 0xabcd,
      flags: Flag.QR | Flag.AA | Flag.RD | Flag.CD,
      rcode: 3,
      question: [{ name: 'wWw.Example.org.', type: 28, class: 1 }],
    });
  });
  it.each([
    { name: 'short records', list: rrs('a. 30 A 192.0.2.1') },
    { name: 'long records', list: rrs(`${'a'.repeat(60)}.example.org. 30 TXT "${'x'.repeat(200)}"`) },
  ])('leaves $name as they are and puts the TTL where it belongs', ({ list }) => {
    const encoded = encodeRecords({ answer: list, authority: [], additional: [] });
    const before = Buffer.from(encoded.bytes);
    expect(texts(decodeMessage(write(query('a.'), encoded)).answer)).toEqual(texts(list));
    expect(decodeMessage(write(query('a.'), encoded, { ttl: 0xfffffffe })).answer).toEqual(
      decodeRecords(encoded, 0xfffffffe).answer,
    );
    expect(encoded.bytes).toEqual(before);
  });
  it.each([
    {
      name: 'size and DO',
      opt: { udpSize: 1232, do: true, options: undefined },
      rcode: 0,
      want: { udpSize: 1232, version: 0, do: true, options: [] },
    },
    {
      name: 'upper rcode bits',
      opt: { udpSize: 512, do: false, options: undefined },
      rcode: 23,
      want: { udpSize: 512, version: 0, do: false, options: [] },
    },
    {
      name: 'options',
      opt: { udpSize: 512, do: false, options: Uint8Array.of(0, 3, 0, 1, 65) },
      rcode: 0,
      want: { udpSize: 512, version: 0, do: false, options: [{ code: 3, data: Uint8Array.of(65) }] },
    },
  ])('adds an OPT record: $name', ({ opt, rcode, want }) => {
    const got = structuredClone(decodeMessage(write(query('a.'), records, { opt, rcode })));
    expect(got.edns).toEqual(want);
    expect(got.rcode).toBe(rcode);
    expect(texts(got.additional)).toEqual(texts(sections.additional));
  });
  it('writes what encodeMessage writes', () => {
    fc.assert(
      fc.property(message, (value) => {
        const edns = value.edns && { ...value.edns, version: 0, options: [] };
        const asked = query(value.question[0]!.name, 'A', { id: value.id });
        const got = write(asked, encodeRecords(value), {
          flags: value.flags | Flag.QR,
          rcode: value.rcode,
          ...(edns && { opt: { udpSize: edns.udpSize, do: edns.do, options: undefined } }),
        });
        const flags = ((value.flags | Flag.QR) & ~(Flag.CD | 0x7800)) | Flag.RD;
        expect(got).toEqual(encodeMessage({ ...value, flags, edns, question: [{ ...value.question[0]!, type: 1 }] }));
      }),
    );
  });
});

describe('echoOwners', () => {
  it('marks owners that are the question, letter case aside, and sends them as asked', () => {
    const marked = echoOwners(encodeRecords(sections), 'www.example.ORG.');
    expect(marked.owners).toHaveLength(2);
    const got = decodeMessage(write(query('WWW.example.org.'), marked));
    expect(texts(got.answer)).toEqual(['WWW.example.org. 30 IN A 192.0.2.1', 'WWW.example.org. 60 IN A 192.0.2.2']);
    expect(texts(got.authority)).toEqual(texts(sections.authority));
  });
  it('leaves records alone where none has that owner', () => {
    const records = encodeRecords(sections);
    expect(echoOwners(records, 'other.org.')).toBe(records);
    expect(echoOwners(records, 'ww0.example.org.')).toBe(records);
  });
  it('finds owners behind data of any length', () => {
    const records = encodeRecords({
      answer: rrs('a. 1 TXT "x"', `b. 1 TXT "${'y'.repeat(255)}" "${'z'.repeat(100)}"`, 'A. 1 A 192.0.2.1'),
      authority: [],
      additional: [],
    });
    expect(echoOwners(records, 'a.').owners).toEqual([0, records.bytes.length - 17]);
  });
});

it('an encoded reply has no header of its own', () =>
  expect(replyLength(query('a.'), NO_RECORDS, 0)).toBe(HEADER_SIZE + 7));

it('a received reply has one OPT record at most', () => {
  const one = write(query('a.'), encodeRecords(sections), {
    opt: { udpSize: 1232, do: false, options: undefined },
  });
  const two = Buffer.concat([one, one.subarray(-11)]);
  two.writeUInt16BE(two.readUInt16BE(10) + 1, 10);
  const records = HEADER_SIZE + 3 + 4;
  expect(expandReply(one, records).edns).toMatchObject({ udpSize: 1232 });
  expect(() => expandReply(two, records)).toThrow('more than one OPT record');
});
