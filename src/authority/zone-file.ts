import type { FileInfo, Runtime } from '../chain/index.js';
import { repeat, type Timer } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import type { Name } from '../wire/index.js';
import { MasterFileError, ZoneLoading, isBefore } from '../zone/index.js';
import type { ServedZone } from './served-zone.js';

export interface ZoneFileOptions {
  readonly path: string;
  /** Time between two looks at the file; 0: only one look, at the start. */
  readonly reload: Milliseconds;
  /** Whether another time of change is reason enough to read it again; otherwise another serial is. */
  readonly byTime: boolean;
}

/** ZoneRecords between which queries are answered while a zone is read. */
const SLICE = 1000;

/** What a file was like when it was looked at. */
type Look = ReadonlyMap<string, FileInfo | undefined>;

/** Keeps a zone as its master file has it. While the file cannot be used, what it said last stays. */
export class ZoneFile {
  private seen: Look = new Map();
  private timer: Timer | undefined;
  private reading = false;
  private stopped = false;
  private path: string;

  /** @param onLoaded told after each time that the zone was read again */
  constructor(
    readonly zone: ServedZone,
    readonly options: ZoneFileOptions,
    private readonly runtime: Runtime,
    private readonly log: Logger,
    private readonly onLoaded: (origin: Name) => void,
  ) {
    this.path = options.path;
  }

  /**
   * Reads the file for the first time. Rejects with a MasterFileError, or a NodeJS.ErrnoException where it cannot be
   * opened.
   */
  async load(): Promise<void> {
    const loading = this.open(undefined);
    if ((await this.finish(loading)) === 'loaded') this.put(loading);
  }

  /** Looks at the file from time to time. */
  start(): void {
    if (this.options.reload > 0) this.timer = repeat(this.runtime.clock, this.options.reload, () => void this.look());
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  /** The file has another path from now on. */
  moveTo(path: string): void {
    this.path = path;
  }

  private async look(): Promise<void> {
    // A look falls out while the one before still reads.
    if (this.reading || !this.changed()) return;
    this.reading = true;
    try {
      await this.read();
    } catch (error) {
      this.report(error as Error);
    } finally {
      this.reading = false;
    }
  }

  private report(error: Error): void {
    if (this.stopped) return;
    const { origin } = this.zone;
    if (error instanceof MasterFileError) this.log.error(`Parsing zone "${origin}": ${error.message}`);
    else this.log.error(`Failed to open zone "${origin}" in "${this.path}": ${error.message}`);
  }

  private async read(): Promise<void> {
    const { zone, options, runtime } = this;
    const before = options.byTime ? undefined : zone.zone?.serial;
    const loading = this.open(before);
    if ((await this.finish(loading)) !== 'loaded') return;
    // What was read while it was written may be only half of it.
    if (!sameLook(this.seen, lookAt(loading.files, runtime))) {
      this.log.debug(`Zone "${zone.origin}" in "${this.path}" changed while it was read: looking again`);
      this.seen = new Map();
      return;
    }
    const { serial } = loading.zone;
    if (before !== undefined && isBefore(serial!, before))
      this.log.warning(
        `Serial of zone "${zone.origin}" went back from ${before} to ${serial}: secondaries keep what they have`,
      );
    this.put(loading);
    this.log.info(`Successfully reloaded zone "${zone.origin}" in "${this.path}" with ${serial} SOA serial`);
    this.onLoaded(zone.origin);
  }

  /** Reads on to the end, in slices. */
  private async finish(loading: ZoneLoading): Promise<'loaded' | 'same' | 'stopped'> {
    for (;;) {
      const state = loading.step(SLICE);
      if (state !== 'more') return state;
      await new Promise((resolve) => setImmediate(resolve));
      if (this.stopped) return 'stopped';
    }
  }

  private open(known: number | undefined): ZoneLoading {
    const { path, runtime } = this;
    this.seen = lookAt([path], runtime);
    return new ZoneLoading(
      path,
      this.zone.origin,
      (file) => {
        this.seen = new Map([...this.seen, [file, runtime.fileInfo(file)]]);
        return runtime.readBytes(file);
      },
      known,
      this.zone.zone,
    );
  }

  private put(loading: ZoneLoading): void {
    for (const warning of loading.warnings) this.log.warning(warning);
    this.zone.replace(loading.zone);
  }

  /** Whether one of the files that were read is another since. */
  private changed(): boolean {
    const { path, seen, runtime } = this;
    try {
      return !seen.has(path) || !sameLook(seen, lookAt(seen.keys(), runtime));
    } catch {
      return true;
    }
  }
}

const lookAt = (paths: Iterable<string>, runtime: Runtime): Look =>
  new Map([...paths].map((path) => [path, runtime.fileInfo(path)]));

const sameLook = (a: Look, b: Look): boolean =>
  a.size === b.size &&
  [...a].every(([path, info]) => b.has(path) && b.get(path)?.mtime === info?.mtime && b.get(path)?.size === info?.size);
