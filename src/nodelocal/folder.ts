import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { repeat, type Clock, type Timer } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';

/** Texts by file name. */
export type Folder = ReadonlyMap<string, string>;

/** How a node cache reaches files. All throw a NodeJS.ErrnoException. */
export interface NodeCacheFiles {
  read(file: string): string;
  write(file: string, text: string): void;
  /**
   * The files of a folder, those of folders in it and hidden ones left out: a mounted ConfigMap keeps its versions in
   * such.
   */
  folder(folder: string): Folder;
  exists(path: string): boolean;
}

export const hostFiles: NodeCacheFiles = {
  read: (file) => readFileSync(file, 'utf8'),
  write: (file, text) => writeFileSync(file, text),
  folder: (folder) =>
    new Map(
      readdirSync(folder)
        .filter((name) => !name.startsWith('.'))
        .sort()
        .filter((name) => statSync(path.join(folder, name), { throwIfNoEntry: false })?.isFile())
        .map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]),
    ),
  exists: (file) => statSync(file, { throwIfNoEntry: false }) !== undefined,
};

/**
 * A folder that is looked at again and again. A mounted ConfigMap is exchanged as a whole by its kubelet, which no
 * watch on single files sees.
 */
export class WatchedFolder {
  private last: string | undefined;
  private timer: Timer | undefined;

  constructor(
    private readonly files: NodeCacheFiles,
    readonly path: string,
  ) {}

  /** The files as they are now, also as what later changes are measured by. Throws a NodeJS.ErrnoException. */
  read(): Folder {
    const folder = this.files.folder(this.path);
    this.last = fingerprint(folder);
    return folder;
  }

  /** Calls `changed` when there is something else than at the last look, and `failed` when a look fails. */
  watch(clock: Clock, period: Milliseconds, changed: (folder: Folder) => void, failed: (error: Error) => void): void {
    this.timer = repeat(clock, period, () => {
      try {
        const before = this.last;
        const folder = this.read();
        if (this.last !== before) changed(folder);
      } catch (error) {
        failed(error as Error);
      }
    });
  }

  close(): void {
    this.timer?.cancel();
  }
}

const fingerprint = (folder: Folder): string => JSON.stringify([...folder]);
