import { describe, expect, it } from 'vitest';
import { pluginStatementFrom } from '../../src/corefile/index.js';
import { messageOf } from './memory-files.js';

describe('a plugin of the command line', () => {
  it('loads from the working directory, and has the flag for its place', () =>
    expect(pluginStatementFrom(' ./names.js  before cache ', '-plugin')).toEqual({
      source: './names.js',
      position: { side: 'before', name: 'cache' },
      integrity: undefined,
      from: '',
      file: '-plugin',
      line: 1,
    }));

  it.each([
    {
      name: 'nothing',
      text: ' ',
      want: '-plugin:1: plugin: got nothing, allowed: FILE|PACKAGE [before NAME|after NAME] [sha256-HASH]',
    },
    {
      name: 'a place without a name',
      text: './a.js after',
      want: "-plugin:1: plugin: got 'after' without a name, allowed: plugin FILE|PACKAGE [before NAME|after NAME] [sha256-HASH]",
    },
  ])('refuses $name', ({ text, want }) => expect(messageOf(() => pluginStatementFrom(text, '-plugin'))).toBe(want));
});
