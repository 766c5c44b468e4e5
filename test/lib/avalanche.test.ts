import { expect, it } from 'vitest';
import { avalanche } from '../../src/lib/avalanche.js';

// fmix32 of the reference MurmurHash3, which is a bijection: 0 alone gives 0.
it.each([
  { word: 0, want: 0 },
  { word: 1, want: 0x514e28b7 },
  { word: 2, want: 0x30f4c306 },
  { word: -1, want: 0x81f16f39 },
])('the bits of $word are mixed', ({ word, want }) => expect(avalanche(word) >>> 0).toBe(want));
