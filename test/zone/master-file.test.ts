import { describe, expect, it } from 'vitest';
import { MasterFileError } from '../../src/zone/index.js';
import { load, recordsOf } from './zone.js';

const HEAD = '@ 60 IN SOA ns host 1 2 3 4 5\n';
const SOA = 'example. 60 IN SOA ns.example. host.example. 1 2 3 4 5';

/** Records behind the SOA record. */
const read = (text: string, more: Record<string, string> = {}): string[] =>
  recordsOf(load({ db: HEAD + text, ...more }).zone).slice(1);

describe('master file', () => {
  it.each([
    { name: 'an owner, TTL, class and type', text: 'a 5 IN A 192.0.2.1', want: ['a.example. 5 IN A 192.0.2.1'] },
    { name: 'class before TTL', text: 'a IN 5 A 192.0.2.1', want: ['a.example. 5 IN A 192.0.2.1'] },
    { name: 'the last TTL that was written', text: 'a A 192.0.2.1', want: ['a.example. 60 IN A 192.0.2.1'] },
    {
      name: '$TTL, until the next one',
      text: '$TTL 7\na A 192.0.2.1\na 9 A 192.0.2.2\na A 192.0.2.3\n$TTL 1h\na A 192.0.2.4',
      want: [7, 9, 7, 3600].map((ttl, i) => `a.example. ${ttl} IN A 192.0.2.${i + 1}`),
    },
    {
      name: 'the owner of the line before',
      text: 'a A 192.0.2.1\n\n; a comment\n\tA 192.0.2.2\n  A 192.0.2.3',
      want: [1, 2, 3].map((i) => `a.example. 60 IN A 192.0.2.${i}`),
    },
    {
      name: '$ORIGIN, relative to the one before',
      text: '$ORIGIN sub\na A 192.0.2.1\n$ORIGIN example.\nb A 192.0.2.2\n@ A 192.0.2.3',
      want: ['example. 60 IN A 192.0.2.3', 'a.sub.example. 60 IN A 192.0.2.1', 'b.example. 60 IN A 192.0.2.2'],
    },
    {
      name: 'parentheses over several lines',
      text: 'a ( 5 ; TTL\n IN\n) A (192.0.2.1)',
      want: ['a.example. 5 IN A 192.0.2.1'],
    },
    { name: 'a type by number', text: 'a TYPE1 192.0.2.1', want: ['a.example. 60 IN A 192.0.2.1'] },
    { name: 'data in the generic form', text: 'a A \\# 4 C0000201', want: ['a.example. 60 IN A 192.0.2.1'] },
    { name: 'an unknown type', text: 'a TYPE4711 \\# 3 ab cdef', want: ['a.example. 60 IN TYPE4711 \\# 3 ABCDEF'] },
    { name: 'escapes', text: 'a\\.b\\032c\\@ TXT a\\"b', want: ['a\\.b\\ c\\@.example. 60 IN TXT "a\\"b"'] },
    {
      name: 'the same octet escaped in two ways',
      text: 'a\\046b TXT x\na\\.b TXT y',
      want: ['a\\.b.example. 60 IN TXT "x"', 'a\\.b.example. 60 IN TXT "y"'],
    },
    { name: 'octets that are no text', text: 'a TXT é', want: ['a.example. 60 IN TXT "\\195\\169"'] },
    { name: 'quotes that hold what else has a meaning', text: 'a TXT "a; (b"', want: ['a.example. 60 IN TXT "a; (b"'] },
    {
      name: 'quotes over two lines',
      text: 'a TXT "a\nb"\nb A 192.0.2.1',
      want: ['a.example. 60 IN TXT "a\\010b"', 'b.example. 60 IN A 192.0.2.1'],
    },
    {
      name: 'lines that end as on Windows',
      text: 'a A 192.0.2.1\r\n  A 192.0.2.2\r\n',
      want: ['a.example. 60 IN A 192.0.2.1', 'a.example. 60 IN A 192.0.2.2'],
    },
    {
      name: 'names in lower case',
      text: 'A CNAME B.Example.\nc PTR D',
      want: ['a.example. 60 IN CNAME b.example.', 'c.example. 60 IN PTR D.example.'],
    },
    { name: 'SRV as it is spelt', text: '_X SRV 0 0 1 Host', want: ['_X.example. 60 IN SRV 0 0 1 Host.example.'] },
    {
      name: 'records that stand twice',
      text: 'a A 192.0.2.1\na A 192.0.2.1',
      want: ['a.example. 60 IN A 192.0.2.1', 'a.example. 60 IN A 192.0.2.1'],
    },
    {
      name: 'NS of the head and of a delegation',
      text: '@ NS ns\nd NS ns.d',
      want: ['example. 60 IN NS ns.example.', 'd.example. 60 IN NS ns.d.example.'],
    },
  ])('reads $name', ({ text, want }) => expect(read(text)).toEqual(want));

  it.each([
    { name: 'a range', text: '1-3 a$ A 192.0.2.$', want: ['a1 A 192.0.2.1', 'a2 A 192.0.2.2', 'a3 A 192.0.2.3'] },
    { name: 'steps', text: '0-5/2 a$ A 192.0.2.$', want: ['a0 A 192.0.2.0', 'a2 A 192.0.2.2', 'a4 A 192.0.2.4'] },
    {
      name: 'offset, width and base',
      text: '10-11 a${-10,3,d} TXT ${5,4,x} ${0,0,X}',
      want: ['a000 TXT "000f" "A"', 'a001 TXT "0010" "B"'],
    },
    { name: 'dollar signs', text: '1-1 a$ TXT \\$ $$ "a $"', want: ['a1 TXT "$" "$" "a 1"'] },
    { name: 'octal numbers', text: '8-8 a${0,2,o} TXT x', want: ['a10 TXT "x"'] },
  ])('generates $name', ({ text, want }) =>
    expect(read(`$TTL 5\n$GENERATE ${text}`)).toEqual(
      want.map((line) => line.replace(/^(\S+) /, '$1.example. 3600 IN ')),
    ),
  );

  it('includes files, relative to the one they are named in, and forgets their origin, owner and TTL', () => {
    const files = {
      'sub/db': `${HEAD}$INCLUDE more in\nb A 192.0.2.2\n`,
      'sub/more': '$TTL 9\na A 192.0.2.1\n$INCLUDE deep/third\n',
      'sub/deep/third': 'c A 192.0.2.3\n',
    };
    expect(recordsOf(load(files, 'example.', 'sub/db').zone)).toEqual([
      SOA,
      'a.in.example. 9 IN A 192.0.2.1',
      'c.in.example. 9 IN A 192.0.2.3',
      'b.example. 60 IN A 192.0.2.2',
    ]);
    expect(load(files, 'example.', 'sub/db').files).toEqual(['sub/db', 'sub/more', 'sub/deep/third']);
  });

  const deep = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}`, `$INCLUDE f${i + 1}\n`]));
  it.each([
    { name: 'an address', text: 'a A x', error: "db:2: expected an IPv4 address, got 'x'" },
    {
      name: 'an address in a later line of the entry',
      text: 'a 5 (\nIN\nA 1.2.3 )',
      error: "db:4: expected an IPv4 address, got '1.2.3'",
    },
    { name: 'an unknown type', text: '\n\na BOGUS x', error: "db:4: expected TTL, class or record type, got 'BOGUS'" },
    { name: 'no type', text: 'a 5 IN', error: 'db:2: expected TTL, class or record type, got the end of the line' },
    { name: 'no data', text: 'a A', error: 'db:2: data is missing' },
    { name: 'words behind the data', text: 'a A 192.0.2.1 x', error: "db:2: unexpected 'x' after the data" },
    { name: 'another class', text: 'a CH TXT x', error: 'db:2: class CH, allowed: IN' },
    { name: 'two TTLs', text: 'a 5 6 A 192.0.2.1', error: "db:2: expected TTL, class or record type, got '6'" },
    { name: 'an empty label', text: 'a..b A 192.0.2.1', error: 'db:2: name a..b has an empty label' },
    {
      name: 'a long label',
      text: `${'a'.repeat(64)} A 192.0.2.1`,
      error: 'has a label of 64 octets, at most 63 are allowed',
    },
    {
      name: 'a name that is long with its origin',
      text: `${'a.'.repeat(124)}b A 192.0.2.1`,
      error: 'has more than 255 octets with its origin',
    },
    { name: 'quotes without end', text: 'a TXT "b\nc A 192.0.2.1\n', error: 'db:2: quote without end' },
    { name: 'parentheses without end', text: 'a TXT (b\nc\n', error: 'db:2: parenthesis without end' },
    { name: 'a parenthesis too many', text: 'a TXT b )', error: "db:2: ')' without '(' before it" },
    { name: 'a backslash at the end', text: 'a TXT b\\', error: 'db:2: nothing after the last backslash' },
    {
      name: 'an unknown directive',
      text: '$FOO 1',
      error: "db:2: unknown directive '$FOO', allowed: $ORIGIN, $TTL, $INCLUDE, $GENERATE",
    },
    { name: 'a bad $TTL', text: '$TTL x', error: "db:2: expected a TTL such as 3600 or 1h, got 'x'" },
    { name: 'words behind $ORIGIN', text: '$ORIGIN a. b', error: "db:2: unexpected 'b' after $ORIGIN" },
    {
      name: 'a file that is not there',
      text: '$INCLUDE gone',
      error: "db:2: cannot read gone: ENOENT: no such file or directory, open 'gone'",
    },
    { name: 'a fault in an included file', text: '$INCLUDE more', error: "more:2: expected an IPv6 address, got '1'" },
    {
      name: 'files that include each other without end',
      text: '$INCLUDE f0',
      error: 'f6:1: more than 7 files within each other',
    },
    {
      name: 'a bad range',
      text: '$GENERATE 3-1 a A 192.0.2.1',
      error: "db:2: expected a range such as 1-254 or 0-30/2, got '3-1'",
    },
    {
      name: 'too many steps',
      text: '$GENERATE 0-65536 a A 192.0.2.1',
      error: 'db:2: range 0-65536 has more than 65536 steps',
    },
    {
      name: 'a bad modifier',
      text: '$GENERATE 1-2 a${x} A 192.0.2.1',
      error: "db:2: expected OFFSET,WIDTH,BASE with BASE d, o, x or X, got 'x'",
    },
    { name: 'a modifier without end', text: '$GENERATE 1-2 a${1 A 192.0.2.1', error: "db:2: '${' without '}'" },
    { name: 'a bad offset', text: '$GENERATE 1-2 a${-2} A 192.0.2.1', error: 'db:2: offset -2 leads below 0' },
    {
      name: 'a fault in what was generated',
      text: '\n$GENERATE 255-256 a$ A 192.0.2.$',
      error: "db:3: expected an IPv4 address, got '192.0.2.256'",
    },
    {
      name: '$GENERATE in itself',
      text: '$GENERATE 1-2 $$GENERATE 1-2 a A 192.0.2.$',
      error: 'db:2: $GENERATE within $GENERATE',
    },
    { name: 'NSEC3', text: '@ NSEC3PARAM 1 0 0 -', error: 'db:2: zones with NSEC3 cannot be served' },
    { name: 'NSEC3 records', text: 'a TYPE50 \\# 0', error: 'db:2: zones with NSEC3 cannot be served' },
    // RFC 6895 section 3.1: 0 is reserved, OPT belongs to messages, 128 to 255 are of questions (NXNAME is the first).
    ...[0, 41, 128, 255].map((type) => ({
      name: `type ${type}`,
      text: `a TYPE${type} \\# 0`,
      error: `db:2: no record in a zone has type ${type}`,
    })),
    {
      name: 'generic data that does not fit its type',
      text: 'a MX \\# 2 0001',
      error: 'db:2: name runs past the end of the message',
    },
  ])('refuses $name', ({ text, error }) => {
    const attempt = (): unknown => read(text, { more: 'a A 192.0.2.1\nb AAAA 1', ...deep });
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(MasterFileError);
  });

  it.each([
    { name: 'no SOA record', text: '@ 60 NS ns', error: 'db:1: no SOA record for zone example.' },
    { name: 'nothing', text: '', error: 'db:1: no SOA record for zone example.' },
    { name: 'no owner', text: ' 60 NS ns', error: 'db:1: a record without owner, and none before it' },
    { name: 'no TTL', text: '@ SOA ns host 1 2 3 4 5', error: 'db:1: a record without TTL, and no $TTL before it' },
    {
      name: 'a serial with a unit',
      text: '@ 60 SOA ns host 1h 2 3 4 5',
      error: "db:1: expected a number from 0 to 4294967295, got '1h'",
    },
  ])('refuses a file with $name', ({ text, error }) => expect(() => load({ db: text })).toThrow(error));

  it('takes 0 for the TTL of a first record that names its class, as CoreDNS does', () =>
    expect(recordsOf(load({ db: '@ IN SOA ns host 1 2 3 4 5\n' }).zone)).toEqual([SOA.replace('60', '0')]));

  it('warns of what it serves all the same, and not without end', () => {
    const strays = Array.from({ length: 9 }, (_, i) => `x${i}.elsewhere. A 192.0.2.1\n`).join('');
    expect(
      load({
        db: `${HEAD}${HEAD}a CNAME b\na A 192.0.2.1\ns CNAME b\ns RRSIG CNAME 8 2 60 1 1 1 example. AAAA\n${strays}`,
      }).warnings,
    ).toEqual([
      'db:2: a second SOA record: the last one counts',
      'db:4: a CNAME record beside other records',
      'db:7: a name outside zone example.',
      'db:8: a name outside zone example.',
      'db:9: a name outside zone example.',
    ]);
  });
});
