import { describe, expect, it } from 'vitest';
import { isCutShort, matchesQuery, questionEndOf } from '../../src/exchange/index.js';
import { Flag, decodeMessage, encodeMessage } from '../../src/wire/index.js';
import { query } from '../support/dns.js';
import { goodReply } from '../support/fake-upstream.js';

const asked = query('www.example.org.', 'A', { id: 7 }).bytes;
const message = decodeMessage(asked);
const changed = (change: (bytes: Buffer) => void): Buffer => {
  const bytes = goodReply(message);
  change(bytes);
  return bytes;
};
const question = (name: string, type = 1, rrClass = 1): Buffer =>
  goodReply(message, { question: [{ name, type, class: rrClass }] });
const bare = (rcode: number): Buffer => Buffer.of(0, 7, 0x80, 0x80 | rcode, 0, 0, 0, 0, 0, 0, 0, 0);

describe('matchesQuery', () => {
  it.each([
    { name: 'the reply', reply: goodReply(message), want: true },
    { name: 'another letter case', reply: question('WWW.Example.org.'), want: true },
    { name: 'another id', reply: changed((bytes) => void (bytes[1]! ^= 1)), want: false },
    { name: 'a query', reply: changed((bytes) => void (bytes[2]! &= 0x7f)), want: false },
    { name: 'another name of the same length', reply: question('wwx.example.org.'), want: false },
    { name: 'a shorter name', reply: question('ww.example.org.'), want: false },
    { name: 'a name below', reply: question('a.www.example.org.'), want: false },
    { name: 'another type', reply: question('www.example.org.', 28), want: false },
    { name: 'another class', reply: question('www.example.org.', 1, 3), want: false },
    { name: 'no question', reply: encodeMessage({ ...message, flags: Flag.QR, question: [] }), want: false },
    { name: 'two questions', reply: changed((bytes) => void (bytes[5] = 2)), want: false },
    { name: 'a bare header with FORMERR', reply: bare(1), want: true },
    { name: 'a bare header with NOTIMP', reply: bare(4), want: true },
    { name: 'a bare header with SERVFAIL', reply: bare(2), want: false },
    { name: 'a bare header with NXDOMAIN', reply: bare(3), want: false },
    { name: 'a bare header with a count', reply: Buffer.from(bare(1)).fill(1, 11), want: false },
    { name: 'a bare header with another', reply: Buffer.from(bare(1)).fill(1, 6, 7), want: false },
    { name: 'a bare header that is cut short (TC)', reply: Buffer.from(bare(1)).fill(0x82, 2, 3), want: false },
    { name: 'half a header', reply: goodReply(message).subarray(0, 6), want: false },
    { name: 'half a question', reply: goodReply(message).subarray(0, 20), want: false },
    { name: 'nothing', reply: Buffer.alloc(0), want: false },
  ])('$name: $want', ({ reply, want }) => expect(matchesQuery(asked, reply)).toBe(want));

  it('tells octets that differ by 0x20 apart where they are no letters', () => {
    const at = query('a@b.example.', 'A', { id: 7 }).bytes;
    const reply = goodReply(decodeMessage(at));
    expect(matchesQuery(at, reply)).toBe(true);
    reply[14] = 0x60; // '@' is 0x40
    expect(matchesQuery(at, reply)).toBe(false);
  });

  it.each([
    { one: 'a', other: 'A', same: true },
    { one: 'z', other: 'Z', same: true },
    { one: '[', other: '{', same: false },
    { one: '`', other: '\\@', same: false },
  ])('takes $one and $other for the same: $same', ({ one, other, same }) => {
    const at = query(`${one}.example.`, 'A', { id: 7 }).bytes;
    const reply = goodReply(decodeMessage(query(`${other}.example.`, 'A', { id: 7 }).bytes));
    expect(matchesQuery(at, reply)).toBe(same);
  });
});

describe('questionEndOf', () => {
  it.each([
    { name: 'a question', bytes: asked, want: 33 },
    { name: 'the root', bytes: query('.', 'NS').bytes, want: 17 },
    { name: 'a message that ends within the name', bytes: asked.subarray(0, 20), want: 20 },
  ])('$name', ({ bytes, want }) => expect(questionEndOf(bytes)).toBe(want));
});

describe('isCutShort', () => {
  const whole = goodReply(message, { answer: goodReplyRecords(3) });
  const end = questionEndOf(asked);
  it.each([
    { name: 'a whole reply', bytes: whole, want: false },
    { name: 'a whole reply of one record', bytes: goodReply(message), want: false },
    {
      name: 'a whole reply with a record of the root',
      bytes: withTail('00 0001 0001 0000001e 0004 c0000201'),
      want: false,
    },
    { name: 'cut behind a pointer beyond the 256th octet', bytes: farBack(0x0101), want: true },
    { name: 'a pointer beyond the 256th octet that leads forward', bytes: farBack(0x0201), want: false },
    { name: 'cut within data', bytes: whole.subarray(0, whole.length - 2), want: true },
    { name: 'cut within a record', bytes: whole.subarray(0, whole.length - 8), want: true },
    { name: 'cut within a name', bytes: whole.subarray(0, whole.length - 15), want: true },
    { name: 'cut between records', bytes: whole.subarray(0, whole.length - 16), want: true },
    { name: 'cut after the question', bytes: whole.subarray(0, end), want: true },
    {
      name: 'a written name and the head of a record',
      bytes: Buffer.concat([whole.subarray(0, end), Buffer.from([3, 119, 119, 119, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0])]),
      want: true,
    },
    {
      name: 'a label of a reserved type behind a written one',
      bytes: Buffer.concat([whole.subarray(0, end), Buffer.from([3, 119, 119, 119]), Buffer.alloc(20, 0x80)]),
      want: false,
    },
    {
      name: 'a pointer that leads forward',
      bytes: Buffer.concat([whole.subarray(0, end), Buffer.alloc(20, 0xff)]),
      want: false,
    },
    {
      name: 'a label of a reserved type',
      bytes: Buffer.concat([whole.subarray(0, end), Buffer.alloc(20, 0x80)]),
      want: false,
    },
  ])('$name: $want', ({ bytes, want }) => expect(isCutShort(bytes, end)).toBe(want));
});

/** A reply of one record that is written there. */
function withTail(hex: string): Buffer {
  const reply = goodReply(message).subarray(0, questionEndOf(asked));
  return Buffer.concat([reply, Buffer.from(hex.replaceAll(' ', ''), 'hex')]);
}

/** A reply of two records: one with 400 octets of data, and a pointer to `to` in place of the other one. */
function farBack(to: number): Buffer {
  const first = Buffer.concat([Buffer.from('c00c001000010000001e0190', 'hex'), Buffer.alloc(400)]);
  const reply = withTail(`${first.toString('hex')}${(0xc000 | to).toString(16)}`);
  reply[7] = 2;
  return reply;
}

function goodReplyRecords(count: number): ReturnType<typeof decodeMessage>['answer'] {
  const [record] = decodeMessage(goodReply(message)).answer;
  return Array.from({ length: count }, () => record!);
}
