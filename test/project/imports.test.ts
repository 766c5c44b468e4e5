import { readFileSync } from 'node:fs';
import path from 'node:path';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';

/**
 * The folders under src, lowest rank first. A folder imports from lower ranks only; of equal ranks none imports the
 * other.
 */
const RANKS: Record<string, number> = {
  lib: 0,
  wire: 1,
  corefile: 1,
  kube: 1,
  datapath: 1,
  metrics: 1,
  net: 2,
  chain: 3,
  exchange: 3,
  lrp: 3,
  dataplane: 4,
  plugins: 4,
  resolver: 4,
  observe: 4,
  server: 5,
  nodelocal: 6,
  lab: 7,
  cli: 8,
  page: 8,
};

const SRC = path.resolve(import.meta.dirname, '../../src');
const files = globSync('**/*.{ts,tsx}', { cwd: SRC }).sort();

/** The folder that rules apply to: a plugin is a folder of its own. */
const folderOf = (file: string): string => {
  const [first = '', second] = file.split('/');
  return first === 'plugins' ? `plugins/${second}` : first;
};

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(SRC, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    path.relative(SRC, path.resolve(SRC, path.dirname(file), match[1]!)),
  );
}

describe('folders', () => {
  it('all have a rank', () => {
    const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]!));
    expect([...folders].filter((folder) => RANKS[folder] === undefined)).toEqual([]);
  });

  it.each(files.filter((file) => file.includes('/')))('%s imports from its own folder and lower ranks only', (file) => {
    const own = folderOf(file);
    const wrong = importsOf(file).filter(
      (target) => folderOf(target) !== own && RANKS[target.split('/')[0]!]! >= RANKS[own.split('/')[0]!]!,
    );
    expect(wrong).toEqual([]);
  });

  it('name plugins in one place only', () => {
    const wrong = files.filter(
      (file) =>
        !file.startsWith('plugins/') &&
        file !== 'server/directives.ts' &&
        importsOf(file).some((target) => target.startsWith('plugins/')),
    );
    expect(wrong).toEqual([]);
  });

  it.each(files.filter((file) => file.startsWith('page/')))(
    '%s takes nothing but types from the folders beside it: it runs in a browser',
    (file) => {
      const text = readFileSync(path.join(SRC, file), 'utf8');
      const values = [...text.matchAll(/^import (?!type )[^;]*from '(\.[^']+)';$/gm)].map((match) =>
        path.relative(SRC, path.resolve(SRC, path.dirname(file), match[1]!)),
      );
      expect(values.filter((target) => folderOf(target) !== 'page')).toEqual([]);
    },
  );
});
