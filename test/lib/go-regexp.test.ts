import { describe, expect, it } from 'vitest';
import { goRegExp } from '../../src/lib/go-regexp.js';

describe('goRegExp', () => {
  it.each([
    {
      name: 'a named group as Go writes it',
      pattern: '^ip-(?P<a>[0-9]+)-(.)$',
      text: 'ip-10-x',
      want: ['ip-10-x', '10', 'x'],
      names: ['a', ''],
    },
    { name: 'a named group as others write it', pattern: '(?<a>b)', text: 'abc', want: ['b', 'b'], names: ['a'] },
    { name: 'a match in the middle', pattern: 'b+', text: 'abbc', want: ['bb'], names: [] },
    { name: 'leftmost, first alternative', pattern: 'a|ab', text: 'ab', want: ['a'], names: [] },
    { name: 'inline flag', pattern: '(?i)example', text: 'EXAMPLE.org', want: ['EXAMPLE'], names: [] },
    { name: 'beginning and end of the text', pattern: '\\Aa\\z', text: 'a', want: ['a'], names: [] },
    { name: 'end of the text is not the end of a line', pattern: 'a\\z', text: 'a\n', want: undefined, names: [] },
    { name: 'POSIX class', pattern: '^[[:digit:]]{2,3}[[:^alpha:]]$', text: '12.', want: ['12.'], names: [] },
    { name: 'ungreedy flag', pattern: '(?U)a+', text: 'aaa', want: ['a'], names: [] },
    { name: 'quoted text', pattern: '\\Q.*\\E', text: 'a.*b', want: ['.*'], names: [] },
    {
      name: 'a group that takes no part is empty',
      pattern: '(a)|(b)',
      text: 'b',
      want: ['b', '', 'b'],
      names: ['', ''],
    },
    { name: 'no match', pattern: '^a$', text: 'b', want: undefined, names: [] },
  ])('$name', ({ pattern, text, want, names }) => {
    const regexp = goRegExp(pattern);
    expect(regexp.exec(text)).toEqual(want);
    expect(regexp.test(text)).toBe(want !== undefined);
    expect(regexp.groupNames).toEqual(names);
    expect(regexp.source).toBe(pattern);
  });

  it.each([
    {
      name: 'group without end',
      pattern: '(a',
      error: "got regular expression '(a', error parsing regexp: missing closing ): `(a`",
    },
    {
      name: 'backreference',
      pattern: '(a)\\1',
      error: "got regular expression '(a)\\1', error parsing regexp: invalid escape sequence: `\\1`",
    },
    { name: 'looking ahead', pattern: '(?=a)', error: "got regular expression '(?=a)'," },
    { name: 'looking behind', pattern: '(?<=a)b', error: "got regular expression '(?<=a)b'," },
    {
      name: 'repeating nothing',
      pattern: '*a',
      error: "got regular expression '*a', error parsing regexp: missing argument to repetition operator: `*`",
    },
  ])('refuses $name', ({ pattern, error }) => {
    expect(() => goRegExp(pattern)).toThrow(RangeError);
    expect(() => goRegExp(pattern)).toThrow(error);
  });

  it('takes 10,000 bytes and no more', () => {
    expect(goRegExp('a'.repeat(10_000)).test('a')).toBe(false);
    expect(() => goRegExp('ä'.repeat(5001))).toThrow('got a regular expression of 10002 bytes, allowed: at most 10000');
  });

  it('does not backtrack: patterns that cost others minutes are done at once', () => {
    expect(goRegExp('^(a*)*(a*)*(a*)*b$').test('a'.repeat(5000))).toBe(false);
  });
});
