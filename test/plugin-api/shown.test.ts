import { expect, it } from 'vitest';
import { shown } from '../../src/plugin-api/data-fields.js';

const LONG = 'x'.repeat(80);

it.each([
  { value: undefined, want: 'nothing' },
  { value: null, want: 'null' },
  { value: 7, want: '7' },
  { value: true, want: 'true' },
  { value: LONG, want: `'${LONG}'` },
  { value: `${LONG}y`, want: `'${LONG}...'` },
  { value: () => 1, want: 'a function' },
  { value: [1], want: 'a list' },
  { value: new Uint8Array(3), want: '3 bytes' },
  { value: {}, want: 'an object' },
])('a value in words: $want', ({ value, want }) => expect(shown(value)).toBe(want));
