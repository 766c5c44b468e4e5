import { afterEach, beforeEach, vi } from 'vitest';

/** What the code under test writes to standard error, from the beginning of each test of the file. */
export function toldOnStderr(): () => string {
  let said = '';
  beforeEach(() => {
    said = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said += text.toString();
      return true;
    });
  });
  afterEach(() => vi.restoreAllMocks());
  return () => said;
}
