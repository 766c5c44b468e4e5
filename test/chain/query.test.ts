import { describe, expect, it } from 'vitest';
import { Query, makeQuery } from '../../src/chain/index.js';
import { Flag, Rcode, WireError, encodeMessage } from '../../src/wire/index.js';
import { context, query, random, rrs } from '../support/dns.js';

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');
const HEAD = '1234 0100 0001 0000 0000 0000';
const OPT = '00 0029 04d0 00008000 0000';
const read = (bytes: string): Query => new Query(hex(bytes), context());

describe('a changed copy of a query', () => {
  const asked = query('www.example.org.', 'A', {
    edns: 1232,
    do: true,
    options: [{ code: 10, data: Buffer.alloc(8) }],
  });

  it('says another payload size, and nothing else anew', () => {
    const copy = asked.withUdpSize(4096);
    expect([copy.udpSize, asked.udpSize]).toEqual([4096, 1232]);
    expect(copy.withUdpSize(1232).bytes).toEqual(asked.bytes);
  });

  it('has other flags, and nothing else anew', () => {
    const copy = asked.withFlags(Flag.CD, Flag.RD);
    expect([copy.checkingDisabled, copy.recursionDesired]).toEqual([true, false]);
    expect(copy.withFlags(Flag.RD, Flag.CD).bytes).toEqual(asked.bytes);
  });
});

describe('what a query says', () => {
  it.each([
    { name: 'name in lower case', of: query('Www.Example.org.').name, want: 'www.example.org.' },
    { name: 'name as asked', of: query('Www.Example.org.').qname, want: 'Www.Example.org.' },
    { name: 'escaped name in lower case', of: query('A\\.B\\255.').name, want: 'a\\.b\\255.' },
    { name: 'the root', of: query('.').name, want: '.' },
    { name: 'type', of: query('a.', 'AAAA').typeName, want: 'AAAA' },
    { name: 'class', of: query('a.', 'A', { class: 3 }).className, want: 'CH' },
    { name: 'id', of: query('a.', 'A', { id: 65_535 }).id, want: 65_535 },
    { name: 'RD', of: query('a.').recursionDesired, want: true },
    { name: 'no RD', of: query('a.', 'A', { rd: false }).recursionDesired, want: false },
    { name: 'CD', of: query('a.', 'A', { cd: true }).checkingDisabled, want: true },
    { name: 'no CD', of: query('a.').checkingDisabled, want: false },
    { name: 'AD', of: query('a.', 'A', { ad: true }).authenticData, want: true },
    { name: 'no AD', of: query('a.').authenticData, want: false },
    { name: 'opcode', of: read('1234 2800 0001 0000 0000 0000 00 0001 0001').opcode, want: 5 },
    { name: 'IPv4', of: query('a.').family, want: 4 },
    { name: 'IPv6', of: query('a.', 'A', { remote: '::1' }).family, want: 6 },
    { name: 'size', of: query('a.').size, want: 19 },
    { name: 'transport', of: query('a.', 'A', { transport: 'tcp' }).transport, want: 'tcp' },
    { name: 'no EDNS', of: query('a.').hasEdns, want: false },
    { name: 'no EDNS, so no DO', of: query('a.').do, want: false },
    { name: 'no EDNS, so no size', of: query('a.').udpSize, want: 0 },
    { name: 'no EDNS, so version 0', of: query('a.').ednsVersion, want: 0 },
    { name: 'no EDNS, so no options', of: query('a.').ednsOptions, want: [] },
    { name: 'EDNS', of: query('a.', 'A', { edns: 1232 }).hasEdns, want: true },
    { name: 'DO', of: query('a.', 'A', { edns: 1232, do: true }).do, want: true },
    { name: 'payload size unchanged', of: query('a.', 'A', { edns: 100 }).udpSize, want: 100 },
    {
      name: 'version',
      of: read('1234 0100 0001 0000 0000 0001 00 0001 0001 00 0029 04d0 00050000 0000').ednsVersion,
      want: 5,
    },
    {
      name: 'options',
      of: structuredClone(
        query('a.', 'A', { edns: 1232, options: [{ code: 10, data: Uint8Array.of(1, 2) }] }).ednsOptions,
      ),
      want: [{ code: 10, data: Uint8Array.of(1, 2) }],
    },
    { name: 'most it takes over UDP without EDNS', of: query('a.').maxSize, want: 512 },
    { name: 'never less', of: query('a.', 'A', { edns: 100 }).maxSize, want: 512 },
    { name: 'what EDNS says', of: query('a.', 'A', { edns: 4096 }).maxSize, want: 4096 },
    { name: 'over TCP', of: query('a.', 'A', { edns: 4096, transport: 'tcp' }).maxSize, want: 65_535 },
    {
      name: 'OPT behind other records',
      of: read(`1234 0100 0001 0000 0000 0002 0161 00 0001 0001 c00c 0001 0001 00000000 0004 c0000201 ${OPT}`).udpSize,
      want: 1232,
    },
    {
      name: 'OPT in the answer section',
      of: read(`1234 0100 0001 0001 0000 0000 00 0001 0001 ${OPT}`).udpSize,
      want: 1232,
    },
    {
      name: 'an OPT record that belongs to a name',
      of: read('1234 0100 0001 0000 0000 0001 00 0001 0001 0161 00 0029 04d0 00000000 0000').hasEdns,
      want: false,
    },
    {
      name: 'an announced record that is not there',
      of: read('1234 0100 0001 0000 0000 0001 00 0001 0001').hasEdns,
      want: false,
    },
  ])('$name', ({ of, want }) => expect(of).toEqual(want));

  it.each([
    { name: 'no question', bytes: HEAD, error: 'name runs past the end of the message at octet 12' },
    { name: 'a name without end', bytes: `${HEAD} 0361`, error: 'name runs past the end of the message at octet 16' },
    { name: 'type and class cut short', bytes: `${HEAD} 00 0001 00`, error: 'question cut short at octet 13' },
    {
      name: 'a pointer, which could only lead into the header',
      bytes: `${HEAD} c000 0001 0001`,
      error: 'label of a reserved type at octet 12',
    },
    { name: 'a reserved label', bytes: `${HEAD} 4000 0001 0001`, error: 'label of a reserved type at octet 12' },
    {
      name: '256 octets of name',
      bytes: `${HEAD} ${`3f${'61'.repeat(63)}`.repeat(3)} 3e${'61'.repeat(62)} 00 0001 0001`,
      error: 'name of more than 255 octets at octet 12',
    },
  ])('refuses $name', ({ bytes, error }) => {
    expect(() => read(bytes)).toThrow(error);
    expect(() => read(bytes)).toThrow(WireError);
  });

  it.each([
    { name: 'a record cut short', tail: '00 0029 04d0', error: 'record cut short at octet 18' },
    {
      name: 'data past the end',
      tail: '00 0029 04d0 00000000 0001',
      error: 'record data runs past the end of the message at octet 18',
    },
    { name: 'an owner without end', tail: '0361', error: 'name runs past the end of the message at octet 21' },
    {
      name: 'an owner that points nowhere',
      tail: 'ffff',
      error: 'compression pointer that does not lead back at octet 17',
    },
    { name: 'two OPT records', tail: OPT + OPT, error: 'more than one OPT record at octet 28' },
  ])('is told only when it asks: $name', ({ tail, error }) => {
    const bad = read(`1234 0100 0001 0000 0000 0002 00 0001 0001 ${tail}`);
    expect(bad.name).toBe('.');
    expect(() => bad.hasEdns).toThrow(error);
    expect(() => bad.maxSize).toThrow(WireError);
  });
});

