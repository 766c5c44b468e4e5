import { readFileSync } from 'node:fs';

/**
 * The text of a file, a character for each byte; empty where it cannot be read, as most of /proc on systems other than
 * Linux.
 */
export function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
