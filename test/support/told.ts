import { afterEach, beforeEach, vi } from 'vitest';

const told = (stream: 'stdout' | 'stderr') => (): (() => string) => {
  let said = '';
  beforeEach(() => {
    said = '';
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      said += text.toString();
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());
  return () => said;
};

/** What the code under test writes to standard error, from the beginning of each test of the file. */
export const toldOnStderr = told('stderr');
/** The same, of standard output. */
export const toldOnStdout = told('stdout');
