import type { Logger } from '../lib/log.js';
import type { Value } from '../metrics/metrics.js';
import type { SetupErrorType } from './metrics.js';

/** Where faults of the set-up go: a line in the log, and a count. */
export class Report {
  constructor(
    readonly log: Logger,
    private readonly errors: Readonly<Record<SetupErrorType, Value>>,
  ) {}

  error(type: SetupErrorType, line: string): void {
    this.errors[type].inc();
    this.log.error(line);
  }
}
