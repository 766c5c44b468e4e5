import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  WireError,
  addressOfReverseName,
  encodeName,
  fqdn,
  isName,
  isSubdomain,
  labels,
  lowerName,
  nameLength,
  nextLabel,
  readLowerName,
  readName,
  reverseName,
} from '../../src/wire/index.js';
import { name } from './arbitrary.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const label63 = 'a'.repeat(63);
/** 3 x 64 + 62 + root = 255 octets. */
const longest = `${`${label63}.`.repeat(3)}${'b'.repeat(61)}.`;

describe('names in both forms', () => {
  it.each([
    { name: 'the root', text: '.', bytes: '\0' },
    { name: 'letter case kept', text: 'Www.Example.org.', bytes: '\x03Www\x07Example\x03org\0' },
    { name: 'underscores and digits', text: '_dns._udp.1a.', bytes: '\x04_dns\x04_udp\x021a\0' },
    { name: 'a dot inside a label', text: 'a\\.b.c.', bytes: '\x03a.b\x01c\0' },
    { name: 'a backslash inside a label', text: 'a\\\\.c.', bytes: '\x02a\\\x01c\0' },
    { name: 'characters with a meaning in master files', text: '\\"\\\'\\(\\)\\;\\@\\ .', bytes: '\x07"\'();@ \0' },
    { name: 'octets that do not print', text: '\\000\\031\\127\\255.', bytes: '\x04\x00\x1f\x7f\xff\0' },
    { name: 'digits after an escape', text: '\\0011.', bytes: '\x02\x011\0' },
    { name: 'a label of 63 octets', text: `${label63}.`, bytes: `\x3f${label63}\0` },
    { name: 'a name of 255 octets', text: longest, bytes: `${`\x3f${label63}`.repeat(3)}\x3d${'b'.repeat(61)}\0` },
  ])('$name', ({ text, bytes }) => {
    expect(encodeName(text)).toEqual(latin1(bytes));
    expect(readName(latin1(bytes), 0)).toEqual({ name: text, end: bytes.length });
    expect(nameLength(text)).toBe(bytes.length);
    expect(readLowerName(latin1(bytes), 0)).toBe(lowerName(text));
  });

  it.each([
    { name: 'no closing dot', text: 'example.org', want: 'example.org.' },
    { name: 'empty stands for the root', text: '', want: '.' },
    { name: 'a needless escape', text: '\\a\\097.', want: 'aa.' },
  ])('reads back in the usual spelling: $name', ({ text, want }) =>
    expect(readName(encodeName(text), 0).name).toBe(want),
  );

  it.each([
    { name: 'an empty label', text: 'a..b.', error: 'name a..b. has an empty label at octet 0' },
    { name: 'a leading dot', text: '.a.', error: 'name .a. has an empty label at octet 0' },
    { name: 'two dots', text: '..', error: 'name .. has an empty label at octet 0' },
    {
      name: 'a label of 64 octets',
      text: `${label63}a.`,
      error: `name ${label63}a. has a label of 64 octets, at most 63 are allowed at octet 0`,
    },
    {
      name: 'a name of 256 octets',
      text: `${`${label63}.`.repeat(3)}${'b'.repeat(62)}.`,
      error: `name ${`${label63}.`.repeat(3)}${'b'.repeat(62)}. has more than 255 octets at octet 0`,
    },
    {
      name: 'a name that goes on after 255 octets',
      text: `${longest}b`,
      error: `name ${longest}b has more than 255 octets at octet 0`,
    },
    {
      name: 'far too long',
      text: 'a.'.repeat(5000),
      error: `name ${'a.'.repeat(5000)} has more than 255 octets at octet 0`,
    },
    { name: 'an escape over 255', text: '\\256.', error: 'name \\256. has a broken escape at octet 0' },
    { name: 'an escape cut short', text: 'a\\12', error: 'name a\\12 has a broken escape at octet 0' },
    { name: 'a backslash at the end', text: 'a\\', error: 'name a\\ has a broken escape at octet 0' },
    {
      name: 'a character outside Latin-1',
      text: '\u4f8b.',
      error: 'name \u4f8b. has a character outside Latin-1 at octet 0',
    },
    {
      name: 'an escaped character outside Latin-1',
      text: '\\\u4f8b.',
      error: 'name \\\u4f8b. has a character outside Latin-1 at octet 0',
    },
  ])('refuses to write $name', ({ text, error }) => {
    expect(() => encodeName(text)).toThrow(new WireError(error.replace(/ at octet 0$/, ''), 0));
    expect(isName(text)).toBe(false);
  });

  it('writes and reads back any name', () => {
    fc.assert(
      fc.property(name, (text) => {
        const bytes = encodeName(text);
        expect(readName(bytes, 0)).toEqual({ name: text, end: bytes.length });
        expect(readLowerName(bytes, 0)).toBe(lowerName(text));
        expect(nameLength(text)).toBe(bytes.length);
        expect(
          labels(text)
            .map((label) => `${label}.`)
            .join('') || '.',
        ).toBe(text);
      }),
    );
  });
});

