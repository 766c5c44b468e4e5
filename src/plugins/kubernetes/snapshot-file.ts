import { repeat, type Clock } from '../../lib/clock.js';
import { Pace } from '../../kube/pace.js';
import type { KubeStore } from '../../kube/store/store.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Metrics } from '../../metrics/metrics.js';
import { readSnapshot, writeSnapshot } from './snapshot.js';

/** Changes are saved this often at most. */
const INTERVAL: Milliseconds = 60_000;

interface Surroundings {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The file that a cluster's objects are saved to and taken from: what was known last, for a start without the API. */
export class SnapshotFile {
  /** When what was loaded was saved; undefined where nothing was. */
  private loaded: Milliseconds | undefined;
  private changed = false;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly file: string,
    private readonly choice: string,
    private readonly around: Surroundings,
  ) {}

  get isLoaded(): boolean {
    return this.loaded !== undefined;
  }

  /** Saves changes of what was loaded, until the returned function is called. */
  follow(store: KubeStore, hasSynced: () => boolean): () => void {
    const { clock, metrics } = this.around;
    const ends = [store.changes.subscribe(() => (this.changed = true))];
    const saver = repeat(clock, INTERVAL, () => {
      if (hasSynced()) void this.save(store);
    });
    const stale = metrics
      .gauge('kubernetes', 'stale_snapshot_enabled', 'Whether answers are from a file, as the API is away.')
      .with();
    const age = metrics.gauge('kubernetes', 'snapshot_age_seconds', 'Age of what is answered from a file.').with();
    ends.push(
      metrics.onScrape(() => {
        const isStale = this.loaded !== undefined && !hasSynced();
        stale.set(isStale ? 1 : 0);
        age.set(isStale ? (clock.now() - this.loaded!) / 1000 : 0);
      }),
    );
    return () => {
      saver.cancel();
      for (const end of ends) end();
    };
  }

  /** Writes the file where something has changed since. Never rejects: what goes wrong is told in the log. */
  save(store: KubeStore): Promise<void> {
    return (this.saving = this.saving.then(() => this.write(store)));
  }

  /** Takes in what was saved. Never rejects: what goes wrong is told in the log. */
  async load(store: KubeStore): Promise<void> {
    const { clock, log } = this.around;
    try {
      this.loaded = await readSnapshot(this.file, this.choice, store, new Pace(clock));
      log.info(`objects as of ${new Date(this.loaded).toISOString()} from ${this.file}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.warning(`no objects from a file: ${(error as Error).message}`);
    }
  }

  private async write(store: KubeStore): Promise<void> {
    if (!this.changed) return;
    this.changed = false;
    const { clock, log } = this.around;
    try {
      await writeSnapshot(this.file, this.choice, store, clock.now());
    } catch (error) {
      this.changed = true;
      log.error(`objects not saved: ${(error as Error).message}`);
    }
  }
}
