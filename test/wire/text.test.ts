import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  RrTextError,
  Type,
  classFromName,
  className,
  formatRdata,
  formatRr,
  opcodeName,
  parseRr,
  parseTtl,
  rcodeFromName,
  rcodeName,
  typeFromName,
  typeName,
} from '../../src/wire/index.js';
import { message } from './arbitrary.js';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replace(/\s+/g, ''), 'hex'));

describe('record data in both forms', () => {
  it.each([
    { type: 'A', text: '192.0.2.1', data: 'c0000201' },
    { type: 'AAAA', text: '2001:db8::1', data: '20010db8 00000000 00000000 00000001' },
    { type: 'NS', text: 'ns.', data: '026e7300' },
    { type: 'CNAME', text: 'a\\.b.', data: '03612e6200' },
    { type: 'PTR', text: '.', data: '00' },
    { type: 'DNAME', text: 'Ns.', data: '024e7300' },
    {
      type: 'SOA',
      text: 'ns. mail. 4294967295 7200 1800 86400 30',
      data: '026e7300 046d61696c00 ffffffff 00001c20 00000708 00015180 0000001e',
    },
    { type: 'MX', text: '10 mx.', data: '000a 026d7800' },
    { type: 'AFSDB', text: '1 a.', data: '0001 016100' },
    { type: 'KX', text: '1 a.', data: '0001 016100' },
    { type: 'RT', text: '1 a.', data: '0001 016100' },
    { type: 'RP', text: 'a. b.', data: '016100 016200' },
    { type: 'MINFO', text: 'a. b.', data: '016100 016200' },
    { type: 'SRV', text: '0 50 5432 db.', data: '0000 0032 1538 02646200' },
    { type: 'TXT', text: '"a b" "" "\\"\\\\" "\\000\\255"', data: '03612062 00 02225c 0200ff' },
    { type: 'SPF', text: '"v=spf1"', data: '06763d73706631' },
    { type: 'HINFO', text: '"a" "b c"', data: '0161 03622063' },
    { type: 'CAA', text: '0 issue "ca.example"', data: '00 056973737565 63612e6578616d706c65' },
    {
      type: 'NAPTR',
      text: '1 2 "u" "E2U+sip" "!^.*$!sip:a!" .',
      data: '0001 0002 0175 074532552b736970 0c215e2e2a24217369703a6121 00',
    },
    { type: 'DS', text: '1 8 2 ABCD', data: '0001 08 02 abcd' },
    { type: 'CDS', text: '1 8 2 ABCD', data: '0001 08 02 abcd' },
    { type: 'DNSKEY', text: '257 3 8 AQID', data: '0101 03 08 010203' },
    { type: 'DSYNC', text: 'CDS NOTIFY 53 a.', data: '003b 01 0035 016100' },
    { type: 'DSYNC', text: 'CSYNC 200 53 a.', data: '003e c8 0035 016100' },
    { type: 'SSHFP', text: '1 1 AB', data: '01 01 ab' },
    { type: 'TLSA', text: '3 1 1 AB', data: '03 01 01 ab' },
    { type: 'URI', text: '1 2 "http://a/"', data: '0001 0002 687474703a2f2f612f' },
    { type: 'TYPE65280', text: '\\# 3 ABCDEF', data: 'abcdef' },
    { type: 'TYPE65280', text: '\\# 0', data: '' },
  ])('$type $text', ({ type, text, data }) => {
    const record = parseRr(`www.example.org. 30 IN ${type} ${text}`);
    expect(Uint8Array.from(record.rdata)).toEqual(hex(data));
    expect(formatRr(record)).toBe(`www.example.org.\t30\tIN\t${type}\t${text}`);
  });

  it.each([
    { name: 'class before TTL', text: 'a. IN 5 A 192.0.2.1', want: 'a.\t5\tIN\tA\t192.0.2.1' },
    { name: 'neither TTL nor class', text: 'a. A 192.0.2.1', want: 'a.\t3600\tIN\tA\t192.0.2.1' },
    { name: 'another class', text: 'a. CH TXT "x"', want: 'a.\t3600\tCH\tTXT\t"x"' },
    { name: 'a TTL with units', text: 'a. 1h30m A 192.0.2.1', want: 'a.\t5400\tIN\tA\t192.0.2.1' },
    {
      name: 'SOA times with units',
      text: 'a. 1 SOA . . 1 2h 30m 1d 1w',
      want: 'a.\t1\tIN\tSOA\t. . 1 7200 1800 86400 604800',
    },
    {
      name: 'parentheses and a comment',
      text: 'a. 1 SOA . . ( 1 2 ; serial, refresh\n 3 4 5 )',
      want: 'a.\t1\tIN\tSOA\t. . 1 2 3 4 5',
    },
    { name: 'a string without quotes', text: 'a. 1 TXT abc\\;d', want: 'a.\t1\tIN\tTXT\t"abc;d"' },
    {
      name: 'a string over 255 octets',
      text: `a. 1 TXT "${'x'.repeat(300)}"`,
      want: `a.\t1\tIN\tTXT\t"${'x'.repeat(255)}" "${'x'.repeat(45)}"`,
    },
    { name: 'names without closing dot', text: 'a 1 CNAME b', want: 'a.\t1\tIN\tCNAME\tb.' },
    { name: 'digits in several words', text: 'a. 1 DS 1 8 2 AB CD', want: 'a.\t1\tIN\tDS\t1 8 2 ABCD' },
    { name: 'small letters in type and class', text: 'a. 1 in a 192.0.2.1', want: 'a.\t1\tIN\tA\t192.0.2.1' },
    { name: 'the generic form of a known type', text: 'a. 1 A \\# 4 C0000201', want: 'a.\t1\tIN\tA\t192.0.2.1' },
    { name: 'class and type by number', text: 'a. 1 CLASS4 TYPE1 192.0.2.1', want: 'a.\t1\tHS\tA\t192.0.2.1' },
  ])('reads $name', ({ text, want }) => expect(formatRr(parseRr(text))).toBe(want));

  it.each([
    { text: '', error: 'empty record' },
    { text: '; nothing', error: 'empty record' },
    { text: 'a. 1 IN', error: "expected a record type, got the end in 'a. 1 IN'" },
    { text: 'a. 1 IN BOGUS x', error: "expected a record type, got 'BOGUS' in 'a. 1 IN BOGUS x'" },
    {
      text: 'a. 1111111111111111111111111111111111111111x A',
      error:
        "expected a record type, got '1111111111111111111111111111111111111111x' in 'a. 1111111111111111111111111111111111111111x A'",
    },
    { text: 'a..b. A 192.0.2.1', error: "name a..b. has an empty label at octet 0 in 'a..b. A 192.0.2.1'" },
    { text: 'a. A', error: "data is missing in 'a. A'" },
    { text: 'a. TXT', error: "data is missing in 'a. TXT'" },
    { text: 'a. A 192.0.2', error: "expected an IPv4 address, got '192.0.2' in 'a. A 192.0.2'" },
    ...['1..2.3', '.1.2.3', '1.2.3.', '1.2.3.4.5', '01.2.3.4', '1.2.3.256', '1.2.3.4a'].map((address) => ({
      text: `a. A ${address}`,
      error: `expected an IPv4 address, got '${address}' in 'a. A ${address}'`,
    })),
    {
      text: 'a. 1 IN 2 A 192.0.2.1',
      error: "expected a record type, got '2' in 'a. 1 IN 2 A 192.0.2.1'",
    },
    { text: 'a. A ::1', error: "expected an IPv4 address, got '::1' in 'a. A ::1'" },
    { text: 'a. AAAA 1', error: "expected an IPv6 address, got '1' in 'a. AAAA 1'" },
    { text: 'a. MX ten b.', error: "expected a number from 0 to 65535, got 'ten' in 'a. MX ten b.'" },
    { text: 'a. MX 65536 b.', error: "expected a number from 0 to 65535, got '65536' in 'a. MX 65536 b.'" },
    { text: 'a. DS 1 256 1 AB', error: "expected a number from 0 to 255, got '256' in 'a. DS 1 256 1 AB'" },
    {
      text: 'a. SOA . . 1 2x 3 4 5',
      error: "expected a number from 0 to 4294967295, got '2x' in 'a. SOA . . 1 2x 3 4 5'",
    },
    { text: 'a. A 192.0.2.1 x', error: "unexpected 'x' after the data in 'a. A 192.0.2.1 x'" },
    { text: 'a. CNAME b..', error: "name b.. has an empty label at octet 0 in 'a. CNAME b..'" },
    { text: 'a. TXT "b', error: "quote without end in 'a. TXT \"b'" },
    { text: 'a. TXT b\\', error: "nothing after the last backslash in 'a. TXT b\\'" },
    { text: `a. HINFO "${'x'.repeat(256)}" b`, error: 'character-string of 256 octets, at most 255 are allowed' },
    { text: 'a. NULL 1 2 3', error: "type NULL needs the generic form '\\# LENGTH HEX' in 'a. NULL 1 2 3'" },
    { text: 'a. TYPE9999 \\# 2 AB', error: "length 2 does not match 1 octets of data in 'a. TYPE9999 \\# 2 AB'" },
    {
      text: 'a. TYPE9999 \\# 1 ABC',
      error: "expected pairs of hexadecimal digits, got 'ABC' in 'a. TYPE9999 \\# 1 ABC'",
    },
    { text: 'a. DNSKEY 1 2 3 A?', error: "expected base64 text, got 'A?' in 'a. DNSKEY 1 2 3 A?'" },
    { text: 'a. MX \\# 2 0001', error: "name runs past the end of the message at octet 2 in 'a. MX \\# 2 0001'" },
    {
      text: 'a. A \\# 3 000102',
      error: "record data of 3 octets where the type has 4 at octet 0 in 'a. A \\# 3 000102'",
    },
  ])('refuses $text', ({ text, error }) => {
    expect(() => parseRr(text)).toThrow(error);
    expect(() => parseRr(text)).toThrow(RrTextError);
  });

  // Every 255 octets of text have one more for their length.
  it('takes as much data as a record may hold, and no more', () => {
    expect(parseRr(`a. TXT ${'x'.repeat(65_279)}`).rdata).toHaveLength(65_535);
    expect(() => parseRr(`a. TXT ${'x'.repeat(65_280)}`)).toThrow('record data of more than 65535 octets');
  });

  it('takes a character-string of 255 octets', () =>
    expect(parseRr(`a. HINFO "${'x'.repeat(255)}" b`).rdata).toHaveLength(258));

  it.each([
    { name: 'no octets', type: Type.A, data: '', want: '\\# 0' },
    { name: 'too short for its type', type: Type.A, data: 'c00002', want: '\\# 3 C00002' },
    { name: 'a number cut short', type: Type.DS, data: '00', want: '\\# 1 00' },
    { name: 'a name cut short', type: Type.CNAME, data: '0361', want: '\\# 2 0361' },
    { name: 'a pointer', type: Type.CNAME, data: 'c000', want: '\\# 2 C000' },
    { name: 'a string past the end', type: Type.TXT, data: 'ff61', want: '\\# 2 FF61' },
    { name: 'octets after the last field', type: Type.MX, data: '0001 00 ff', want: '\\# 4 000100FF' },
    { name: 'an unknown type', type: 65_280, data: 'ab', want: '\\# 1 AB' },
  ])('writes data that has no text form as numbers: $name', ({ type, data, want }) =>
    expect(formatRdata(type, hex(data))).toBe(want),
  );

  it('reads back whatever it writes', () => {
    fc.assert(
      fc.property(message, ({ answer }) => {
        // ANY is a type and a class; alone it is read as the type.
        for (const record of answer.filter((one) => one.class !== 255))
          expect(structuredClone(parseRr(formatRr(record)))).toEqual(
            structuredClone({ ...record, rdata: Buffer.from(record.rdata) }),
          );
      }),
    );
  });
  it('writes any data as some text', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 260 }),
        fc.uint8Array({ maxLength: 40 }),
        (type, data) => typeof formatRdata(type, data) === 'string',
      ),
    );
  });
});

