import { describe, expect, it } from 'vitest';
import { whyNoName, whyNoNumber } from '../../../src/resolver/tools/tool.js';

describe('a word of a command line, in the words of BIND', () => {
  it.each([
    { text: '0', most: 65_535, want: undefined },
    { text: '65535', most: 65_535, want: undefined },
    { text: '65536', most: 65_535, want: 'out of range' },
    { text: '-1', most: 65_535, want: 'not a valid number' },
    { text: 'x', most: 65_535, want: 'not a valid number' },
    { text: '', most: 65_535, want: 'not a valid number' },
  ])("is a number up to $most: '$text', $want", ({ text, most, want }) => expect(whyNoNumber(text, most)).toBe(want));

  it.each([
    { name: 'a name', text: 'www.example.org', want: undefined },
    { name: 'an empty label', text: 'www..org', want: 'empty label' },
    { name: 'a dot in front', text: '.org', want: 'empty label' },
    { name: 'a label of 63 characters', text: `${'a'.repeat(63)}.org`, want: undefined },
    { name: 'a label of 64 characters', text: `${'a'.repeat(64)}.org`, want: 'label too long' },
    { name: '253 characters', text: `${'a'.repeat(62)}.${'a.'.repeat(94)}aa`, want: undefined },
    { name: '254 characters', text: `${'a'.repeat(63)}.${'a.'.repeat(94)}aa`, want: 'ran out of space' },
    { name: 'half an escape', text: 'a\\1', want: 'bad escape' },
  ])('is a name: $name, $want', ({ text, want }) => expect(whyNoName(text)).toBe(want));
});
