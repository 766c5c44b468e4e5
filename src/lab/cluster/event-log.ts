import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { ApiObject } from './api-object.js';

/** What happened to an object, as its controller, the scheduler or a kubelet tells it. */
export interface Happening {
  readonly about: Pick<ApiObject, 'kind' | 'namespace' | 'name' | 'created'>;
  /** The container of a pod that it is about. */
  readonly container?: string;
  readonly warning?: boolean;
  /** One word: `Scheduled`. */
  readonly reason: string;
  readonly message: string;
  /** Who tells it, and of a kubelet on which node. */
  readonly source: { readonly component: string; readonly host?: string };
}

/** A happening with how often it was told. */
export interface ClusterEvent extends Happening {
  /** Counted from 1. */
  readonly id: number;
  readonly first: Milliseconds;
  readonly last: Milliseconds;
  readonly count: number;
}

/** How long a real API server keeps events (--event-ttl). */
const KEPT: Milliseconds = 3_600_000;

/** What has happened in the last hour; what is told again is counted. The cost of one is that of a map's entry. */
export class EventLog {
  /** The one that was told last stands last. */
  private readonly events = new Map<string, ClusterEvent>();
  private count = 0;

  constructor(
    private readonly clock: Clock,
    private readonly changed: () => void,
  ) {}

  tell(happening: Happening): void {
    const now = this.clock.now();
    const { about, container = '', reason, message } = happening;
    const key = `${about.kind}/${about.namespace}/${about.name}/${about.created}/${container}/${reason}/${message}`;
    this.prune(now);
    const old = this.events.get(key);
    this.events.delete(key);
    this.events.set(key, {
      ...happening,
      id: old?.id ?? ++this.count,
      first: old?.first ?? now,
      last: now,
      count: (old?.count ?? 0) + 1,
    });
    this.changed();
  }

  /** By the time at which they were told last. */
  list(): readonly ClusterEvent[] {
    this.prune(this.clock.now());
    return [...this.events.values()];
  }

  private prune(now: Milliseconds): void {
    for (const [key, { last }] of this.events) {
      if (now - last < KEPT) return;
      this.events.delete(key);
    }
  }
}
