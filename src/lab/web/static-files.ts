import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file as a browser gets it. */
export interface StaticFile {
  readonly type: string;
  readonly body: Buffer;
  /** Entity tag of the content (RFC 9110 section 8.8.3). */
  readonly etag: string;
}

/** The page's files by their path; nothing else of the folder is served. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'], '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'], '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

/** Where the build puts the page: beside the compiled program, or in `dist` when the program runs from its sources. */
const BUILT = [new URL('../../page/', import.meta.url), new URL('../../../dist/page/', import.meta.url)].map((url) => fileURLToPath(url));

/** The page's files, read when they are first asked for. */
export class StaticFiles {
  private readonly read = new Map<string, StaticFile>();

  /** @param folders where the files are, the first that has them */
  constructor(private readonly folders: readonly string[] = BUILT) {}

  /** undefined for a path that is no file of the page, 'missing' for one that was not built. */
  get(url: string): StaticFile | 'missing' | undefined {
    const known = Object.hasOwn(FILES, url) ? FILES[url] : undefined;
    if (!known) return undefined;
    const held = this.read.get(url);
    if (held) return held;
    const [name, type] = known;
    for (const folder of this.folders) {
      const body = readIfThere(path.join(folder, name));
      if (!body) continue;
      const file = { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
      this.read.set(url, file);
      return file;
    }
    return 'missing';
  }
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
