import { describe, expect, it } from 'vitest';
import { tokenize } from '../../src/corefile/lexer.js';
import { messageOf } from './memory-files.js';

const words = (text: string): [number, string][] =>
  tokenize(text, 'Corefile', '').map((token) => [token.line, token.text]);

describe('tokenize', () => {
  it.each<{ name: string; text: string; want: [number, string][] }>([
    { name: 'nothing', text: '', want: [] },
    { name: 'only white space', text: ' \t\r\n\n ', want: [] },
    {
      name: 'words and lines',
      text: 'a b\n\n  c',
      want: [
        [1, 'a'],
        [1, 'b'],
        [3, 'c'],
      ],
    },
    {
      name: 'braces are words',
      text: 'a {\n}',
      want: [
        [1, 'a'],
        [1, '{'],
        [2, '}'],
      ],
    },
    {
      name: 'a brace inside a word stays',
      text: '{a} {{ b }}',
      want: [
        [1, '{a}'],
        [1, '{{'],
        [1, 'b'],
        [1, '}}'],
      ],
    },
    {
      name: 'comment lines',
      text: '# a\nb # c d\n#\ne',
      want: [
        [2, 'b'],
        [4, 'e'],
      ],
    },
    {
      name: 'a comment inside a word',
      text: 'a#b c\nd',
      want: [
        [1, 'a'],
        [2, 'd'],
      ],
    },
    {
      name: 'quoted text',
      text: 'a "b  c" d',
      want: [
        [1, 'a'],
        [1, 'b  c'],
        [1, 'd'],
      ],
    },
    { name: 'no comment in quotes', text: '"a # b"', want: [[1, 'a # b']] },
    {
      name: 'an empty quoted word',
      text: 'a "" b',
      want: [
        [1, 'a'],
        [1, ''],
        [1, 'b'],
      ],
    },
    { name: 'an escaped quote', text: String.raw`"a \"b\" c"`, want: [[1, 'a "b" c']] },
    {
      name: 'no other escapes',
      text: String.raw`"C:\php\x \n \." a\b`,
      want: [
        [1, String.raw`C:\php\x \n \.`],
        [1, String.raw`a\b`],
      ],
    },
    {
      name: 'an escaped backslash keeps both and does not escape the quote',
      text: String.raw`"a\\" b`,
      want: [
        [1, String.raw`a\\`],
        [1, 'b'],
      ],
    },
    {
      name: 'quoted text over several lines',
      text: 'a "b\nc" d\ne',
      want: [
        [1, 'a'],
        [1, 'b\nc'],
        [2, 'd'],
        [3, 'e'],
      ],
    },
    {
      name: 'an escaped line break counts',
      text: '"a\\\nb" c',
      want: [
        [1, 'a\\\nb'],
        [2, 'c'],
      ],
    },
    {
      name: 'a quote inside a word',
      text: 'a"b c"',
      want: [
        [1, 'a"b'],
        [1, 'c"'],
      ],
    },
    {
      name: 'a word right behind a closing quote',
      text: '"a"b',
      want: [
        [1, 'a'],
        [1, 'b'],
      ],
    },
    {
      name: 'a backslash continues no line',
      text: 'a \\\nb',
      want: [
        [1, 'a'],
        [1, '\\'],
        [2, 'b'],
      ],
    },
    {
      name: 'carriage returns',
      text: 'a\r\nb\r\n',
      want: [
        [1, 'a'],
        [2, 'b'],
      ],
    },
    { name: 'carriage returns in quotes stay', text: '"a\r\nb"', want: [[1, 'a\r\nb']] },
    { name: 'a byte order mark', text: '\ufeff.:53', want: [[1, '.:53']] },
    {
      name: 'Unicode white space',
      text: 'a\u00a0b\u3000c\u0085d',
      want: [
        [1, 'a'],
        [1, 'b'],
        [1, 'c'],
        [1, 'd'],
      ],
    },
  ])('$name', ({ text, want }) => expect(words(text)).toEqual(want));

  it('knows what was quoted, and where it ends', () => {
    expect(
      tokenize('{ "{\n"', 'Corefile', '/x').map(({ quoted, endLine, path, file }) => ({ quoted, endLine, path, file })),
    ).toEqual([
      { quoted: false, endLine: 1, path: '/x', file: 'Corefile' },
      { quoted: true, endLine: 2, path: '/x', file: 'Corefile' },
    ]);
  });

  it.each([
    {
      name: 'an open quote',
      text: 'a\n  "b\nc',
      want: `Corefile:2: the quote opened on line 2 is never closed: expected '"', got the end of the file`,
    },
    {
      name: 'an escaped quote does not close',
      text: '"b\\"',
      want: `Corefile:1: the quote opened on line 1 is never closed: expected '"', got the end of the file`,
    },
    {
      name: 'a backslash at the end',
      text: '"b\\',
      want: `Corefile:1: the quote opened on line 1 is never closed: expected '"', got the end of the file`,
    },
  ])('refuses $name', ({ text, want }) => expect(messageOf(() => tokenize(text, 'Corefile', ''))).toBe(want));
});
