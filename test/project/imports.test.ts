import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { circles, circlesOf, reasonOf } from '../../scripts/circles.js';
import { SRC, importsOf, sourceFiles } from '../../scripts/imports.js';
import { commonFolder, entryIn, ranksInForce, readRanks } from '../../scripts/ranks.js';

const files = sourceFiles();
const ranks = ranksInForce();

/** What is wrong with one file importing another, in words; undefined for nothing. */
function wrong(file: string, target: string): string | undefined {
  const folder = commonFolder(file, target);
  const order = ranks.get(folder);
  const [own, other] = [entryIn(folder, file), entryIn(folder, target)];
  if (order === undefined || own === other || !file.includes('/')) return undefined;
  if (order === '*') return `src/${folder}: ${own} imports ${other} (${target})`;
  return order.get(other)! < order.get(own)! ? undefined : `src/${folder}: ${own} imports ${other} (${target})`;
}

/** Folders that have folders in them, and what lies in each. */
const nested = new Map<string, Set<string>>();
for (const file of files) {
  const parts = file.split('/');
  for (let depth = 0; depth < parts.length - 1; depth++) {
    const folder = parts.slice(0, depth).join('/');
    nested.set(folder, nested.get(folder) ?? new Set());
  }
}
for (const [folder, entries] of nested)
  for (const file of files)
    if (folder === '' ? file.includes('/') : file.startsWith(`${folder}/`)) entries.add(entryIn(folder, file));

describe('ranks (docs/ARCHITECTURE.md)', () => {
  it.each([...nested].map(([folder, entries]) => ({ folder, entries })))(
    'src/$folder: all that lies in it has a rank, and nothing else',
    ({ folder, entries }) => {
      const order = ranks.get(folder);
      if (order !== '*') expect([...(order?.keys() ?? [])].sort()).toEqual([...entries].sort());
    },
  );

  it('no line is for a folder that has no folders in it', () =>
    expect([...ranks.keys()].filter((folder) => !nested.has(folder))).toEqual([]));

  it.each(files)('%s imports from lower ranks only', (file) => {
    expect(
      importsOf(file)
        .map((target) => wrong(file, target))
        .filter((text) => text !== undefined),
    ).toEqual([]);
  });

  it.each([
    { name: 'no block', text: 'src: a < b\n', error: 'there is no block' },
    { name: 'a line without names', text: '```ranks\nsrc/lab\n```\n', error: 'got the line "src/lab", allowed' },
  ])('$name is refused', ({ text, error }) => expect(() => readRanks(text)).toThrow(error));

  it('name plugins in one place only', () => {
    const wrong = files.filter(
      (file) =>
        !file.startsWith('plugins/') &&
        file !== 'server/directives.ts' &&
        importsOf(file).some((target) => target.startsWith('plugins/')),
    );
    expect(wrong).toEqual([]);
  });

  it('a line may go on in the next, and names between two < have one rank', () =>
    expect(readRanks('```ranks\nsrc: a b\n  < c\nsrc/c: *\n```\n')).toEqual(
      new Map<string, unknown>([
        ['', new Map(Object.entries({ a: 0, b: 0, c: 1 }))],
        ['c', '*'],
      ]),
    ));
});

describe('circles of files', () => {
  it('are defended by a comment in one of their files', () =>
    expect(circles().filter(({ reason }) => reason === undefined)).toEqual([]));

  it('are found', () =>
    expect(
      circlesOf(
        new Map([
          ['a', ['b']],
          ['b', ['c', 'd']],
          ['c', ['a']],
          ['d', ['e']],
          ['e', ['d']],
          ['f', ['a', 'd']],
        ]),
      ),
    ).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ]));

  it.each([
    { text: '// In a circle with b.ts, ../c.ts: it must be.', want: 'it must be.' },
    { text: '// In a circle with b.ts: it must be.', want: undefined },
    { text: '// In a circle with b.ts, ../c.ts, d.ts: it must be.', want: undefined },
  ])('a comment names all of them: $text', ({ text, want }) =>
    expect(reasonOf('x/a.ts', text, ['c.ts', 'x/a.ts', 'x/b.ts'])).toBe(want),
  );
});

describe('the page', () => {
  it.each(files.filter((file) => file.startsWith('page/')))(
    '%s takes nothing but types from the folders beside it: it runs in a browser',
    (file) => {
      const text = readFileSync(path.join(SRC, file), 'utf8');
      const values = [...text.matchAll(/^import (?!type )[^;]*from '(\.[^']+)';$/gm)].map((match) =>
        path.join(path.dirname(file), match[1]!),
      );
      expect(values.filter((target) => !target.startsWith('page/'))).toEqual([]);
    },
  );
});