describe('changed queries', () => {
  it('another question with the same flags and OPT record', () => {
    const before = query('a.', 'A', { id: 9, cd: true, edns: 1232, do: true });
    const after = before.withQuestion('B.c.', 28);
    expect(after).toMatchObject({
      id: 9,
      name: 'b.c.',
      qname: 'B.c.',
      type: 28,
      class: 1,
      checkingDisabled: true,
      udpSize: 1232,
      do: true,
      context: before.context,
    });
    expect(before.name).toBe('a.');
  });
  it('the same type and class unless named', () =>
    expect(query('a.', 'MX', { class: 3 }).withQuestion('b.')).toMatchObject({ type: 15, class: 3 }));
  it('a name that cannot be', () => expect(() => query('a.').withQuestion('b..')).toThrow(WireError));
  it('a changed message', () =>
    expect(
      query('a.').withMessage((message) => ({ ...message, flags: message.flags | Flag.CD })).checkingDisabled,
    ).toBe(true));
  it('decodes the whole', () => {
    const bytes = encodeMessage({ ...query('a.').decode(), additional: rrs('x. 1 A 192.0.2.1') });
    expect(new Query(bytes, context()).decode()).toMatchObject({
      rcode: Rcode.NOERROR,
      additional: [{ name: 'x.' }],
    });
  });
});

describe('makeQuery', () => {
  it('asks with RD and a drawn id', () => {
    const made = makeQuery({ name: 'a.', type: 28 }, context({ received: 5 }), random());
    expect(made).toMatchObject({
      name: 'a.',
      type: 28,
      class: 1,
      recursionDesired: true,
      received: 5,
      id: makeQuery({ name: 'b.', type: 1 }, context({ received: 5 }), random()).id,
    });
  });
  it('asks as told', () =>
    expect(
      makeQuery(
        { name: 'a.', type: 16, class: 3, id: 77, recursionDesired: false },
        context({ received: 5 }),
        random(),
      ),
    ).toMatchObject({ id: 77, class: 3, recursionDesired: false }));
});
