import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_FOLDER } from '../../lib/package-folder.js';

/** A file as a browser gets it. */
export interface StaticFile {
  readonly type: string;
  readonly body: Buffer;
  /** Entity tag of the content (RFC 9110 section 8.8.3). */
  readonly etag: string;
}

/** The page's files by their path; nothing else of the folder is served. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

/** Where the build puts the page. */
const BUILT = [path.join(PACKAGE_FOLDER, 'dist/page')];
/** The file that only a folder with a built page has. */
const MARK = 'page.js';

/** The page's files, read when they are first asked for. */
export class StaticFiles {
  private readonly read = new Map<string, StaticFile>();

  /** @param folders where a built page may be; the first that has one is taken */
  constructor(private readonly folders: readonly string[] = BUILT) {}

  /** undefined for a path that is no file of the page, 'missing' for one that was not built. */
  get(url: string): StaticFile | 'missing' | undefined {
    const known = Object.hasOwn(FILES, url) ? FILES[url] : undefined;
    if (!known) return undefined;
    const held = this.read.get(url);
    if (held) return held;
    const [name, type] = known;
    const folder = this.folders.find((candidate) => existsSync(path.join(candidate, MARK)));
    if (folder === undefined) return 'missing';
    const body = readFileSync(path.join(folder, name));
    const file = { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` };
    this.read.set(url, file);
    return file;
  }
}
