import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { unfit } from '../../lib/regular-file.js';
import type { Octets } from '../../lib/units.js';

/** Longest manifest that is read: some ten thousand objects. */
const MAX_MANIFEST: Octets = 32 << 20;

const MANIFEST = /\.(ya?ml|json)$/i;

/** Why a path is missing when nothing has that name, unlike one that cannot be read just now. */
export const NOT_THERE = 'no such file or folder';

export interface FoundFiles {
  /** Path to a text that changes whenever the file does. */
  readonly files: ReadonlyMap<string, string>;
  /** Folders whose entries decide what is found, with a text that changes when another folder takes the same name. */
  readonly folders: ReadonlyMap<string, string>;
  /** Paths that are not there, or could not be read, with the reason. */
  readonly missing: ReadonlyMap<string, string>;
}

/**
 * Finds manifest files: files as named, whatever their ending, and all `.yaml`, `.yml` and `.json` files below folders.
 * Names that begin with a dot are passed over below folders: editors leave such files, and a mounted ConfigMap keeps
 * its
 * generations in folders like `..data`, to which the visible names are symbolic links. Never rejects.
 */
export async function findManifests(paths: readonly string[]): Promise<FoundFiles> {
  const found = {
    files: new Map<string, string>(),
    folders: new Map<string, string>(),
    missing: new Map<string, string>(),
  };
  for (const path of paths) {
    const parent = await stat(dirname(path)).catch(() => undefined);
    if (parent) found.folders.set(dirname(path), identity(parent));
    await visit(path, found, new Set(), true);
  }
  return found;
}

type FoundSoFar = Record<'files' | 'folders' | 'missing', Map<string, string>>;

/** `above` holds the real paths of the folders on the way down: a link back to one of them is not followed. */
async function visit(path: string, found: FoundSoFar, above: ReadonlySet<string>, named: boolean): Promise<void> {
  try {
    const info = await stat(path);
    if (info.isDirectory()) {
      const real = await realpath(path);
      if (above.has(real)) return;
      found.folders.set(path, identity(info));
      const entries = (await readdir(path)).filter((entry) => !entry.startsWith('.')).sort();
      for (const entry of entries) await visit(join(path, entry), found, new Set([...above, real]), false);
    } else if (named || MANIFEST.test(path)) {
      const reason = unfit(info, MAX_MANIFEST);
      if (reason !== undefined) throw new Error(reason);
      found.files.set(path, `${identity(info)}:${info.size}:${info.mtimeMs}:${info.ctimeMs}`);
    }
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    // Below a folder an entry may vanish between listing and looking.
    if (named || !absent) found.missing.set(path, absent ? NOT_THERE : (error as Error).message);
  }
}

function identity(info: { readonly dev: number; readonly ino: number }): string {
  return `${info.dev}:${info.ino}`;
}
