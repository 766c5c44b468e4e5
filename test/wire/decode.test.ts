import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Flag,
  HEADER_SIZE,
  WireError,
  decodeMessage,
  encodeMessage,
  expandReply,
  decodeRecords,
  opcodeOf,
  readQuestion,
  type Message,
} from '../../src/wire/index.js';
import { damage, damaged, message } from './arbitrary.js';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');
const HEAD = '1234 8180 0001 0001 0000 0000';
const QUESTION = '03777777 00 0001 0001';
const EMPTY: Message = {
  id: 0x1234,
  flags: 0x8180,
  rcode: 0,
  question: [{ name: 'www.', type: 1, class: 1 }],
  answer: [],
  authority: [],
  additional: [],
  edns: undefined,
};
const A = { name: 'www.', type: 1, class: 1, ttl: 30, rdata: Uint8Array.of(192, 0, 2, 1) };
const OPT = '00 0029 04d0 00008000 0000';

describe('decodeMessage', () => {
  it.each([
    {
      name: 'a header alone',
      bytes: hex('1234 0100 0000 0000 0000 0000'),
      want: { ...EMPTY, flags: 0x0100, question: [] },
    },
    {
      name: 'every flag and the rcode apart',
      bytes: hex('1234 fff5 0000 0000 0000 0000'),
      want: { ...EMPTY, flags: 0xfff0, rcode: 5, question: [] },
    },
    {
      name: 'an answer behind a pointer',
      bytes: hex(`${HEAD} ${QUESTION} c00c 0001 0001 0000001e 0004 c0000201`),
      want: { ...EMPTY, answer: [A] },
    },
    {
      name: 'octets after the last record',
      bytes: hex(`${HEAD} ${QUESTION} c00c 0001 0001 0000001e 0004 c0000201 ffff`),
      want: { ...EMPTY, answer: [A] },
    },
    { name: 'an announced record that is not there', bytes: hex(`${HEAD} ${QUESTION}`), want: EMPTY },
    {
      name: 'an announced question that is not there',
      bytes: hex('1234 8180 0001 0000 0000 0000'),
      want: { ...EMPTY, question: [] },
    },
    {
      name: 'the largest TTL',
      bytes: hex(`${HEAD} ${QUESTION} c00c 0001 0001 ffffffff 0004 c0000201`),
      want: { ...EMPTY, answer: [{ ...A, ttl: 0xffffffff }] },
    },
    {
      name: 'names in data written out',
      bytes: hex(`${HEAD} ${QUESTION} c00c 0005 0001 0000001e 0004 0161 c00c`),
      want: { ...EMPTY, answer: [{ ...A, type: 5, rdata: Uint8Array.from(hex('0161 03777777 00')) }] },
    },
    {
      name: 'data of no octets',
      bytes: hex(`${HEAD} ${QUESTION} c00c 0001 00ff 00000000 0000`),
      want: { ...EMPTY, answer: [{ ...A, class: 255, ttl: 0, rdata: new Uint8Array(0) }] },
    },
    {
      name: 'an OPT record with upper rcode bits, DO and an option',
      bytes: hex(`1234 8180 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 01008000 0006 000a 0002 abcd`),
      want: {
        ...EMPTY,
        rcode: 16,
        edns: { udpSize: 1232, version: 0, do: true, options: [{ code: 10, data: Uint8Array.of(0xab, 0xcd) }] },
      },
    },
  ])('reads $name', ({ bytes, want }) => expect(structuredClone(decodeMessage(bytes))).toEqual(want));

  it.each([
    { name: 'no octets', bytes: '', error: 'message shorter than its header at octet 0' },
    {
      name: 'eleven octets',
      bytes: '1234 8180 0001 0001 0000 00',
      error: 'message shorter than its header at octet 11',
    },
    { name: 'a question cut short', bytes: `${HEAD} 03777777 00 0001 00`, error: 'question cut short at octet 17' },
    {
      name: 'a question name cut short',
      bytes: `${HEAD} 0377`,
      error: 'name runs past the end of the message at octet 12',
    },
    {
      name: 'a record cut short',
      bytes: `${HEAD} ${QUESTION} c00c 0001 0001 0000`,
      error: 'record cut short at octet 23',
    },
    {
      name: 'data past the end',
      bytes: `${HEAD} ${QUESTION} c00c 0001 0001 0000001e 0004 c00002`,
      error: 'record data runs past the end of the message at octet 31',
    },
    {
      name: 'an address of three octets',
      bytes: `${HEAD} ${QUESTION} c00c 0001 0001 0000001e 0003 c00002`,
      error: 'record data of 3 octets where the type has 4 at octet 33',
    },
    {
      name: 'a name longer than its data',
      bytes: `${HEAD} ${QUESTION} c00c 0005 0001 0000001e 0001 0161 00`,
      error: 'name runs past its record data at octet 33',
    },
    {
      name: 'MX data without a name',
      bytes: `${HEAD} ${QUESTION} c00c 000f 0001 0000001e 0001 00`,
      error: 'record data ends before its names at octet 33',
    },
    {
      name: 'NAPTR strings past the data',
      bytes: `${HEAD} ${QUESTION} c00c 0023 0001 0000001e 0006 00000000 ff61`,
      error: 'record data ends before its names at octet 33',
    },
    {
      name: 'an option cut short',
      bytes: `1234 8180 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00000000 0002 000a`,
      error: 'EDNS option cut short at octet 32',
    },
    {
      name: 'an option past its record',
      bytes: `1234 8180 0001 0000 0000 0001 ${QUESTION} 00 0029 04d0 00000000 0005 000a 0002 ab`,
      error: 'EDNS option runs past its record at octet 32',
    },
    {
      name: 'an option past its record, into the next one',
      bytes: `1234 8180 0001 0000 0000 0002 ${QUESTION} 00 0029 04d0 00000000 0004 000a 0004 c00c 0001 0001 0000001e 0004 c0000201`,
      error: 'EDNS option runs past its record at octet 32',
    },
    {
      name: 'two OPT records',
      bytes: `1234 8180 0001 0000 0000 0002 ${QUESTION} ${OPT} ${OPT}`,
      error: 'more than one OPT record at octet 33',
    },
  ])('refuses $name', ({ bytes, error }) => {
    expect(() => decodeMessage(hex(bytes))).toThrow(error);
    expect(() => decodeMessage(hex(bytes))).toThrow(WireError);
  });

  it('takes the opcode out of the flags', () => expect(opcodeOf(0x2800 | Flag.QR)).toBe(5));
});

