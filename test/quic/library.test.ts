import { describe, expect, it } from 'vitest';
import { loadQuic } from '../../src/quic/library.js';

const failing = (code: string, message: string) => (): string => {
  throw Object.assign(new Error(message), { code });
};

describe('the package for QUIC', () => {
  it.each([
    {
      name: 'absent',
      locate: failing('MODULE_NOT_FOUND', 'Cannot find module'),
      error: 'QUIC needs the optional package @matrixai/quic, which is not installed: npm install @matrixai/quic',
    },
    {
      name: 'without a binary',
      locate: () => 'data:text/javascript,throw new Error("no native binding")',
      error:
        'QUIC needs the optional package @matrixai/quic, which cannot be loaded (no native binding); it has binaries for ' +
        'x64 Linux with glibc, macOS and Windows: npm install @matrixai/quic',
    },
  ])('$name: the refusal says what to do', async ({ locate, error }) => {
    await expect(loadQuic(locate)).rejects.toThrow(error);
  });
});
