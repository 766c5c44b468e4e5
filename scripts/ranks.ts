/**
 * The order of folders: docs/ARCHITECTURE.md holds it, test/project/imports.test.ts holds the code to it.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The ranks of what lies in one folder, by name: folders, and files without their ending. */
export type Ranks = ReadonlyMap<string, number>;

/** Ranks by folder below src; `''` is src itself. A folder whose entries must not import each other has `*`. */
export function readRanks(text: string): ReadonlyMap<string, Ranks | '*'> {
  const table = /^```ranks\n([\s\S]*?)^```$/m.exec(text)?.[1];
  if (table === undefined) throw new Error('docs/ARCHITECTURE.md: there is no block ```ranks');
  const ranks = new Map<string, Ranks | '*'>();
  for (const line of table.replace(/\n +/g, ' ').trim().split('\n')) {
    const [, folder, order] = /^src\/?([^:]*): (.+)$/.exec(line) ?? [];
    if (folder === undefined || order === undefined)
      throw new Error(`docs/ARCHITECTURE.md: got the line "${line}", allowed: src/FOLDER: NAME... < NAME...`);
    const groups = order.split(' < ').map((group) => group.trim().split(/\s+/));
    ranks.set(folder, order === '*' ? '*' : new Map(groups.flatMap((names, i) => names.map((name) => [name, i]))));
  }
  return ranks;
}

export const ranksInForce = (): ReadonlyMap<string, Ranks | '*'> =>
  readRanks(readFileSync(path.resolve(import.meta.dirname, '../docs/ARCHITECTURE.md'), 'utf8'));

/** The entry of `folder` that a file below it belongs to: a folder, or the file without its ending. */
export function entryIn(folder: string, file: string): string {
  const [first = ''] = (folder === '' ? file : file.slice(folder.length + 1)).split('/', 1);
  return first.replace(/\.tsx?$/, '');
}

/** The deepest folder that two files have in common. */
export function commonFolder(a: string, b: string): string {
  const [one, other] = [path.dirname(a).split('/'), path.dirname(b).split('/')];
  const same = one.findIndex((part, i) => part !== other[i]);
  return one
    .slice(0, same < 0 ? one.length : same)
    .join('/')
    .replace(/^\.$/, '');
}
