import { readFileSync } from 'node:fs';
import { escapePath, globSync } from 'tinyglobby';
import type { CorefileFiles } from './import.js';

/** Imports from the file system of this machine. `cwd` is an absolute path. */
export function hostFiles(cwd: string): CorefileFiles {
  return {
    cwd,
    readFile: (path) => readFileSync(path, 'utf8'),
    glob: (pattern) => globSync(literalExceptWildcards(pattern), { absolute: true, cwd: '/', dot: true, expandDirectories: false }).sort(),
  };
}

function literalExceptWildcards(pattern: string): string {
  return pattern
    .split(/([*?])/)
    .map((part) => (part === '*' || part === '?' ? part : escapePath(part)))
    .join('');
}
