import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Type,
  WireError,
  decodeMessage,
  encodeMessage,
  encodeName,
  formatRr,
  parseRr,
  readName,
  type Message,
} from '../../src/wire/index.js';
import { rrs } from '../support/dns.js';
import { message } from './arbitrary.js';

const BASE: Message = {
  id: 7,
  flags: 0x8180,
  rcode: 0,
  question: [{ name: 'www.example.org.', type: 1, class: 1 }],
  answer: [],
  authority: [],
  additional: [],
};
const hex = (text: string): string => text.replace(/\s+/g, '');

describe('encodeMessage', () => {
  const head = (answers: number): string =>
    `0007 8180 0001 000${answers} 0000 0000 0377777707657861 6d706c65 036f7267 00 0001 0001`;
  it.each([
    {
      name: 'names written out',
      compress: false,
      answer: rrs('www.example.org. 30 A 192.0.2.1'),
      want: '03777777076578616d706c65036f726700 0001 0001 0000001e 0004 c0000201',
    },
    {
      name: 'an owner as a pointer',
      compress: true,
      answer: rrs('www.example.org. 30 A 192.0.2.1'),
      want: 'c00c 0001 0001 0000001e 0004 c0000201',
    },
    {
      name: 'a tail as a pointer',
      compress: true,
      answer: rrs('a.example.org. 30 A 192.0.2.1'),
      want: '0161 c010 0001 0001 0000001e 0004 c0000201',
    },
    {
      name: 'another spelling written out',
      compress: true,
      answer: rrs('WWW.example.org. 30 A 192.0.2.1'),
      want: '03575757 c010 0001 0001 0000001e 0004 c0000201',
    },
    {
      name: 'the root stays one octet',
      compress: true,
      answer: rrs('. 30 A 192.0.2.1'),
      want: '00 0001 0001 0000001e 0004 c0000201',
    },
    {
      name: 'names in the data of an RFC 1035 type',
      compress: true,
      answer: rrs('. 30 MX 5 www.example.org.'),
      want: '00 000f 0001 0000001e 0004 0005 c00c',
    },
    {
      name: 'both names of a SOA',
      compress: true,
      answer: rrs('. 30 SOA example.org. a.example.org. 1 2 3 4 5'),
      want: '00 0006 0001 0000001e 001a c010 0161 c010 00000001 00000002 00000003 00000004 00000005',
    },
    {
      name: 'SRV targets never',
      compress: true,
      answer: rrs('. 30 SRV 1 2 3 www.example.org.'),
      want: '00 0021 0001 0000001e 0017 0001 0002 0003 03777777076578616d706c65036f726700',
    },
    {
      name: 'DNAME targets never',
      compress: true,
      answer: rrs('. 30 DNAME example.org.'),
      want: '00 0027 0001 0000001e 000d 076578616d706c65036f726700',
    },
    {
      name: 'empty data of a type with names',
      compress: true,
      answer: [{ ...parseRr('. 30 A 192.0.2.1'), type: Type.MX, rdata: new Uint8Array(0) }],
      want: '00 000f 0001 0000001e 0000',
    },
  ])('$name', ({ compress, answer, want }) => {
    expect(encodeMessage({ ...BASE, answer }, compress).toString('hex')).toBe(hex(head(1) + want));
  });

  it.each([
    { name: 'SRV', record: '. 30 SRV 1 2 3 www.example.org.', at: 6 },
    { name: 'DNAME', record: '. 30 DNAME www.example.org.', at: 0 },
    {
      name: 'NAPTR, behind its strings',
      record: '. 30 NAPTR 1 2 "u" "E2U+sip" "" www.example.org.',
      at: 4 + 2 + 8 + 1,
    },
  ])('later names point into the data of $name, which is not compressed itself', ({ record, at }) => {
    const answer = rrs(record, record, 'www.example.org. 30 A 192.0.2.1', 'x.example.org. 30 A 192.0.2.1');
    const bytes = encodeMessage({ ...BASE, question: [], answer }, true);
    const data = 12 + 11 + at;
    expect(bytes.readUInt16BE(bytes.length - 34)).toBe(0xc000 | data);
    expect(bytes.readUInt16BE(bytes.length - 16)).toBe(0xc000 | (data + 4));
    expect(decodeMessage(bytes).answer.map(formatRr)).toEqual(answer.map(formatRr));
  });

  it('takes data that ends inside a name as it is where it is not compressed', () => {
    const answer = [{ ...parseRr('. 1 A 192.0.2.1'), type: Type.SRV, rdata: Uint8Array.of(0, 0, 0, 0, 0, 0, 9, 97) }];
    expect(encodeMessage({ ...BASE, answer }, true).length).toBe(encodeMessage({ ...BASE, answer }).length);
  });

  it('no pointer leads past 16 KiB', () => {
    const far = Array.from({ length: 40 }, (_, i) => ({
      ...parseRr('. 1 A 192.0.2.1'),
      type: 65_280,
      rdata: new Uint8Array(500).fill(i),
    }));
    const bytes = encodeMessage(
      { ...BASE, question: [], answer: [...far, ...rrs('late.example. 1 A 192.0.2.1', 'late.example. 1 A 192.0.2.2')] },
      true,
    );
    const last = encodeName('late.example.').length + 14;
    expect(readName(bytes, bytes.length - last)).toEqual({ name: 'late.example.', end: bytes.length - 14 });
    expect(bytes.subarray(bytes.length - last).indexOf(0xc0)).toBe(last - 4);
  });

  it.each([
    {
      name: 'too many questions',
      value: {
        ...BASE,
        question: Array.from({ length: 12_000 }, () => ({ name: `${'a'.repeat(60)}.`.repeat(4), type: 1, class: 1 })),
      },
      error: 'message of more than 65535 octets',
    },
    {
      name: 'too many records',
      value: { ...BASE, answer: Array.from({ length: 5000 }, () => parseRr('www.example.org. 30 A 192.0.2.1')) },
      error: 'message of more than 65535 octets',
    },
    {
      name: 'data over its length field',
      value: { ...BASE, answer: [{ ...parseRr('. 1 A 192.0.2.1'), type: 65_280, rdata: new Uint8Array(65_536) }] },
      error: 'record data of 65536 octets, at most 65535 are allowed',
    },
    {
      name: 'a broken name',
      value: { ...BASE, answer: [{ ...parseRr('. 1 A 192.0.2.1'), name: 'a..' }] },
      error: 'name a.. has an empty label',
    },
  ])('refuses $name', ({ value, error }) => {
    for (const compress of [false, true]) expect(() => encodeMessage(value, compress)).toThrow(error);
    expect(() => encodeMessage(value)).toThrow(WireError);
  });

  it('refuses to compress data that ends inside a name', () => {
    expect(() =>
      encodeMessage(
        { ...BASE, answer: [{ ...parseRr('. 1 A 192.0.2.1'), type: Type.MX, rdata: Uint8Array.of(0, 1) }] },
        true,
      ),
    ).toThrow('record data ends inside a name at octet');
  });

  it('gives back every message, written out or compressed', () => {
    fc.assert(
      fc.property(message, (value) => {
        const plain = encodeMessage(value);
        const small = encodeMessage(value, true);
        expect(structuredClone(decodeMessage(plain))).toEqual(value);
        expect(structuredClone(decodeMessage(small))).toEqual(value);
        expect(small.length).toBeLessThanOrEqual(plain.length);
      }),
    );
  });
});
