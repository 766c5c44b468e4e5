import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { SRC, sourceFiles } from '../../scripts/imports.js';

/** The folder that a file counts for: a plugin is a folder of its own. */
function folderOf(file: string): string {
  const [first = '', second = ''] = file.split('/');
  return first === 'plugins' ? `plugins/${second}` : first;
}

/** Type names declared in these files, with the folder of each file that declares them, in order. */
function declared(files: readonly { readonly name: string; readonly text: string }[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, text } of files) {
    const names = text.matchAll(/^(?:export )?(?:abstract )?(?:class|interface|type|enum) (\w+)/gm);
    for (const type of new Set([...names].map(([, type]) => type!)))
      found.set(type, [...(found.get(type) ?? []), folderOf(name)].sort());
  }
  return found;
}

const twice = (files: Parameters<typeof declared>[0]): string[] =>
  [...declared(files)]
    .filter(([, folders]) => folders.length > 1)
    .map(([type, folders]) => `${type}: ${folders.join(' ')}`)
    .sort();

const glossary = readFileSync(path.resolve(import.meta.dirname, '../../docs/GLOSSARY.md'), 'utf8');
/** Names that may be declared more than once, and in which folders. */
const allowed = new Map(
  [...glossary.matchAll(/^```twice\n([\s\S]*?)^```$/gm)]
    .flatMap(([, lines]) => lines!.trim().split('\n'))
    .map((line) => line.split(': ', 2) as [string, string]),
);

describe('type names (docs/GLOSSARY.md)', () => {
  const found = twice(sourceFiles().map((name) => ({ name, text: readFileSync(path.join(SRC, name), 'utf8') })));

  it('are declared in one file, or stand in the list: give the type a name of its own', () =>
    expect(
      found.filter((line) => {
        const [type = '', folders] = line.split(': ', 2);
        return allowed.get(type) !== folders;
      }),
    ).toEqual([]));

  it('stand in the list only where they are declared more than once', () =>
    expect(
      [...allowed].map(([type, folders]) => `${type}: ${folders}`).filter((line) => !found.includes(line)),
    ).toEqual([]));

  it('are found, whether exported or not', () =>
    expect(
      twice([
        { name: 'a/x.ts', text: 'export class Thing {}\ninterface Other {}\n' },
        { name: 'plugins/b/y.ts', text: 'type Thing = 1;\n' },
        { name: 'a/z.ts', text: 'export abstract class Other {}\ntype Mine = 1;\n' },
      ]),
    ).toEqual(['Other: a a', 'Thing: a plugins/b']));
});
