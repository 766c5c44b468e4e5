import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = '/sys/fs/cgroup';
/** Of a CPU bound, in microseconds. */
const PERIOD = 100_000;
let made = 0;

/** A control group of its own with a bound for whoever is in it; version 1 or 2, whichever there is. */
export class ControlGroup {
  private constructor(
    private readonly folder: string,
    private readonly unified: boolean,
  ) {}

  /** With so many bytes; undefined where groups cannot be made. */
  static ofMemory(limit: number): ControlGroup | undefined {
    return ControlGroup.make('memory', (unified) => ({
      [unified ? 'memory.max' : 'memory.limit_in_bytes']: String(limit),
    }));
  }

  /** With a share of one CPU; undefined where groups cannot be made. */
  static ofCpu(share: number): ControlGroup | undefined {
    const quota = Math.round(share * PERIOD);
    return ControlGroup.make('cpu', (unified): Record<string, string> =>
      unified ? { 'cpu.max': `${quota} ${PERIOD}` } : { 'cpu.cfs_quota_us': `${quota}` },
    );
  }

  private static make(
    controller: string,
    bounds: (unified: boolean) => Readonly<Record<string, string>>,
  ): ControlGroup | undefined {
    const unified = existsSync(path.join(ROOT, 'cgroup.controllers'));
    const folder = path.join(ROOT, unified ? '' : controller, `nodens-weather-${process.pid}-${made++}`);
    try {
      mkdirSync(folder);
      for (const [file, text] of Object.entries(bounds(unified))) writeFileSync(path.join(folder, file), text);
    } catch {
      return undefined;
    }
    return new ControlGroup(folder, unified);
  }

  /** The words before a command that run it in the group. */
  get into(): readonly string[] {
    return ['sh', '-c', `echo $$ > ${path.join(this.folder, 'cgroup.procs')} && exec "$@"`, 'sh'];
  }

  /** Most bytes that were ever taken, pages of files included. */
  get peak(): number {
    return Number(readFileSync(path.join(this.folder, this.unified ? 'memory.peak' : 'memory.max_usage_in_bytes')));
  }

  remove(): void {
    rmdirSync(this.folder);
  }
}
