import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Specifiers of modules in the same tree: `./x.js`, `../x.js`. More than there are, as comments count, is no harm. */
const LOCAL = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*(['"])(\.\.?\/[^'"\n]+)\1/g;
/** A tree of more files than this is followed no further. */
const MAX_FILES = 200;

/** A plugin's main file and the local files that it imports, each once, with their contents. */
export type PluginTree = ReadonlyMap<string, Buffer>;

/** Reads a file and what it imports from its own tree. Throws a NodeJS.ErrnoException for a main file that cannot be read. */
export function readTree(main: string): PluginTree {
  const tree = new Map<string, Buffer>([[main, readFileSync(main)]]);
  for (const [file, bytes] of tree) {
    if (!/\.[cm]?[jt]s$/.test(file)) continue;
    for (const [, , specifier] of bytes.toString('utf8').matchAll(LOCAL)) {
      const found = localFile(path.resolve(path.dirname(file), specifier!.replace(/[?#].*$/, '')));
      if (found !== undefined && !tree.has(found) && tree.size < MAX_FILES) tree.set(found, readFileSync(found));
    }
  }
  return tree;
}

const localFile = (wanted: string): string | undefined =>
  [wanted, `${wanted}.js`, `${wanted}.json`, path.join(wanted, 'index.js')].find(
    (file) => existsSync(file) && statSync(file).isFile(),
  );

/** Changes with every file of a tree; 32 hexadecimal digits. */
export function treeHash(tree: PluginTree): string {
  const hash = createHash('sha256');
  for (const [file, bytes] of tree) hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  return hash.digest('hex').slice(0, 32);
}

/** As `sha256-BASE64`, without the padding. */
export const integrityOf = (bytes: Uint8Array): string =>
  `sha256-${createHash('sha256').update(bytes).digest('base64').replace(/=$/, '')}`;

/**
 * The main file of an installed package, looked for in `node_modules` from `folder` upwards; undefined where there is
 * no such package.
 */
export function packageFile(name: string, folder: string): string | undefined {
  try {
    return realpathSync(createRequire(path.join(folder, 'x.js')).resolve(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined;
  }
  // A package for `import` only.
  for (let at = folder; ; at = path.dirname(at)) {
    const home = path.join(at, 'node_modules', name);
    const found = existsSync(path.join(home, 'package.json')) ? importTarget(home) : undefined;
    if (found !== undefined) return realpathSync(found);
    if (path.dirname(at) === at) return undefined;
  }
}

/** Conditions under which a package's entry is taken (Node's packages documentation, "Conditional exports"). */
const CONDITIONS = ['node', 'import', 'module-sync', 'default'];

function importTarget(home: string): string | undefined {
  const { exports } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8')) as { exports?: unknown };
  let at: unknown = exports;
  while (typeof at === 'object' && at !== null && !Array.isArray(at)) {
    const [, next] = Object.entries(at).find(([key]) => key === '.' || CONDITIONS.includes(key)) ?? [];
    at = next;
  }
  const file = typeof at === 'string' ? path.join(home, at) : undefined;
  return file !== undefined && existsSync(file) ? file : undefined;
}
