import { describe, expect, it } from 'vitest';
import { onlyOne } from '../../src/chain/index.js';
import { directives } from '../support/block.js';

describe('onlyOne', () => {
  it('gives the one there is', () => {
    expect(onlyOne(directives('loop', 'loop')).line).toBe(2);
  });

  it('refuses a second one where it stands', () => {
    expect(() => onlyOne(directives('loop\nwhoami\nloop', 'loop'))).toThrow(
      'Corefile:4: loop: got it a second time in this server block, allowed: once; the first stands at Corefile:2',
    );
  });
});