describe('any octets', () => {
  const attempt = <T>(read: () => T): T | WireError => {
    try {
      return read();
    } catch (error) {
      if (error instanceof WireError) return error;
      throw error;
    }
  };
  /** Both readers say the same of the same bytes. */
  const agree = (bytes: Buffer): void => {
    const whole = attempt(() => decodeMessage(bytes));
    if (bytes.length < HEADER_SIZE || bytes.readUInt16BE(4) !== 1) return;
    const question = attempt(() => readQuestion(bytes, HEADER_SIZE));
    if (question instanceof WireError) return;
    const parts = attempt(() => expandReply(bytes, question.end));
    if (whole instanceof WireError || parts instanceof WireError) {
      expect(parts).toEqual(whole);
      return;
    }
    expect({ flags: parts.flags, rcode: parts.rcode, edns: parts.edns, ...decodeRecords(parts.records) }).toEqual({
      flags: whole.flags,
      rcode: whole.rcode,
      edns: whole.edns,
      answer: whole.answer,
      authority: whole.authority,
      additional: whole.additional,
    });
  };

  it('random ones are read or refused, the same way by both readers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => void agree(Buffer.from(bytes))),
      { numRuns: 300 },
    );
  });

  it('damaged messages are read or refused, the same way by both readers', () => {
    fc.assert(
      fc.property(
        message,
        fc.boolean(),
        damage,
        fc.nat(),
        (value, compress, changes, cut) => void agree(damaged(encodeMessage(value, compress), changes, cut)),
      ),
      { numRuns: 600 },
    );
  });

  it('never reads what lies behind the message', () => {
    fc.assert(
      fc.property(
        message,
        damage,
        fc.nat(),
        fc.uint8Array({ minLength: 40, maxLength: 40 }),
        (value, changes, cut, behind) => {
          const bytes = damaged(encodeMessage(value, true), changes, cut);
          const inside = Buffer.concat([bytes, Buffer.from(behind)]).subarray(0, bytes.length);
          expect(attempt(() => decodeMessage(inside))).toEqual(attempt(() => decodeMessage(bytes)));
        },
      ),
      { numRuns: 300 },
    );
  });
});
