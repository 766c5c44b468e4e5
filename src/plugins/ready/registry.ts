import type { Handler, Readiness } from '../../chain/index.js';

/** Whether a handler that was ready once is asked again. */
export type Monitor = 'until-ready' | 'continuously';

interface ReadinessEntry {
  readonly handler: Handler & Readiness;
  readonly monitor: Monitor;
}

/** The handlers that have to be ready, of all server blocks that use `ready`. */
export class ReadinessRegistry {
  /** Set when the process ends: from then on nobody should send queries here. */
  closing = false;
  private entries: readonly ReadinessEntry[] = [];

  add(handler: Handler & Readiness, monitor: Monitor): void {
    this.entries = [...this.entries, { handler, monitor }];
  }

  close(): void {
    this.closing = true;
  }

  /**
   * Names of the handlers that are not ready, in alphabetical order, once for each server block in which they are
   * not.
   */
  missing(): string[] {
    const asked = this.entries.map((entry) => ({ entry, ready: entry.handler.ready() }));
    this.entries = asked
      .filter(({ entry, ready }) => !ready || entry.monitor === 'continuously')
      .map(({ entry }) => entry);
    return asked
      .filter(({ ready }) => !ready)
      .map(({ entry }) => entry.handler.name)
      .sort();
  }
}
