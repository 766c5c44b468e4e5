import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { sep } from 'node:path';
import { repeat } from '../../lib/clock.js';
import type { Clock, Timer } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { Intake, isKubeKind } from '../intake/intake.js';
import type { IntakeOptions, Taken } from '../intake/intake.js';
import { NOT_THERE, findManifests } from './files.js';
import { ManifestHoldings, keyOf } from './holdings.js';
import type { FileObjects } from './holdings.js';
import { manifestSteps } from './parse.js';
import { describeObject, namespaceOf } from '../objects/objects.js';
import { Pace } from '../pace.js';
import type { KubeLog, KubeSource } from '../source.js';
import { Latch } from '../source.js';
import type { KubeStore } from '../store/store.js';

export interface ManifestTiming {
  /** Quiet time after a change in a folder before the files are read. */
  readonly debounce: Milliseconds;
  /** Files are also looked at this often: not every file system tells of changes. */
  readonly poll: Milliseconds;
}

export type FolderWatcher = Pick<FSWatcher, 'close' | 'on'>;

const watchSystem: NonNullable<ManifestSourceOptions['watch']> = (folder, changed) =>
  watch(folder, { persistent: false }, changed);

export interface ManifestSourceOptions extends Omit<IntakeOptions, 'log'> {
  /** Files and folders. */
  readonly paths: readonly string[];
  readonly timing?: Partial<ManifestTiming>;
  /** Tells of changes in a folder until closed; that of the system unless given. */
  readonly watch?: (folder: string, changed: () => void) => FolderWatcher;
  readonly clock: Clock;
  readonly log: KubeLog;
}

/**
 * The objects of manifest files, followed as the files change. A file that cannot be read is reported with its place
 * and keeps the
 * objects it held; a file that is gone takes its objects along. Objects of other kinds are passed over.
 */
export class ManifestSource implements KubeSource {
  private readonly latch = new Latch();
  private readonly timing: ManifestTiming;
  private readonly intake: Intake;
  private readonly pace: Pace;
  private holdings!: ManifestHoldings;
  private readonly signatures = new Map<string, string>();
  private readonly watchers = new Map<string, { readonly identity: string; readonly watcher: FolderWatcher }>();
  private readonly missed = new Set<string>();
  private pending: Timer | undefined;
  private scanning = false;
  private again = false;
  private signal!: AbortSignal;
  /** The object being taken in: its place goes before what the trimmer finds wrong with it. */
  private place = '';

  constructor(private readonly options: ManifestSourceOptions) {
    this.pace = new Pace(options.clock);
    this.timing = { debounce: 100, poll: 10_000, ...options.timing };
    // What is no more than a curiosity in an API is a mistake in a file that somebody wrote.
    const log: KubeLog = {
      ...options.log,
      debug: (message) => options.log.warning(`${this.place}: ${message}`),
      warning: (message) => options.log.warning(`${this.place}: ${message}`),
    };
    this.intake = new Intake({ ...options, log });
  }

  get hasSynced(): boolean {
    return this.latch.isOpen;
  }

  get synced(): Promise<void> {
    return this.latch.opened;
  }

