import { describe, expect, it } from 'vitest';
import { readSearchPath } from '../../../src/plugins/autopath/search-file.js';

describe('the search path of a file', () => {
  it.each([
    {
      name: 'a search line',
      text: 'nameserver 10.0.0.1\nsearch a.example B.example.\n',
      want: ['a.example.', 'b.example.', '.'],
    },
    { name: 'the last of several', text: 'search a\nsearch b c\n', want: ['b.', 'c.', '.'] },
    { name: 'a domain line', text: 'domain a.example b.example', want: ['a.example.', '.'] },
    { name: 'a domain line behind a search line', text: 'search a b\n  domain c', want: ['c.', '.'] },
    { name: 'a domain line without a domain', text: 'search a b\ndomain\n', want: ['a.', 'b.', '.'] },
    { name: 'a search line without domains', text: 'domain a\nsearch', want: [] },
    { name: 'no line', text: 'nameserver 10.0.0.1', want: [] },
  ])('$name', ({ text, want }) => expect(readSearchPath(text)).toEqual(want));

  it('is refused where it is no domain name', () =>
    expect(() => readSearchPath('search a..b')).toThrow("search: got 'a..b', allowed: a domain name"));
});
