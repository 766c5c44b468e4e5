import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = 'nodens';

/** The package's own manifest, as far as the program reads it. */
interface Manifest {
  readonly name: typeof NAME;
  readonly version: string;
}
/** That of another package on the way, if any. */
interface Other {
  readonly name?: undefined;
}

const found = find(path.dirname(fileURLToPath(import.meta.url)));

/**
 * The folder that the package was unpacked into, which holds `package.json`, `corefiles` and `lab`. The same whether
 * the program runs from its sources, compiled, or bundled.
 */
export const PACKAGE_FOLDER = found.folder;
/** The package's version. */
export const VERSION = found.version;

function find(from: string): { readonly folder: string; readonly version: string } {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    const manifest = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest | Other) : {};
    if (manifest.name === NAME) return { folder, version: manifest.version };
    if (folder === path.dirname(folder)) throw new Error(`no package.json of ${NAME} in ${from} or above`);
  }
}
