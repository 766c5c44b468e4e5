import { describe, expect, it } from 'vitest';
import { badVersion, judgeHeader, questionEnd, reject, type RefusalWriter } from '../../src/server/turned-away.js';
import { decodeMessage } from '../../src/wire/index.js';
import { query } from '../support/dns.js';

/** A header with these numbers of questions, answers, authorities and additional records. */
const header = (counts: readonly number[], flags = 0x0100): Buffer =>
  Buffer.from([0, 7, flags >> 8, flags & 255, ...counts.flatMap((count) => [count >> 8, count & 255])]);
/** A header, and labels of these lengths with the root, a type and a class. */
const message = (...labels: number[]): Buffer =>
  Buffer.concat([
    header([1, 0, 0, 0]),
    ...labels.map((length) => Buffer.concat([Buffer.of(length), Buffer.alloc(length, 0x61)])),
    Buffer.from([0, 0, 1, 0, 1]),
  ]);

describe('a header', () => {
  it.each([
    { name: 'of a query', bytes: header([1, 0, 0, 0]), want: undefined },
    { name: 'of a query with what NOTIFY, IXFR and TSIG add', bytes: header([1, 1, 1, 2]), want: undefined },
    { name: 'of NOTIFY', bytes: header([1, 1, 0, 0], 0x2400), want: undefined },
    { name: 'of IQUERY', bytes: header([1, 0, 0, 0], 0x0800), want: 4 },
    { name: 'of UPDATE', bytes: header([1, 0, 0, 0], 0x2800), want: 4 },
    { name: 'of a response', bytes: header([1, 0, 0, 0], 0x8000), want: 'ignore' },
    { name: 'cut short', bytes: header([1, 0, 0, 0]).subarray(0, 11), want: 'ignore' },
    ...[
      [0, 0, 0, 0],
      [2, 0, 0, 0],
      [257, 0, 0, 0],
      [1, 2, 0, 0],
      [1, 256, 0, 0],
      [1, 0, 2, 0],
      [1, 0, 256, 0],
      [1, 0, 0, 3],
      [1, 0, 0, 256],
    ].map((counts) => ({ name: `that counts ${counts.join(', ')}`, bytes: header(counts), want: 1 })),
  ])('$name: $want', ({ bytes, want }) => expect(judgeHeader(bytes)).toBe(want));
});

describe('how much of a bad message the answer repeats', () => {
  it.each([
    { name: 'the root', bytes: message(), want: 17 },
    { name: 'a name of labels of 63 octets', bytes: message(63, 63), want: 17 + 128 },
    { name: 'a name of 255 octets', bytes: message(63, 63, 63, 61), want: 17 + 254 },
    { name: 'none of a name of 256 octets', bytes: message(63, 63, 63, 62), want: 12 },
    { name: 'none of a pointer', bytes: message(64), want: 12 },
    { name: 'none of a question without its class', bytes: message(3).subarray(0, -1), want: 12 },
    { name: 'none of a name without an end', bytes: message(3).subarray(0, 16), want: 12 },
    { name: 'nothing behind the header', bytes: message().subarray(0, 12), want: 12 },
    { name: 'the question, whatever follows', bytes: Buffer.concat([message(3), Buffer.alloc(9)]), want: 21 },
  ])('$name', ({ bytes, want }) => expect(questionEnd(bytes)).toBe(want));
});

describe('a refusal', () => {
  function writer(prefix: 0 | 2): RefusalWriter & { sent: Buffer[] } {
    const sent: Buffer[] = [];
    return { prefix, sent, send: (bytes) => void sent.push(bytes) };
  }
  const bytes = Buffer.concat([header([1, 1, 1, 2], 0x2970), message(3).subarray(12)]);

  it.each([
    { name: 'with its question', rcode: 1, end: 21, flags: 0x8111, questions: 1 },
    { name: 'without one', rcode: 1, end: 12, flags: 0x8111, questions: 0 },
    { name: 'that keeps the opcode', rcode: 4, end: 21, flags: 0xa914, questions: 1 },
  ])('$name', ({ rcode, end, flags, questions }) => {
    for (const prefix of [0, 2] as const) {
      const to = writer(prefix);
      reject(bytes, rcode, end, to);
      expect(to.sent.map((one) => one.subarray(prefix))).toEqual([
        Buffer.concat([header([questions, 0, 0, 0], flags), bytes.subarray(12, end)]),
      ]);
    }
  });

  it.each([0, 2] as const)('of an EDNS version that is not there, after a prefix of %d octets', (prefix) => {
    const to = writer(prefix);
    const asked = query('www.example.', 'A', { id: 7, edns: 1232, cd: true });
    badVersion(asked, to);
    const answer = decodeMessage(to.sent[0]!.subarray(prefix));
    expect(answer).toMatchObject({ id: 7, rcode: 16, answer: [], authority: [], additional: [] });
    expect(answer.question).toMatchObject([{ name: 'www.example.', type: 1 }]);
    expect(answer.flags & 0x8110).toBe(0x8110);
    expect(answer.edns).toMatchObject({ version: 0, do: false });
  });
});
