import { describe, expect, it } from 'vitest';
import { PluginFault, wordsOf } from '../../src/plugin-api/faults.js';

describe('a fault of a plugin', () => {
  it('points to where the plugin threw', () => {
    const cause = new TypeError('no list');
    cause.stack = 'TypeError: no list\n    at names.js:12:3';
    expect(new PluginFault('names', 'handle', cause)).toMatchObject({
      message: 'plugin/names: handle',
      stack: 'TypeError: no list\n    at names.js:12:3',
    });
  });

  it.each([
    { name: 'what is no error', cause: 'no list' },
    { name: 'an error without a stack', cause: Object.assign(new Error('no list'), { stack: undefined }) },
    { name: 'nothing', cause: undefined },
  ])('points to itself for $name', ({ cause }) =>
    expect(new PluginFault('names', 'handle', cause).stack).toMatch(/plugin\/names: handle\n +at /),
  );

  it.each([
    { fault: new Error('no list'), want: 'no list' },
    { fault: new TypeError('no list'), want: 'TypeError: no list' },
    { fault: 7, want: '7' },
  ])('in words: $want', ({ fault, want }) => expect(wordsOf(fault)).toBe(want));
});
