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

  private reading = false;
  private stopped = false;

  constructor(
    private readonly options: HostsFileOptions,
    private readonly runtime: Runtime,
    private readonly log: Logger,
    private readonly metrics: HostsMetrics,
  ) {
    const steps = readHostMap(Buffer.from(options.inline.join('\n')), options);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    this.inline = step.value;
    this.answers = new HostAnswers([this.inline], options.ttl);
  }

  /** Reads the file; a long one while others are answered. */
  start(): void | Promise<void> {
    const reading = this.read();
    if (this.options.reload > 0) this.timer = repeat(this.runtime.clock, this.options.reload, () => void this.read());
    return reading;
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  private read(): void | Promise<void> {
    if (this.reading) return;
    try {
      const rest = this.readIfChanged();
      this.trouble = undefined;
      return rest;
    } catch (error) {
      // Once for each kind of trouble: the next look would say the same.
      const { message } = error as Error;
      if (message !== this.trouble) this.log.warning(`Cannot read hosts file ${this.options.path}: ${message}`);
      this.trouble = message;
    }
  }

  private readIfChanged(): void | Promise<void> {
    const { path } = this.options;
    const info = this.runtime.fileInfo(path);
    if (info === undefined || (info.mtime === this.seen?.mtime && info.size === this.seen.size)) return;
    const steps = readHostMap(this.runtime.readBytes(path), this.options);
    const first = steps.next();
    if (first.done === true) return this.put(first.value, info);
    this.reading = true;
    return this.readOn(steps, info);
  }

  private async readOn(steps: ReturnType<typeof readHostMap>, info: FileInfo): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.stopped) return;
      const { done, value } = steps.next();
      if (done !== true) continue;
      this.reading = false;
      return this.put(value, info);
    }
  }

  private put(map: HostMap, info: FileInfo): void {
    const { path, ttl } = this.options;
    this.log.debug(`Parsed hosts file into ${map.size} entries`);
    this.seen = info;
    this.answers = new HostAnswers([map, this.inline], ttl);
    this.metrics.entries.with({ hostsfile: path }).set(map.size + this.inline.size);
    this.metrics.reloaded.set(info.mtime / 1000);
  }
}