describe('reading names in a message', () => {
  const at4 = '\x03org\0\x07example\xc0\0';
  it.each([
    { name: 'a pointer', bytes: at4, offset: 5, want: 'example.org.', end: 15 },
    { name: 'a pointer to a pointer', bytes: `${at4}\x03www\xc0\x05`, offset: 15, want: 'www.example.org.', end: 21 },
    { name: 'only a pointer', bytes: `${at4}\xc0\x05`, offset: 15, want: 'example.org.', end: 17 },
    { name: 'a pointer to the root', bytes: '\0\xc0\0', offset: 1, want: '.', end: 3 },
  ])('$name', ({ bytes, offset, want, end }) => {
    expect(readName(latin1(bytes), offset)).toEqual({ name: want, end });
    expect(readLowerName(latin1(bytes), offset)).toBe(want);
  });

  /** Names a, ab, abb, ...: each a label in front of a pointer to the one before. */
  const chain = (links: number): Buffer =>
    Buffer.concat([
      latin1('\x01a\0'),
      ...Array.from({ length: links }, (_, i) =>
        Buffer.of(1, 0x62, 0xc0 | ((i === 0 ? 0 : 4 * i - 1) >> 8), (i === 0 ? 0 : 4 * i - 1) & 0xff),
      ),
    ]);
  it('follows as many pointers as a name of 255 octets can have', () =>
    expect(readName(chain(126), 3 + 4 * 125).name).toBe(`${'b.'.repeat(126)}a.`));
  it('stops after that', () => expect(() => readName(chain(127), 3 + 4 * 126)).toThrow(WireError));

  it.each([
    { name: 'no octet at all', bytes: '', offset: 0, error: 'name runs past the end of the message at octet 0' },
    {
      name: 'an offset past the end',
      bytes: '\0',
      offset: 9,
      error: 'name runs past the end of the message at octet 9',
    },
    {
      name: 'a label cut short',
      bytes: '\x05abc',
      offset: 0,
      error: 'name runs past the end of the message at octet 0',
    },
    { name: 'no root label', bytes: '\x03abc', offset: 0, error: 'name runs past the end of the message at octet 4' },
    {
      name: 'half a pointer',
      bytes: '\x01a\xc0',
      offset: 0,
      error: 'name runs past the end of the message at octet 2',
    },
    {
      name: 'a pointer to itself',
      bytes: '\xc0\0',
      offset: 0,
      error: 'compression pointer that does not lead back at octet 0',
    },
    {
      name: 'a pointer forward',
      bytes: '\xc0\x02\0',
      offset: 0,
      error: 'compression pointer that does not lead back at octet 0',
    },
    {
      name: 'two pointers in a circle',
      bytes: '\xc0\x02\xc0\0',
      offset: 2,
      error: 'compression pointer that does not lead back at octet 0',
    },
    {
      name: 'a label and a pointer in a circle',
      bytes: '\x01a\xc0\0',
      offset: 0,
      error: 'compression pointer that does not lead back at octet 2',
      loop: true,
    },
    { name: 'a label of type 01', bytes: '\x41a\0', offset: 0, error: 'label of a reserved type at octet 0' },
    { name: 'a label of type 10', bytes: '\x80\0', offset: 0, error: 'label of a reserved type at octet 0' },
    {
      name: '256 octets',
      bytes: `${`\x3f${label63}`.repeat(3)}\x3e${'b'.repeat(62)}\0`,
      offset: 0,
      error: 'name of more than 255 octets at octet 0',
    },
  ])('refuses $name', ({ bytes, offset, error, loop }) => {
    if (loop) error = 'name of more than 255 octets at octet 0';
    for (const read of [readName, readLowerName]) expect(() => read(latin1(bytes), offset)).toThrow(error);
    expect(() => readName(latin1(bytes), offset)).toThrow(WireError);
  });
});

