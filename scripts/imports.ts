import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { globSync } from 'tinyglobby';

/** The folder of the sources. */
export const SRC = path.resolve(import.meta.dirname, '../src');

/** Source files by path below src, in order: `chain/reply.ts`. Declarations alone (`.d.ts`) are none. */
export const sourceFiles = (): readonly string[] => globSync('**/*.{ts,tsx}', { cwd: SRC, ignore: '**/*.d.ts' }).sort();

/** Files of the project that a source file imports, for values or types, by path below src. */
export function importsOf(file: string): readonly string[] {
  const text = readFileSync(path.join(SRC, file), 'utf8');
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target]) =>
    sourceOf(path.join(path.dirname(file), target!)),
  );
  return [...new Set(found)].filter((target) => target !== undefined);
}

/** The source that a compiled file is made from; undefined for what is no source, such as a style sheet. */
function sourceOf(file: string): string | undefined {
  const bare = file.replace(/\.jsx?$/, '');
  return [`${bare}.ts`, `${bare}.tsx`].find((candidate) => existsSync(path.join(SRC, candidate)));
}

/** Who imports whom: the files that each file imports. */
export const importGraph = (): ReadonlyMap<string, readonly string[]> =>
  new Map(sourceFiles().map((file) => [file, importsOf(file)]));
