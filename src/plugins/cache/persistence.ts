import type { Clock } from '../../lib/clock.js';
import type { Seconds } from '../../lib/units.js';
import { dumpOf, readDump, readDumpText, writeDump } from './dump.js';
import type { CacheEntry } from './entry.js';
import type { CacheOptions } from './options.js';
import type { Store } from './store.js';
import type { CacheSurroundings } from './surroundings.js';

/** Replies that a process is given that takes this one's place: it takes a tenth of a second. */
const MOST_HANDED_OVER = 10_000;

/** Brings what a cache keeps from one process to the next: in a file, or handed over. */
export class Persistence {
  constructor(
    private readonly store: Store,
    private readonly options: CacheOptions,
    private readonly surroundings: CacheSurroundings,
  ) {}

  /** Takes in what was saved by an earlier process, where there is something: entries keep the time they have left. */
  load(file: string): void {
    this.takeIn(file, (...how) => readDump(file, ...how));
  }

  /** Goes on with what another process has handed over. */
  takeOver(text: string): void {
    const from = 'the process before this one';
    this.takeIn(from, (...how) => readDumpText(from, text, ...how));
  }

  /** The entries that were used last. */
  handOver(): string {
    return dumpOf(this.surroundings.clock, [...this.store.all()].slice(-MOST_HANDED_OVER));
  }

  private takeIn(
    from: string,
    read: (clock: Clock, maxStale: Seconds, longest: Seconds, keep: (entry: CacheEntry) => void) => number,
  ): void {
    const { clock, log } = this.surroundings;
    try {
      const { success, denial } = this.options;
      const largest = Math.max(success.maxTtl, denial.maxTtl);
      const count = read(clock, this.options.stale?.maxAge ?? 0, largest, (entry) => this.store.put(entry));
      log.info(`${count} replies from ${from}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.warning(`starting empty: ${(error as Error).message}`);
    }
  }

  save(file: string): void {
    const { clock, log } = this.surroundings;
    try {
      writeDump(file, clock, this.store.all());
    } catch (error) {
      log.error(`not saved: ${(error as Error).message}`);
    }
  }
}
