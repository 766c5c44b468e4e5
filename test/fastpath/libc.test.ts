import { describe, expect, it } from 'vitest';
import { loadLibc } from '../../src/fastpath/libc.js';

const failing = (code: string, message: string) => (): never => {
  throw Object.assign(new Error(message), { code });
};

describe.runIf(process.platform === 'linux')('the C library', () => {
  it.each([
    {
      name: 'an installation without koffi',
      load: failing('MODULE_NOT_FOUND', "Cannot find module 'koffi'"),
      want: 'batched I/O needs the optional package koffi, which is not installed',
    },
    {
      name: 'a platform that koffi has no binary for',
      load: failing('ERR_DLOPEN_FAILED', 'no binary for linux_mips'),
      want: 'batched I/O: koffi cannot be loaded: no binary for linux_mips',
    },
  ])('is not to be had in $name', ({ load, want }) => expect(() => loadLibc(load)).toThrow(want));

  it('gives the number of the last error', () => {
    const libc = loadLibc();
    const EBADF = 9;
    expect(libc.close(-1)).toBe(-1);
    expect(libc.errno()).toBe(EBADF);
  });
});
