import { expect, it } from 'vitest';
import { byText } from '../../src/lib/order.js';

it.each([
  { a: 'a', b: 'b', want: -1 },
  { a: 'b', b: 'a', want: 1 },
  { a: 'a', b: 'a', want: 0 },
  { a: 'a', b: 'ab', want: -1 },
  { a: 'a', b: 'B', want: 1 },
  { a: 'ä', b: 'z', want: 1 },
])('$a and $b: $want', ({ a, b, want }) => expect(byText(a, b)).toBe(want));