  start(store: KubeStore, signal: AbortSignal): void {
    this.signal = signal;
    this.holdings = new ManifestHoldings(store, this.intake, this.options.log);
    void this.scan();
    const poll = repeat(this.options.clock, this.timing.poll, () => void this.scan());
    const stop = (): void => {
      poll.cancel();
      this.pending?.cancel();
      for (const { watcher } of this.watchers.values()) watcher.close();
      this.watchers.clear();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  }

  /** One scan at a time; a change seen during a scan makes another follow. */
  private async scan(): Promise<void> {
    this.again = true;
    if (this.scanning) return;
    this.scanning = true;
    try {
      while (this.again && !this.signal.aborted) {
        this.again = false;
        await this.scanOnce();
      }
    } catch (error) {
      this.options.log.error(`cannot read manifests: ${(error as Error).message}`);
    } finally {
      this.scanning = false;
    }
  }

  private async scanOnce(): Promise<void> {
    // Watching begins before reading, so that no change falls in between.
    const found = await findManifests(this.options.paths);
    if (this.signal.aborted) return;
    this.follow(found.folders);
    for (const [path, signature] of found.files) {
      if (this.signatures.get(path) === signature) continue;
      this.signatures.set(path, signature);
      await this.read(path);
      if (this.signal.aborted) return;
    }
    for (const path of [...this.signatures.keys()]) {
      if (found.files.has(path) || unreadable(path, found.missing)) continue;
      this.signatures.delete(path);
      await this.hold(path, new Map());
    }
    this.tellMissing(found.missing);
    this.latch.release();
  }

  private async read(path: string): Promise<void> {
    const { log } = this.options;
    let objects: FileObjects;
    try {
      objects = await this.parse(path, await readFile(path));
    } catch (error) {
      const kept = this.holdings.paths().includes(path) ? '; its former objects stay' : '';
      log.error(`${(error as Error).message}${kept}`);
      return;
    }
    if (!this.signal.aborted) await this.hold(path, objects);
  }

  private async hold(path: string, objects: FileObjects): Promise<void> {
    const steps = this.holdings.set(path, objects);
    while (steps.next().done !== true) while (this.pace.isDue) await this.pace.rest();
  }

  private async parse(path: string, bytes: Buffer): Promise<FileObjects> {
    const { log } = this.options;
    const objects = new Map<string, Taken>();
    for (const step of manifestSteps(path, bytes)) {
      while (this.pace.isDue) await this.pace.rest();
      if (step === undefined) continue;
      const { kind, raw, place } = step;
      if (!isKubeKind(kind)) {
        log.debug(`${place}: kind ${kind} passed over`);
        continue;
      }
      this.place = place;
      const taken = this.intake.take(kind, raw);
      if (typeof taken !== 'object') continue;
      const { object } = taken;
      if (objects.has(keyOf(object)))
        log.warning(
          `${place}: ${describeObject(kind, namespaceOf(object), object.name)} is in this file already; the first counts`,
        );
      else objects.set(keyOf(object), taken);
    }
    return objects;
  }

  private follow(folders: ReadonlyMap<string, string>): void {
    for (const [folder, { identity, watcher }] of this.watchers) {
      if (folders.get(folder) === identity) continue;
      watcher.close();
      this.watchers.delete(folder);
    }
    for (const [folder, identity] of folders) if (!this.watchers.has(folder)) this.watchFolder(folder, identity);
  }

  private watchFolder(folder: string, identity: string): void {
    const give = (error: unknown): void => {
      this.watchers.get(folder)?.watcher.close();
      this.watchers.delete(folder);
      this.options.log.debug(
        `cannot watch ${folder}: ${(error as Error).message}; looking every ${this.timing.poll / 1000} s instead`,
      );
    };
    try {
      const watcher = (this.options.watch ?? watchSystem)(folder, () => this.changed());
      watcher.on('error', give);
      this.watchers.set(folder, { identity, watcher });
    } catch (error) {
      give(error);
    }
  }

  private changed(): void {
    this.pending?.cancel();
    this.pending = this.options.clock.setTimeout(() => void this.scan(), this.timing.debounce);
  }

  private tellMissing(missing: ReadonlyMap<string, string>): void {
    for (const path of this.missed) if (!missing.has(path)) this.missed.delete(path);
    for (const [path, why] of missing) {
      if (!this.missed.has(path)) this.options.log.error(`manifests ${path}: ${why}`);
      this.missed.add(path);
    }
  }
}

/** Whether the path, or a folder above it, is there but cannot be read: then nothing says that its objects are gone. */
function unreadable(path: string, missing: ReadonlyMap<string, string>): boolean {
  return [...missing].some(([other, why]) => why !== NOT_THERE && (path === other || path.startsWith(other + sep)));
}
