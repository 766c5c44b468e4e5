import type { LoadOptions } from '../../src/corefile/load.js';
import { CorefileError } from '../../src/corefile/errors.js';

/** Load options over a table of absolute paths and texts, in folder /etc/dns. */
export function memoryFiles(files: Record<string, string>, env: Record<string, string | undefined> = {}): LoadOptions {
  return {
    env,
    cwd: '/etc/dns',
    readFile(path) {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
      return text;
    },
    glob(pattern) {
      const source = pattern
        .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '[^/]*')
        .replaceAll('?', '[^/]');
      return Object.keys(files)
        .filter((path) => new RegExp(`^${source}$`).test(path))
        .sort();
    },
  };
}

/**
 * The message of the CorefileError that `run` throws; any other error is thrown on, and none at all is an error too.
 */
export function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof CorefileError) return error.message;
    throw error;
  }
  throw new Error('expected a CorefileError, got none');
}
