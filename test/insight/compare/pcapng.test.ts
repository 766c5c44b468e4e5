import { describe, expect, it } from 'vitest';
import { readCapture } from '../../../src/insight/compare/capture.js';
import { capture, section, type Block } from './pcapng-writer.js';

const TEXT = 'a packet of 21 bytes!';
const PACKET = Buffer.from(TEXT);

describe('pcapng', () => {
  const read = (...blocks: readonly Block[]) =>
    [...readCapture(capture(blocks), 'x.pcapng')].map(({ at, link, bytes }) => `${at} ${link} ${bytes.toString()}`);

  const enhanced = (at: number, more = {}): Block => ({ kind: 'enhanced', interface: 0, at, bytes: PACKET, ...more });
  it.each([
    { name: 'microseconds where nothing is said', options: [], at: 1_500_000, want: 1500 },
    { name: 'powers of ten', options: [[9, [9]]], at: 1_500_000, want: 1.5 },
    { name: 'powers of two', options: [[9, [0x80 | 10]]], at: 2048, want: 2000 },
    {
      name: 'behind an option of five bytes',
      options: [
        [2, [1, 2, 3, 4, 5]],
        [9, [3]],
      ],
      at: 1500,
      want: 1500,
    },
    {
      name: 'behind the end of the options',
      options: [
        [0, []],
        [9, [3]],
      ],
      at: 1_500_000,
      want: 1500,
    },
    { name: 'of another length', options: [[9, [3, 3]]], at: 1_500_000, want: 1500 },
    { name: 'beyond 32 bits', options: [[9, [3]]], at: 2 ** 33 + 5, want: 2 ** 33 + 5 },
  ] as const)('times: $name', ({ options, at, want }) =>
    expect(read(section(), { kind: 'interface', link: 1, options }, enhanced(at))).toEqual([`${want} 1 ${TEXT}`]),
  );

  const ethernet: Block = { kind: 'interface', link: 1, options: [] };
  const raw: Block = { kind: 'interface', link: 101, options: [] };
  const simple: Block = { kind: 'simple', bytes: PACKET };
  it.each([
    { name: 'of the other byte order', blocks: [section(true), ethernet, enhanced(1000)], want: [`1 1 ${TEXT}`] },
    {
      name: 'by interface',
      blocks: [section(), ethernet, raw, enhanced(0, { interface: 1 })],
      want: [`0 101 ${TEXT}`],
    },
    { name: 'without a time', blocks: [section(), raw, ethernet, simple], want: [`0 101 ${TEXT}`] },
    { name: 'without an interface', blocks: [section(), simple], want: [] },
    { name: 'of a second section', blocks: [section(), raw, section(), ethernet, simple], want: [`0 1 ${TEXT}`] },
    {
      name: 'behind a block of another kind',
      blocks: [section(), ethernet, { kind: 'other' } as const, simple],
      want: [`0 1 ${TEXT}`],
    },
    {
      name: 'cut by who captured',
      blocks: [section(), ethernet, enhanced(0, { captured: 8 })],
      want: ['0 1 a packet'],
    },
    {
      name: 'longer than they are',
      blocks: [section(), ethernet, enhanced(0, { captured: 9999 })],
      want: [`0 1 ${TEXT}\0\0\0`],
    },
    {
      name: 'cut, without a time',
      blocks: [section(), ethernet, { ...simple, length: 8 }],
      want: ['0 1 a packet'],
    },
  ])('packets $name', ({ blocks, want }) => expect(read(...blocks)).toEqual(want));

  it('of an interface that is not there are refused', () => {
    expect(() => read(section(), ethernet, enhanced(0, { interface: 1 }))).toThrow(
      'got a packet of interface 1, allowed: 0 to 0',
    );
  });

  it.each([
    { length: 8, want: 'got a block of 8 bytes at 28, allowed: at least 12, by fours' },
    { length: 14, want: 'got a block of 14 bytes at 28, allowed: at least 12, by fours' },
  ])('blocks of $length bytes are refused', ({ length, want }) => {
    const bytes = capture([section(), { kind: 'other' }]);
    bytes.writeUInt32LE(length, 32);
    expect(() => [...readCapture(bytes, 'x')]).toThrow(want);
  });

  it('end where a block is cut, with what stands before', () => {
    const bytes = capture([section(), ethernet, simple, simple]);
    const found = (left: number): number => [...readCapture(bytes.subarray(0, bytes.length - left), 'x')].length;
    expect([found(0), found(1), found(40), found(41)]).toEqual([2, 1, 1, 0]);
  });
});
