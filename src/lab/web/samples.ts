import { repeat } from '../../lib/clock.js';
import type { Clock, Timer } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { ServerSpan } from '../trace/tracer.js';
import type { EntityId, LiveSample, ServerSample } from './api.js';
import { entityOfServer } from '../explain/explain-lookup.js';

/** Time between samples, in milliseconds, and how many are kept: ten minutes. */
export const SAMPLE_PERIOD: Milliseconds = 2000;
export const KEPT = 300;

export interface SampleSources {
  readonly clock: Clock;
  /** Both count up. Packets that were sent, and processor time of the process in milliseconds. */
  readonly packets: () => number;
  readonly cpu: () => Milliseconds;
}

/** Counts what servers do, period by period. */
export class Samples {
  private readonly kept: LiveSample[] = [];
  private current = new Map<EntityId, { queries: number; hits: number; misses: number; time: number }>();
  private last: { readonly at: Milliseconds; readonly packets: number; readonly cpu: Milliseconds };
  private readonly timer: Timer;

  constructor(
    private readonly sources: SampleSources,
    private readonly onSample: (sample: LiveSample) => void,
  ) {
    this.last = this.read();
    this.timer = repeat(sources.clock, SAMPLE_PERIOD, () => this.take());
  }

  /** Oldest first. */
  list(): readonly LiveSample[] {
    return this.kept;
  }

  /** Counts a query that a server is done with. */
  count(visit: ServerSpan): void {
    const id = entityOfServer(visit.server);
    let own = this.current.get(id);
    if (!own) this.current.set(id, (own = { queries: 0, hits: 0, misses: 0, time: 0 }));
    own.queries++;
    if (visit.answeredBy === 'cache') own.hits++;
    else if (visit.plugins.includes('cache')) own.misses++;
    own.time += (visit.ended ?? visit.started) - visit.started;
  }

  close(): void {
    this.timer.cancel();
  }

  private take(): void {
    const now = this.read();
    const servers: Record<EntityId, ServerSample> = Object.fromEntries(this.current);
    const sample = {
      time: this.sources.clock.now(),
      period: now.at - this.last.at,
      servers,
      packets: now.packets - this.last.packets,
      cpu: now.cpu - this.last.cpu,
    };
    this.current = new Map();
    this.last = now;
    this.kept.push(sample);
    if (this.kept.length > KEPT) this.kept.shift();
    this.onSample(sample);
  }

  private read(): { readonly at: Milliseconds; readonly packets: number; readonly cpu: Milliseconds } {
    const { clock, packets, cpu } = this.sources;
    return { at: clock.monotonic(), packets: packets(), cpu: cpu() };
  }
}
