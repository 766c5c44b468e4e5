import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTopology } from './topology/parse.js';
import { LabFileError } from './topology/reader.js';
import type { Topology } from './topology/topology.js';

/** The folder of the topologies, manifests and scripts that come with the package. */
export const LAB_FOLDER = fileURLToPath(new URL('../../lab', import.meta.url));

/** Reads a topology file, or the one of a name that comes with the package (`two-nodes`). Throws a LabFileError or ManifestError. */
export function loadTopology(nameOrFile: string): Topology {
  const file = /^[a-z0-9-]+$/.test(nameOrFile) ? path.join(LAB_FOLDER, `${nameOrFile}.yaml`) : nameOrFile;
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new LabFileError(nameOrFile, (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such topology' : (error as Error).message);
  }
  const shown = path.relative(process.cwd(), file);
  return parseTopology(shown.startsWith('..') ? path.basename(file) : shown, text, (name) => readFileSync(path.resolve(path.dirname(file), path.relative(path.dirname(shown.startsWith('..') ? path.basename(file) : shown), name)), 'utf8'));
}
