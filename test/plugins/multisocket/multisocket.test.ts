import { describe, expect, it } from 'vitest';
import { multisocket } from '../../../src/plugins/multisocket/setup.js';
import { setup } from '../../support/block.js';

describe('multisocket', () => {
  it.each(['multisocket', 'multisocket 1', 'multisocket 1024'])('takes %s and puts nothing into the chain', (text) =>
    expect(setup(multisocket, text).handlers).toEqual([]),
  );

  it.each([
    { name: 'none', text: 'multisocket 0', error: "NUM_SOCKETS: got '0', allowed: a whole number from 1 to 1024" },
    { name: 'too many', text: 'multisocket 1025', error: "NUM_SOCKETS: got '1025', allowed" },
    { name: 'no number', text: 'multisocket many', error: "NUM_SOCKETS: got 'many', allowed" },
    { name: 'two numbers', text: 'multisocket 1 2', error: "got 2 arguments ('1' '2')" },
    { name: 'a block', text: 'multisocket {\n}', error: 'got a block in { }, allowed: none' },
  ])('refuses $name', ({ text, error }) =>
    expect(() => setup(multisocket, text)).toThrow(`Corefile:2: multisocket: ${error}`),
  );

  it('refuses a second one', () =>
    expect(() => setup(multisocket, 'multisocket\nmultisocket')).toThrow('Corefile:3: multisocket: got it a second'));
});
