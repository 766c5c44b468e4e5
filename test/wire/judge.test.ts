import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireError, decodeMessage, judgeRecords } from '../../src/wire/index.js';
import { query } from '../support/dns.js';

const ASKED = query('a.example.').bytes;
const END = ASKED.length;

/** A query with these bytes behind its question, and the counts of answers, authorities and additionals. */
function message(hex: string, counts: readonly [number, number, number] = [0, 0, 1]): Buffer {
  const bytes = Buffer.concat([ASKED, Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
  counts.forEach((count, i) => bytes.writeUInt16BE(count, 6 + 2 * i));
  return bytes;
}

it('a malformed record behind a question for the root is refused', () => {
  const asked = Buffer.concat([query('.', 'NS').bytes, Buffer.from('00', 'hex')]);
  asked.writeUInt16BE(1, 10);
  expect(() => judgeRecords(asked, asked.length - 1)).toThrow('record cut short');
});

const hex = (value: number): string => value.toString(16).padStart(4, '0');
const data = (type: number, rdata: string, owner = 'c00c'): string => {
  const bytes = rdata.replaceAll(' ', '');
  return `${owner}${hex(type)}000100000000${hex(bytes.length / 2)}${bytes}`;
};
const opt = (options: string, size = options.replaceAll(' ', '').length / 2): string =>
  `00 0029 04d0 00000000 ${hex(size)} ${options}`;
const option = (code: number, rdata: string): string => `${hex(code)}${hex(rdata.length / 2)}${rdata}`;

const GOOD: { name: string; bytes: Buffer }[] = [
  { name: 'a question alone', bytes: ASKED },
  { name: 'an OPT record', bytes: message(opt('')) },
  { name: 'bytes behind the last record', bytes: message(`${opt('')} ffff`) },
  { name: 'counts of records that are not there', bytes: message('', [1, 1, 2]) },
  { name: 'a count of one record more than there are', bytes: message(opt(''), [0, 0, 2]) },
  { name: 'an A record', bytes: message(data(1, 'c0000201')) },
  { name: 'an A record without data', bytes: message(data(1, '')) },
  { name: 'a SOA record', bytes: message(data(6, `c00c c00c ${'00'.repeat(20)}`), [0, 1, 0]) },
  { name: 'TXT strings', bytes: message(data(16, '0161 00 026161')) },
  { name: 'data of a type without a form', bytes: message(data(65_280, 'ff')) },
  ...[
    [1, '00'.repeat(18)],
    [2, '00'.repeat(4)],
    [2, '00'.repeat(8)],
    [3, ''],
    [8, '00000000'],
    [8, '00000020c0000201'],
    [8, '00011800c00002'],
    [8, '0001200000'],
    [8, '00028000'],
    [9, ''],
    [9, '00000001'],
    [10, '00'],
    [11, ''],
    [11, '0001'],
    [12, '0000'],
    [15, '0001'],
    [18, '016100'],
    [19, '0206'],
    [65_001, 'ff'],
  ].map(([code, rdata]) => ({
    name: `option ${code} of "${rdata}"`,
    bytes: message(opt(option(code as number, rdata as string))),
  })),
];

const BAD: { name: string; bytes: Buffer; error: string }[] = [
  { name: 'an OPT record that is cut', bytes: message(opt('').slice(0, -4)), error: 'record cut short' },
  {
    name: 'an OPT record that announces more than there is',
    bytes: message(opt('', 4)),
    error: 'record data runs past the end of the message',
  },
  {
    name: 'two OPT records',
    bytes: message(opt('') + opt(''), [0, 0, 2]),
    error: 'more than one OPT record',
  },
  { name: 'one byte where a record should be', bytes: message('ff'), error: 'name runs past the end of the message' },
  { name: 'an owner that points forward', bytes: message(data(1, 'c0000201', 'c0ff')), error: 'does not lead back' },
  { name: 'an A record of 3 bytes', bytes: message(data(1, 'c00002')), error: '3 bytes where the type has 4' },
  { name: 'an AAAA record of 4 bytes', bytes: message(data(28, 'c0000201')), error: '4 bytes where the type has 16' },
  {
    name: 'a CNAME record that points at itself',
    bytes: message(data(5, hex(0xc000 | (END + 12)))),
    error: 'does not lead back',
  },
  { name: 'a CNAME record with more', bytes: message(data(5, 'c00c 00')), error: 'names do not end where' },
  { name: 'a name beyond its data', bytes: message(`${data(2, '01')} 6100`), error: 'names do not end where' },
  { name: 'a SOA record without numbers', bytes: message(data(6, 'c00cc00c')), error: 'names do not end where' },
  { name: 'an MX record without a name', bytes: message(data(15, '00')), error: 'ends before its names' },
  {
    name: 'a TXT string beyond its data',
    bytes: message(`${data(16, '0261')} 61`),
    error: 'character-string runs past',
  },
  { name: 'options that are cut', bytes: message(opt('000a')), error: 'EDNS option cut short' },
  { name: 'an option that overruns', bytes: message(opt('000a 0008 00')), error: 'EDNS option runs past its record' },
  ...[
    [1, '00'.repeat(17)],
    [2, '00'.repeat(5)],
    [8, '000120'],
    [8, '00001800'],
    [8, '00012100'],
    [8, '00010021'],
    [8, '00028100'],
    [8, '00030000'],
    [9, '000000'],
    [11, '00'],
    [15, '00'],
    [18, '0261'],
    [19, '02'],
  ].map(([code, rdata]) => ({
    name: `option ${code} of "${rdata}"`,
    bytes: message(opt(option(code as number, rdata as string))),
    error: `EDNS option ${code} is malformed`,
  })),
];

describe('what stands behind a question', () => {
  it.each(GOOD)('may be $name', ({ bytes }) => {
    expect(() => judgeRecords(bytes, END)).not.toThrow();
    expect(() => decodeMessage(bytes)).not.toThrow();
  });

  it.each(BAD)('may not be $name', ({ bytes, error }) => {
    expect(() => judgeRecords(bytes, END)).toThrow(WireError);
    expect(() => judgeRecords(bytes, END)).toThrow(error);
  });

  it('can be read by everybody when it was judged good, whatever it is', () => {
    const sections = fc.tuple(fc.nat(1), fc.nat(1), fc.nat(2));
    const rdata = fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes).toString('hex'));
    const record = fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: 70 }), rdata).map(([type, text]) => data(type, text)),
      fc.tuple(fc.nat(20), rdata).map(([code, text]) => opt(option(code, text))),
      rdata.map((text) => opt(text)),
      rdata,
    );
    let good = 0;
    fc.assert(
      fc.property(fc.array(record, { maxLength: 3 }), sections, (records, counts) => {
        const bytes = message(records.join(''), counts);
        try {
          judgeRecords(bytes, END);
        } catch (error) {
          return error instanceof WireError;
        }
        good++;
        decodeMessage(bytes);
        return true;
      }),
      { seed: 15, numRuns: 5000 },
    );
    expect(good).toBeGreaterThan(500);
  });
});
