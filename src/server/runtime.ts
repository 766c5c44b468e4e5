import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { FileInfo, Runtime } from '../chain/index.js';
import type { LoadOptions } from '../corefile/index.js';
import { hostLoadOptions } from '../corefile/index.js';
import { realClock } from '../lib/clock.js';
import { silentLog } from '../lib/log.js';
import { readRegularFile } from '../lib/regular-file.js';
import { secureRandom } from '../lib/random.js';
import { Metrics } from '../metrics/metrics.js';
import { HostNetwork } from '../net/host-network.js';
import { VERSION } from '../lib/package-folder.js';

/** How a server reaches files: to parse its Corefile, and for plugins that read some. */
export interface ServerFiles extends Pick<LoadOptions, 'readFile' | 'glob'> {
  readonly fileInfo: (path: string) => FileInfo | undefined;
}

type FileAccess = 'readFile' | 'readBytes' | 'listFiles' | 'fileInfo' | 'replaceFile';

/** What of a runtime may be handed in; this host's own is taken for what is left out. */
export type RuntimeOptions = Partial<Omit<Runtime, FileAccess | 'version'>> & {
  readonly cwd?: string | undefined;
  readonly files?: ServerFiles | undefined;
};

/** The runtime of one server, and how its Corefile is loaded. Relative paths start from `cwd`. */
export function makeRuntime(options: RuntimeOptions): { runtime: Runtime; load: LoadOptions } {
  const cwd = options.cwd ?? '/';
  const env = options.env ?? {};
  const load: LoadOptions = { ...hostLoadOptions(env, cwd), ...options.files };
  const runtime: Runtime = {
    network: options.network ?? new HostNetwork(),
    clock: options.clock ?? realClock,
    random: options.random ?? secureRandom,
    log: options.log ?? silentLog(),
    metrics: options.metrics ?? new Metrics(),
    env,
    version: VERSION,
    hostname: options.hostname ?? os.hostname(),
    memory: options.memory,
    handedOver: options.handedOver,
    readFile: (file) => load.readFile(path.resolve(cwd, file)),
    readBytes: options.files
      ? (file) => Buffer.from(load.readFile(path.resolve(cwd, file)))
      : (file) => readRegularFile(path.resolve(cwd, file)),
    listFiles: options.files ? () => [] : (directory) => hostFiles(path.resolve(cwd, directory)),
    replaceFile: options.files
      ? refuseWrite
      : (file, content, mode) => replaceFile(path.resolve(cwd, file), content, mode),
    fileInfo: options.files?.fileInfo ?? ((file) => hostFileInfo(path.resolve(cwd, file))),
  };
  return { runtime, load };
}

function hostFiles(directory: string): string[] {
  let entries;
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .flatMap((entry) => {
      const file = path.join(directory, entry.name);
      return entry.isDirectory() ? hostFiles(file) : [file];
    });
}

function refuseWrite(file: string): never {
  throw Object.assign(new Error(`EROFS: read-only file system, open '${file}'`), { code: 'EROFS' });
}

/** Writes beside the file and moves it into place. */
function replaceFile(file: string, content: Uint8Array, mode = 0o666): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.new`);
  try {
    writeFileSync(temporary, content, { mode });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function hostFileInfo(file: string): FileInfo | undefined {
  const info = statSync(file, { throwIfNoEntry: false });
  return info && { mtime: info.mtimeMs, size: info.size };
}
