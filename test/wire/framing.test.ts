import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, WireError, frame } from '../../src/wire/index.js';

const drain = (reader: FrameReader): string[] => {
  const frames: string[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) frames.push(next.toString('latin1'));
  return frames;
};

const stream = (...messages: string[]): Buffer =>
  Buffer.concat(messages.map((message) => frame(Buffer.from(message, 'latin1'))));

describe('FrameReader', () => {
  it.each([
    { name: 'one message in one chunk', chunks: [stream('abc')], want: [['abc']], buffered: 0 },
    { name: 'two messages in one chunk', chunks: [stream('abc', 'de')], want: [['abc', 'de']], buffered: 0 },
    {
      name: 'length field cut in two',
      chunks: [stream('abc').subarray(0, 1), stream('abc').subarray(1)],
      want: [[], ['abc']],
      buffered: 0,
    },
    {
      name: 'cut between length and message',
      chunks: [stream('abc').subarray(0, 2), stream('abc').subarray(2)],
      want: [[], ['abc']],
      buffered: 0,
    },
    {
      name: 'end of one and start of the next in a chunk',
      chunks: [stream('abc', 'defg').subarray(0, 3), stream('abc', 'defg').subarray(3)],
      want: [[], ['abc', 'defg']],
      buffered: 0,
    },
    { name: 'an empty message', chunks: [stream('', 'a')], want: [['', 'a']], buffered: 0 },
    {
      name: 'an empty message whose length comes in two chunks',
      chunks: [Buffer.of(0), Buffer.of(0)],
      want: [[], ['']],
      buffered: 0,
    },
    { name: 'an empty chunk', chunks: [Buffer.alloc(0), stream('a')], want: [[], ['a']], buffered: 0 },
    {
      name: 'a message that never ends',
      chunks: [Buffer.of(0xff, 0xff, 1, 2), Buffer.of(3)],
      want: [[], []],
      buffered: 5,
    },
  ])('$name', ({ chunks, want, buffered }) => {
    const reader = new FrameReader();
    expect(
      chunks.map((chunk) => {
        reader.push(chunk);
        return drain(reader);
      }),
    ).toEqual(want);
    expect(reader.buffered).toBe(buffered);
  });

  it('keeps what is pushed before the last chunk was read', () => {
    const reader = new FrameReader();
    const bytes = stream('abc', 'de');
    reader.push(bytes.subarray(0, 4));
    reader.push(bytes.subarray(4));
    expect(drain(reader)).toEqual(['abc', 'de']);
  });

  it('keeps the chunk that it has not read to its end, and of a message that is cut what has come', () => {
    const reader = new FrameReader();
    const kept: number[] = [];
    for (const chunk of [stream('abc', 'defg').subarray(0, 8), Buffer.from('efg')]) {
      reader.push(chunk);
      kept.push(reader.kept);
      while (reader.next() !== undefined) kept.push(reader.kept);
      kept.push(reader.kept);
    }
    // Five octets of eight are the first message; of the second its length field and one octet have come.
    expect(kept).toEqual([8, 8, 3, 3 + 3, 0, 0]);
  });

  it('gives back the same messages wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 600, size: 'max' }), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        (messages, steps) => {
          const bytes = Buffer.concat(messages.map(frame));
          const reader = new FrameReader();
          const got: string[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const step = steps[i % steps.length]!;
            reader.push(bytes.subarray(at, at + step));
            at += step;
            got.push(...drain(reader));
          }
          expect(got).toEqual(messages.map((message) => Buffer.from(message).toString('latin1')));
          expect(reader.buffered).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('frame', () => {
  it('puts the length before the message', () =>
    expect(frame(Buffer.alloc(258, 7)).subarray(0, 3)).toEqual(Buffer.of(1, 2, 7)));
  it('takes the longest message that it can say', () => expect(frame(Buffer.alloc(65_535))).toHaveLength(65_537));
  it('refuses what the length field cannot say', () =>
    expect(() => frame(Buffer.alloc(65_536))).toThrow(new WireError('message of more than 65535 octets', 65_535)));
});
