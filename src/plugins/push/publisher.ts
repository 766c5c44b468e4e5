import type { ProvidesChanges, TakesChanges } from '../../chain/index.js';
import type { Clock, Timer } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Networks } from '../../lib/networks.js';
import { sourceIp } from '../../lib/networks.js';
import { isSubdomain, pushMessages, type Name } from '../../wire/index.js';
import type { PushMetrics } from './metrics.js';

/** Changes that follow another within this time leave together. */
const GATHER: Milliseconds = 20;
/** Names that are gathered; with more the zones are told as a whole. */
const MOST_NAMES = 1024;

/** Who is told of the changes of a zone. */
export interface Subscriber {
  /**
   * Sends the messages, or keeps the names for later where the client has not taken what was sent before.
   *
   * @param names all that the messages tell, within `zone`
   */
  tell(zone: Name, names: readonly Name[], messages: readonly Buffer[]): void;
}

/** What one directive says of whom may be told what. */
export interface PublisherRule {
  /** Zones that may be told of. */
  readonly zones: readonly Name[];
  /** undefined for all clients. */
  readonly clients: Networks | undefined;
}

/** Gathers the changes of one server block, and tells subscribers of them. */
export class Publisher {
  private readonly subscribers = new Map<Name, Set<Subscriber>>();
  private pending = new Set<Name>();
  private timer: Timer | undefined;
  private lastFlush: Milliseconds = -Infinity;
  private changing: readonly Name[] = [];
  private takers: readonly TakesChanges[] = [];
  private ends: readonly (() => void)[] = [];

  constructor(
    private readonly rule: PublisherRule,
    private readonly clock: Clock,
    private readonly metrics: PushMetrics,
  ) {}

  /** Follows the handlers of the block, and tells those of them that keep replies. */
  follow(sources: readonly ProvidesChanges[], takers: readonly TakesChanges[]): void {
    const { zones } = this.rule;
    this.changing = sources
      .flatMap((source) => source.changingZones)
      .filter((zone) => zones.some((other) => isSubdomain(other, zone)));
    this.takers = takers;
    for (const taker of takers) this.changing.forEach((zone) => taker.expectChanges(zone));
    this.ends = sources.map((source) => source.followChanges((name) => this.changed(name)));
  }

  stop(): void {
    for (const end of this.ends) end();
    this.timer?.cancel();
  }

  /** Whether the zone holds names whose changes are known here, or lies among them. */
  knows(zone: Name): boolean {
    return this.changing.some((known) => isSubdomain(known, zone) || isSubdomain(zone, known));
  }

  admits(address: string): boolean {
    const { clients } = this.rule;
    const ip = sourceIp(address);
    return clients === undefined || (ip !== undefined && clients.contains(ip));
  }

  add(zone: Name, subscriber: Subscriber): void {
    const known = this.subscribers.get(zone);
    if (known === undefined) this.subscribers.set(zone, new Set([subscriber]));
    else known.add(subscriber);
  }

  remove(zone: Name, subscriber: Subscriber): void {
    const known = this.subscribers.get(zone);
    known?.delete(subscriber);
    if (known?.size === 0) this.subscribers.delete(zone);
  }

  private changed(name: Name): void {
    if (!this.changing.some((zone) => isSubdomain(zone, name))) return;
    for (const taker of this.takers) taker.namesChanged([name]);
    if (this.subscribers.size === 0) return;
    this.pending.add(name);
    // The first one after a pause leaves at once.
    this.timer ??= this.clock.setTimeout(
      () => this.flush(),
      Math.max(0, this.lastFlush + GATHER - this.clock.monotonic()),
    );
  }

  private flush(): void {
    this.timer = undefined;
    this.lastFlush = this.clock.monotonic();
    const all = [...this.pending];
    this.pending = new Set();
    this.metrics.changes.inc(all.length);
    for (const [zone, subscribers] of this.subscribers) {
      const within = all.filter((name) => isSubdomain(zone, name));
      if (within.length === 0) continue;
      const names = within.length > MOST_NAMES ? [zone] : within;
      const messages = pushMessages(names, 2);
      for (const subscriber of subscribers) subscriber.tell(zone, names, messages);
    }
  }
}
