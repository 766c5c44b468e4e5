import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(path.join(ROOT, 'docs/LAB-LESSONS.md'), 'utf8');
const named = (folder: string, ending: string): string[] =>
  readdirSync(path.join(ROOT, folder))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .sort();

/** Words in back quotes in a column of the tables. */
const column = (at: number, pattern: RegExp): string[] => {
  const cells = page.split('\n').flatMap((line) => (line.startsWith('| ') ? [line.split('|')[at] ?? ''] : []));
  return [...new Set(cells.flatMap((cell) => [...cell.matchAll(pattern)].map((match) => match[1]!)))].sort();
};

describe('docs/LAB-LESSONS.md', () => {
  it('names every lesson, and no other', () => {
    expect(column(2, /(?:lesson|수업) `([\w-]+)`/g)).toEqual(named('lab/scripts', '.lab'));
  });

  it('names topologies that there are', () => {
    const there = named('lab', '.yaml');
    expect(column(2, /^ `([\w-]+)`/g).filter((name) => !there.includes(name))).toEqual([]);
  });
});
