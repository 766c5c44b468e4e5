import { describe, expect, it } from 'vitest';
import { encodeName, readName } from '../../src/wire/index.js';
import { putName } from '../../src/wire/sink.js';

const ORIGIN = encodeName('example.');
const label = 'a'.repeat(63);

describe('a name of a master file', () => {
  /** As it stands behind three other octets. */
  const put = (text: string): string => {
    const target = Buffer.alloc(600);
    const end = putName(text, ORIGIN, target, 3);
    const { name, end: read } = readName(target, 3);
    expect(end).toBe(read);
    return name;
  };

  it.each([
    { text: '@', want: 'example.' },
    { text: 'www', want: 'www.example.' },
    { text: 'www.', want: 'www.' },
    { text: '.', want: '.' },
    { text: 'a\\.', want: 'a\\..example.' },
    { text: '\\.', want: '\\..example.' },
    { text: 'a\\\\.', want: 'a\\\\.' },
    { text: '\\\\.', want: '\\\\.' },
    { text: 'a\\\\\\.', want: 'a\\\\\\..example.' },
  ])('$text is $want', ({ text, want }) => expect(put(text)).toBe(want));

  // Three labels of 64 octets, one of so many more, and 9 of the origin: 255 at most.
  it.each([
    { octets: 53, good: true },
    { octets: 54, good: false },
  ])('has at most 255 octets with its origin, with a last label of $octets: $good', ({ octets, good }) => {
    const text = `${label}.${label}.${label}.${'b'.repeat(octets)}`;
    if (good) expect(put(text)).toBe(`${text}.example.`);
    else expect(() => put(text)).toThrow(`name ${text} has more than 255 octets with its origin`);
  });
});
