import { describe, expect, it } from 'vitest';
import { Attempt } from '../../src/exchange/index.js';
import { Cookies } from '../../src/exchange/cookies.js';
import { decodeMessage } from '../../src/wire/index.js';
import { query, type QuestionOptions } from '../support/dns.js';
import { goodReply } from '../support/fake-upstream.js';

const HOUR = 3_600_000;
/** What the random numbers 1 and 2 make. */
const CLIENT = '0000000100000002';
const SERVER = 'aabbccddeeff0011';

const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const option = (code: number, hex: string): Buffer =>
  Buffer.concat([uint16(code), uint16(hex.length / 2), Buffer.from(hex, 'hex')]);
/** An OPT record for 1,232 bytes. */
const opt = (...options: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('00002904d000000000', 'hex'), uint16(Buffer.concat(options).length), ...options]);
const A = Buffer.from('0162000001000100000005' + '0004c0000207', 'hex');
const NSID = option(3, '6d65');

function world(options: QuestionOptions = {}) {
  let next = 0;
  const cookies = new Cookies({ uint32: () => ++next });
  const { bytes, questionEnd } = query('a.example.', 'A', options);
  const attempt = new Attempt(bytes, questionEnd, undefined);
  /** What it went with, in hex. */
  const sent = (now: number, local = '10.0.0.2'): string | undefined => {
    const message = cookies.add(attempt, local, now);
    return (
      message && Buffer.from(decodeMessage(message).edns!.options.find(({ code }) => code === 10)!.data).toString('hex')
    );
  };
  /** A good reply with records behind the answer. */
  const reply = (...additional: Buffer[]): Buffer => {
    const made = Buffer.concat([goodReply({ ...decodeMessage(bytes), edns: undefined }), ...additional]);
    made[11] = additional.length;
    return made;
  };
  const judge = (bytes: Buffer, now: number) => cookies.judge(attempt, bytes, questionEnd, now);
  return { cookies, attempt, sent, reply, judge };
}

describe('a cookie', () => {
  it('is drawn whole, for an hour and one address', () => {
    const { sent } = world();
    expect(sent(0)).toBe(CLIENT);
    expect(sent(HOUR - 1)).toBe(CLIENT);
    expect(sent(HOUR)).toBe('0000000300000004');
    expect(sent(HOUR, '10.0.0.3')).toBe('0000000500000006');
  });

  it.each([6, 7, 8, 9, 10])('does not go with a query that has more than an OPT record, as byte %i says', (at) => {
    const { sent, attempt } = world({ edns: 1232 });
    attempt.message[at] = 1;
    expect([sent(0), attempt.cookie]).toEqual([undefined, undefined]);
  });

  it('does not go with a query that has two records, or another one than OPT', () => {
    const two = world({ edns: 1232 });
    two.attempt.message[11] = 2;
    const other = world({ edns: 1232 });
    other.attempt.message[other.attempt.questionEnd + 2] = 250;
    expect([two.sent(0), other.sent(0)]).toEqual([undefined, undefined]);
  });

  it.each([
    { bytes: 7, good: false },
    { bytes: 8, good: true },
    { bytes: 32, good: true },
    { bytes: 33, good: false },
  ])('may have a server part of 8 to 32 bytes: $bytes', ({ bytes, good }) => {
    const { sent, reply, judge } = world();
    sent(0);
    const server = 'ab'.repeat(bytes);
    const verdict = judge(reply(opt(option(10, CLIENT + server))), 1);
    expect(verdict).toEqual(good ? reply() : 'wrong');
    expect(sent(2)).toBe(good ? CLIENT + server : CLIENT);
  });
});

describe('a reply comes back', () => {
  const cookie = option(10, CLIENT + SERVER);

  it.each([
    { name: 'without OPT record', additional: [opt(cookie)], want: [] },
    { name: 'without it before another record', additional: [opt(cookie), A], want: [A] },
    { name: 'without it behind another record', additional: [A, opt(NSID, cookie)], want: [A] },
  ])('$name where the query had none', ({ additional, want }) => {
    const { sent, reply, judge } = world();
    sent(0);
    expect(judge(reply(...additional), 1)).toEqual(reply(...want));
  });

  it.each([
    { name: 'alone', options: [cookie], want: [] },
    { name: 'behind another', options: [NSID, cookie], want: [NSID] },
    { name: 'before another', options: [cookie, NSID], want: [NSID] },
    { name: 'behind one of no data', options: [option(3, ''), cookie], want: [option(3, '')] },
  ])('without the option where the query had an OPT record: $name', ({ options, want }) => {
    const { sent, reply, judge } = world({ edns: 1232 });
    sent(0);
    expect(judge(reply(A, opt(...options), A), 1)).toEqual(reply(A, opt(...want), A));
  });

  it.each([
    { name: 'the OPT record is cut', cut: 1 },
    { name: 'the OPT record has no length', cut: cookie.length + 2 },
    { name: 'there is none', cut: cookie.length + 11 },
  ])('as it is where an upstream never sent any and $name', ({ cut }) => {
    const { sent, reply, judge } = world();
    sent(0);
    const whole = reply(opt(cookie));
    const bytes = whole.subarray(0, whole.length - cut);
    expect(judge(bytes, 1)).toEqual(bytes);
  });

  it('as it is where the option runs past its record', () => {
    const { sent, reply, judge } = world({ edns: 1232 });
    sent(0);
    const long = Buffer.from(cookie);
    long[3]!++;
    expect(judge(reply(opt(long)), 1)).toEqual(reply(opt(long)));
  });
});

describe('replies without a cookie', () => {
  it('count as forged after one that had it, and end cookies for an hour when there are eight in a row', () => {
    const { attempt, sent, reply, judge } = world();
    const kept = (now: number): unknown => judge(reply(opt(option(10, CLIENT + SERVER))), now);
    sent(0);
    expect(kept(1)).toEqual(reply());
    const lost = (count: number): unknown[] => Array.from({ length: count }, () => judge(reply(), 2));
    expect(lost(7)).toEqual(new Array(7).fill('wrong'));
    expect(kept(2)).toEqual(reply());
    expect(lost(7)).toEqual(new Array(7).fill('wrong'));
    expect(sent(3)).toBe(CLIENT + SERVER);
    expect(lost(1)).toEqual(['wrong']);
    expect([sent(HOUR + 1), attempt.cookie]).toEqual([undefined, undefined]);
    expect(sent(HOUR + 2)).toBeDefined();
    // It is unknown again: the first one is no forgery, and ends cookies at once.
    expect(judge(reply(), HOUR + 3)).toEqual(reply());
    expect(sent(HOUR + 4)).toBeUndefined();
  });
});
