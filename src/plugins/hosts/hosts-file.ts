import type { FileInfo, Runtime } from '../../chain/index.js';
import { repeat, type Timer } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import { HostAnswers } from './answers.js';
import { readHostMap, type HostMap, type HostMapOptions } from './host-map.js';
import type { HostsMetrics } from './metrics.js';

export interface HostsFileOptions extends HostMapOptions {
  readonly path: string;
  /** Lines of the Corefile, read after those of the file. */
  readonly inline: readonly string[];
  readonly ttl: Seconds;
  /** Time between two looks at the file; 0: only one look, at the start. */
  readonly reload: Milliseconds;
}

/**
 * A hosts file that is read again when its time of change or its size does. While it cannot be read, what it said
 * last stays.
 */
export class HostsFile {
  answers: HostAnswers;
  private readonly inline: HostMap;
  private seen: FileInfo | undefined;
  private trouble: string | undefined;
  private timer: Timer | undefined;

  constructor(
    private readonly options: HostsFileOptions,
    private readonly runtime: Runtime,
    private readonly log: Logger,
    private readonly metrics: HostsMetrics,
  ) {
    this.inline = readHostMap(options.inline.join('\n'), options);
    this.answers = new HostAnswers([this.inline], options.ttl);
  }

  start(): void {
    this.read();
    if (this.options.reload > 0) this.timer = repeat(this.runtime.clock, this.options.reload, () => this.read());
  }

  stop(): void {
    this.timer?.cancel();
  }

  private read(): void {
    try {
      this.readIfChanged();
      this.trouble = undefined;
    } catch (error) {
      // Once for each kind of trouble: the next look would say the same.
      const { message } = error as Error;
      if (message !== this.trouble) this.log.warning(`Cannot read hosts file ${this.options.path}: ${message}`);
      this.trouble = message;
    }
  }

  private readIfChanged(): void {
    const { path, ttl } = this.options;
    const info = this.runtime.fileInfo(path);
    if (info === undefined || (info.mtime === this.seen?.mtime && info.size === this.seen.size)) return;
    const map = readHostMap(this.runtime.readFile(path), this.options);
    this.log.debug(`Parsed hosts file into ${map.size} entries`);
    this.seen = info;
    this.answers = new HostAnswers([map, this.inline], ttl);
    this.metrics.entries.with({ hostsfile: path }).set(map.size + this.inline.size);
    this.metrics.reloaded.set(info.mtime / 1000);
  }
}
