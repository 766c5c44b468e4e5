import { describe, expect, it } from 'vitest';
import { debug } from '../../../src/plugins/debug/setup.js';
import { setup } from '../../support/block.js';

describe('debug', () => {
  it.each([
    { name: 'once', text: 'debug' },
    { name: 'twice', text: 'debug\ndebug' },
  ])('sets the block to debug, given $name', ({ text }) => {
    const { block, handlers } = setup(debug, text);
    expect(block.settings.debug).toBe(true);
    expect(handlers).toEqual([]);
  });

  it.each([
    {
      name: 'an argument',
      text: 'debug off',
      error: "Corefile:2: debug: got 1 argument ('off'), allowed: no argument",
    },
    {
      name: 'an argument the second time',
      text: 'debug\ndebug on',
      error: "Corefile:3: debug: got 1 argument ('on'), allowed: no argument",
    },
    { name: 'a block', text: 'debug {\n}', error: 'Corefile:2: debug: got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) => {
    expect(() => setup(debug, text)).toThrow(error);
  });
});
