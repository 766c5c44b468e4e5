import { describe, expect, it } from 'vitest';
import { takeBindRight } from '../../src/fastpath/bind-right.js';

/** Capability sets as proc(5) has them: permitted and effective. */
const status = (permitted: string, effective: string): string =>
  `Name:\tnode\nCapInh:\t0000000000000000\nCapPrm:\t${permitted}\nCapEff:\t${effective}\nCapBnd:\tffffffffffffffff\n`;
const NONE = '0000000000000000';
const BIND = '0000000000000400';

/** What a kernel would be asked to set, given what it says of the sets as they are. */
function asked(text: string, words: readonly number[], got = 0): number[][] {
  const set: number[][] = [];
  takeBindRight(text, () => ({
    get: (_, sets) => {
      new Uint32Array(sets.buffer).set(words);
      return got;
    },
    set: (header, sets) => {
      set.push([...new Uint32Array(header.buffer), ...new Uint32Array(sets.buffer)]);
      return 0;
    },
  }));
  return set;
}

describe('takeBindRight', () => {
  it.each([
    { name: 'permitted and not in force: taken up, beside what is', text: status(BIND, NONE), want: [0x401, 0x400] },
    { name: 'in force already', text: status(BIND, BIND), want: undefined },
    { name: 'not permitted', text: status('0000000000001000', NONE), want: undefined },
    { name: 'on a system without /proc', text: '', want: undefined },
  ])('$name', ({ text, want }) =>
    expect(asked(text, [1, 0x400, 0, 0, 0, 0])).toEqual(want ? [[0x20080522, 0, ...want, 0, 0, 0, 0]] : []),
  );

  it('sets nothing where the kernel does not tell', () => expect(asked(status(BIND, NONE), [], -1)).toEqual([]));

  it('goes on without the C library', () =>
    expect(() =>
      takeBindRight(status(BIND, NONE), () => {
        throw new Error('no koffi');
      }),
    ).not.toThrow());
});
