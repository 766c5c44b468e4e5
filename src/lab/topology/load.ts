import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_FOLDER } from '../../lib/package-folder.js';
import { parseTopology } from './parse.js';
import { LabFileError } from './reader.js';
import type { Topology } from './topology.js';

/** The folder of the topologies, manifests and scripts that come with the package. */
export const LAB_FOLDER = path.join(PACKAGE_FOLDER, 'lab');

/** How messages name a file: by the way from the working directory where that leads down, by its name otherwise. */
export function shownName(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.startsWith('..') ? path.basename(file) : relative;
}

/**
 * Reads a topology file, or the one of a name that comes with the package (`two-nodes`). Throws a LabFileError or
 * ManifestError.
 */
export function loadTopology(nameOrFile: string): Topology {
  const file = /^[a-z0-9-]+$/.test(nameOrFile) ? path.join(LAB_FOLDER, `${nameOrFile}.yaml`) : nameOrFile;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new LabFileError(
      nameOrFile,
      (error as NodeJS.ErrnoException).code === 'ENOENT'
        ? `there is no such topology, allowed: a file, or one of ${readdirSync(LAB_FOLDER)
            .filter((name) => name.endsWith('.yaml'))
            .map((name) => name.replace('.yaml', ''))
            .join(', ')}`
        : (error as Error).message,
    );
  }
  const shown = shownName(path.resolve(file));
  return parseTopology(shown, text, (name) =>
    readFileSync(path.resolve(path.dirname(file), path.relative(path.dirname(shown), name)), 'utf8'),
  );
}