describe('names as text', () => {
  it.each([
    { name: 'nothing to do', text: 'a.b.', want: 'a.b.' },
    { name: 'letters', text: 'A.Bc\\065.', want: 'a.bc\\065.' },
    { name: 'other alphabets stay', text: 'Ä.', want: 'Ä.' },
  ])('lowerName: $name', ({ text, want }) => expect(lowerName(text)).toBe(want));

  it.each([
    { text: 'a', want: 'a.' },
    { text: 'a.', want: 'a.' },
    { text: '', want: '.' },
    { text: '.', want: '.' },
    { text: 'a\\.', want: 'a\\..' },
    { text: 'a\\\\.', want: 'a\\\\.' },
  ])('fqdn: $text', ({ text, want }) => expect(fqdn(text)).toBe(want));

  it.each([
    { text: '.', want: [] },
    { text: '', want: [] },
    { text: 'a.b.c.', want: ['a', 'b', 'c'] },
    { text: 'a.b', want: ['a', 'b'] },
    { text: 'a\\.b.\\046c.', want: ['a\\.b', '\\046c'] },
  ])('labels: $text', ({ text, want }) => expect(labels(text)).toEqual(want));

  it.each([
    { text: 'a.b.c.', from: 0, want: 2 },
    { text: 'a.b.c.', from: 4, want: -1 },
    { text: 'a\\.b.c.', from: 0, want: 5 },
    { text: '.', from: 0, want: -1 },
    { text: 'abc', from: 0, want: -1 },
  ])('nextLabel: $text from $from', ({ text, from, want }) => expect(nextLabel(text, from)).toBe(want));

  it.each([
    { zone: '.', name: 'a.', want: true },
    { zone: 'org.', name: 'org.', want: true },
    { zone: 'org.', name: 'example.org.', want: true },
    { zone: 'org.', name: 'borg.', want: false },
    { zone: 'example.org.', name: 'org.', want: false },
    { zone: 'org.', name: 'a\\.org.', want: false },
    { zone: 'org.', name: 'a\\\\.org.', want: true },
  ])('isSubdomain: $name in $zone', ({ zone, name: below, want }) => expect(isSubdomain(zone, below)).toBe(want));

  it.each([
    { ip: [10, 96, 0, 10], text: '10.0.96.10.in-addr.arpa.' },
    {
      ip: [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1f],
      text: 'f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.',
    },
  ])('reverse names: $text', ({ ip, text }) => {
    expect(reverseName(Uint8Array.from(ip))).toBe(text);
    expect(addressOfReverseName(text)).toEqual(Uint8Array.from(ip));
  });

  it.each([
    '10.in-addr.arpa.',
    '256.0.0.10.in-addr.arpa.',
    '01.0.0.10.in-addr.arpa.',
    'x.0.0.10.in-addr.arpa.',
    '1.2.3.4.5.in-addr.arpa.',
    'a.ip6.arpa.',
    `g${'.0'.repeat(31)}.ip6.arpa.`,
    'example.org.',
  ])('no address: %s', (text) => expect(addressOfReverseName(text)).toBeUndefined());
});
