import { describe, expect, it } from 'vitest';
import { nearest, suggestion } from '../../src/corefile/nearest.js';

const NAMES = ['cache', 'forward', 'health', 'hosts', 'kubernetes', 'log', 'loop'];

describe('nearest', () => {
  it.each([
    { word: 'cach', want: 'cache' },
    { word: 'kubernets', want: 'kubernetes' },
    { word: 'Forward', want: 'forward' },
    { word: 'froward', want: 'forward' },
    { word: 'lop', want: 'log' },
    { word: 'whoami', want: undefined },
    { word: 'lgx', want: undefined },
    { word: '', want: undefined },
  ])("takes '$word' for $want", ({ word, want }) => expect(nearest(word, NAMES)).toBe(want));

  it('has nothing to suggest without candidates', () => expect(nearest('cache', [])).toBeUndefined());
  it('words a suggestion', () => expect(suggestion('host', NAMES)).toBe("; did you mean 'hosts'?"));
  it('words none when nothing is near', () => expect(suggestion('whoami', NAMES)).toBe(''));
});