describe('registered names', () => {
  it.each([
    { name: 'type', got: typeName(28), want: 'AAAA' },
    { name: 'type without name', got: typeName(65_280), want: 'TYPE65280' },
    { name: 'class', got: className(3), want: 'CH' },
    { name: 'class without name', got: className(9), want: 'CLASS9' },
    { name: 'rcode', got: rcodeName(3), want: 'NXDOMAIN' },
    { name: 'rcode without name', got: rcodeName(12), want: 'RCODE12' },
    { name: 'opcode', got: opcodeName(5), want: 'UPDATE' },
    { name: 'opcode without name', got: opcodeName(9), want: 'OPCODE9' },
    { name: 'number of a type', got: typeFromName('aaaa'), want: 28 },
    { name: 'number in the generic form', got: typeFromName('TYPE65280'), want: 65_280 },
    { name: 'number over 65535', got: typeFromName('TYPE65536'), want: undefined },
    { name: 'no type', got: typeFromName('toString'), want: undefined },
    { name: 'number of a class', got: classFromName('ch'), want: 3 },
    { name: 'number of an rcode', got: rcodeFromName('refused'), want: 5 },
    { name: 'no rcode', got: rcodeFromName('bogus'), want: undefined },
  ])('$name', ({ got, want }) => expect(got).toBe(want));

  it.each([
    { text: '0', want: 0 },
    { text: '4294967295', want: 4_294_967_295 },
    { text: '4294967296', want: undefined },
    { text: '1w2d3h4m5s', want: 788_645 },
    { text: '1H', want: 3600 },
    { text: '', want: undefined },
    { text: '-1', want: undefined },
    { text: 'h', want: undefined },
    { text: `${'1'.repeat(60)}x`, want: undefined },
  ])('parseTtl: $text', ({ text, want }) => expect(parseTtl(text)).toBe(want));
});
