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

  it('gives whole pages back, which are 0 then, and leaves the bytes around them alone', () => {
    const [page, size] = [0x10000, 0x100000];
    const all = new Uint8Array(new SharedArrayBuffer(size)).fill(1);
    loadLibc().release(all.subarray(page, size - page));
    const ones = all.reduce((sum, byte) => sum + byte, 0);
    expect(ones).toBeGreaterThanOrEqual(2 * page);
    expect(ones).toBeLessThan(6 * page);
    expect([all[page - 1], all[size / 2], all[size - page]]).toEqual([1, 0, 1]);
  });

  it('keeps bytes that are less than a page', () => {
    const few = new Uint8Array(new SharedArrayBuffer(100)).fill(1);
    loadLibc().release(few);
    expect(few.every((byte) => byte === 1)).toBe(true);
  });

  it('gives the number of the last error', () => {
    const libc = loadLibc();
    const EBADF = 9;
    expect(libc.close(-1)).toBe(-1);
    expect(libc.errno()).toBe(EBADF);
  });
});
