import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LONGEST = 140;

/** Folders that hold what is made or installed. */
const MADE = new Set(['node_modules', 'dist', 'coverage', 'artifacts']);

/** The project's files, below its top. */
const FILES = readdirSync(ROOT, { withFileTypes: true })
  .filter(({ name }) => !MADE.has(name) && (!name.startsWith('.') || name === '.ci'))
  .flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(path.join(ROOT, entry.name), { recursive: true, encoding: 'utf8' })
          .filter((file) => !file.split(path.sep).some((part) => MADE.has(part)))
          .map((file) => path.posix.join(entry.name, ...file.split(path.sep)))
      : [entry.name],
  );
const files = (pattern: RegExp): readonly string[] => FILES.filter((file) => pattern.test(file));

const linesOf = (file: string): readonly string[] => readFileSync(path.join(ROOT, file), 'utf8').split('\n');

/** Lines of prose: those of tables and of examples in fences go, and nothing is left in their place. */
function prose(lines: readonly string[]): readonly string[] {
  let fenced = false;
  return lines.map((line) => {
    const fence = /^\s*```/.test(line);
    if (fence) fenced = !fenced;
    return fence || fenced || /^\s*\|/.test(line) ? '' : line;
  });
}

const long = (file: string, lines: readonly string[]): readonly string[] =>
  lines.flatMap((line, i) => (line.length > LONGEST ? [`${file}:${i + 1}: ${line.length} characters`] : []));

describe(`no line of over ${LONGEST} characters`, () => {
  it('is in programs', () => {
    const programs = files(/\.(tsx?|[cm]js|c|sh)$|^bin\/|^\.ci\/run$/);
    // Data of tests stand in their tables.
    const ours = programs.filter(
      (file) => !/^test\/.*\.test\.ts$|^test\/(conformance|deploy|insight|lab)\//.test(file),
    );
    expect(ours.flatMap((file) => long(file, linesOf(file)))).toEqual([]);
  });

  it('is in papers, tables and examples aside', () => {
    expect(files(/\.md$/).flatMap((file) => long(file, prose(linesOf(file))))).toEqual([]);
  });

  it.each([
    { text: 'prose', lines: ['x'.repeat(141)], found: 1 },
    { text: 'a table', lines: [`| ${'x'.repeat(141)} |`], found: 0 },
    { text: 'an example', lines: ['```sh', 'x'.repeat(141), '```'], found: 0 },
    { text: 'what follows an example', lines: ['```', '```', 'x'.repeat(141)], found: 1 },
  ])('is found in $text: $found', ({ lines, found }) => expect(long('a.md', prose(lines))).toHaveLength(found));
});
