import type * as Tinyglobby from 'tinyglobby';
import { loadPackage } from '../lib/package.js';
import { readRegularFile } from '../lib/regular-file.js';
import type { CorefileFiles } from './import.js';

/** Loaded with the first pattern: few Corefiles import by one. */
let loaded: typeof Tinyglobby | undefined;
const tinyglobby = (): typeof Tinyglobby => (loaded ??= loadPackage('tinyglobby') as typeof Tinyglobby);

/** Imports from the file system of this machine. `cwd` is an absolute path. */
export function hostFiles(cwd: string): CorefileFiles {
  return {
    cwd,
    readFile: (path) => readRegularFile(path).toString('utf8'),
    glob: (pattern) =>
      tinyglobby()
        .globSync(literalExceptWildcards(pattern), { absolute: true, cwd: '/', dot: true, expandDirectories: false })
        .sort(),
  };
}

function literalExceptWildcards(pattern: string): string {
  return pattern
    .split(/([*?])/)
    .map((part) => (part === '*' || part === '?' ? part : tinyglobby().escapePath(part)))
    .join('');
}
