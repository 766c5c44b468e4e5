import { ServedZone, ZoneFile, type Authority } from '../../authority/index.js';
import type { Runtime } from '../../chain/index.js';
import { repeat, type Timer } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Name } from '../../wire/index.js';
import { originOf, type OriginRule } from './origin.js';

export interface DirectoryOptions {
  readonly path: string;
  readonly rule: OriginRule;
  /** Time between two looks at the directory, and at each file; 0: only one look, at the start. */
  readonly reload: Milliseconds;
}

/** Serves the zones whose files lie in a directory, as files come and go. */
export class ZoneDirectory {
  private readonly files = new Map<Name, ZoneFile>();
  private timer: Timer | undefined;
  private looking = false;
  private stopped = false;
  /** Faults of the last look: each is told once, not at every look. */
  private told: ReadonlySet<string> = new Set();

  /** @param changed told of each zone that is new or was read again */
  constructor(
    private readonly authority: Authority,
    readonly options: DirectoryOptions,
    private readonly runtime: Runtime,
    private readonly log: Logger,
    private readonly changed: (origin: Name) => void,
  ) {}

  get origins(): readonly Name[] {
    return this.authority.origins;
  }

  /** Looks at the directory for the first time, and then from time to time. */
  async start(): Promise<void> {
    await this.look(() => undefined);
    const { reload } = this.options;
    if (reload > 0) this.timer = repeat(this.runtime.clock, reload, () => void this.look(this.changed));
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
    for (const file of this.files.values()) file.stop();
  }

  /** @param added told of each zone that is new */
  private async look(added: (origin: Name) => void): Promise<void> {
    // A look falls out while the one before still reads.
    if (this.looking || this.stopped) return;
    this.looking = true;
    try {
      const faults: string[] = [];
      const found = this.list(faults);
      if (found !== undefined) {
        await this.take(found, faults, added);
        for (const origin of [...this.files.keys()]) if (!found.has(origin)) this.drop(origin);
      }
      for (const fault of faults) if (!this.told.has(fault)) this.log.warning(fault);
      this.told = new Set(faults);
    } finally {
      this.looking = false;
    }
  }

  /** The files that hold zones; undefined while the directory is not there or cannot be looked at. */
  private list(faults: string[]): Map<Name, string> | undefined {
    const { path, rule } = this.options;
    try {
      if (this.runtime.fileInfo(path) === undefined) {
        faults.push(`Directory does not exist: ${path}`);
        return undefined;
      }
    } catch (error) {
      faults.push(`error reading ${path}: ${(error as Error).message}`);
      return undefined;
    }
    const found = new Map<Name, string>();
    for (const file of this.runtime.listFiles(path)) {
      const origin = originOf(rule, file);
      if (origin === undefined) continue;
      const before = found.get(origin);
      if (origin === '') faults.push(`No zone can be made of the name of ${file}`);
      else if (before !== undefined)
        faults.push(`Multiple zone files match origin "${origin}": using "${before}" instead of "${file}"`);
      else found.set(origin, file);
    }
    return found;
  }

  private async take(found: Map<Name, string>, faults: string[], added: (origin: Name) => void): Promise<void> {
    for (const [origin, path] of found) {
      const known = this.files.get(origin);
      if (known !== undefined) {
        known.moveTo(path);
        continue;
      }
      const { runtime, log, changed, options } = this;
      const file = new ZoneFile(
        new ServedZone(origin),
        { path, reload: options.reload, byTime: false },
        runtime,
        log,
        changed,
      );
      try {
        await file.load();
      } catch (error) {
        // It is not served, and tried again with the next look.
        faults.push(`Parse zone '${origin}': ${(error as Error).message}`);
        continue;
      }
      if (this.stopped) return;
      this.files.set(origin, file);
      this.authority.add(file.zone);
      file.start();
      log.info(`Inserting zone '${origin}' from: ${path}`);
      added(origin);
    }
  }

  private drop(origin: Name): void {
    this.files.get(origin)?.stop();
    this.files.delete(origin);
    this.authority.remove(origin);
    this.log.info(`Deleting zone '${origin}'`);
  }
}
