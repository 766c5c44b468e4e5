import { repeat, type Clock, type Timer } from '../lib/clock.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import { descriptorLimit } from '../lib/descriptor-limit.js';
import { tcpLimitsWithin } from './descriptors.js';
import type { TcpLimits } from './tcp-limits.js';

/** How often connections that are late are looked for: one timer for all in place of one for each. */
const SWEEP: Milliseconds = 500;

/** A connection, as its bounds see it. */
export interface TcpClient {
  /** Whether it has kept the server waiting for too long. */
  overdue(now: Milliseconds): boolean;
  /**
   * Whether it has taken something since that was last looked at; if so, `took` was called. Missing where `took` is
   * called as soon as something is taken.
   */
  hasTaken?(): boolean;
  destroy(): void;
}

/** The TCP connections of all addresses of one server, and the bounds that they share. */
export class TcpClients {
  /** In order of their last sign of life: the first has been silent for longest. */
  private readonly open = new Set<TcpClient>();
  /** Those that keep bytes, in the order in which they last took some. */
  private readonly holding = new Set<TcpClient>();
  private octets: Octets = 0;
  private sweeper: Timer | undefined;
  /** Whether connections that come now are to wait until there is memory for them. */
  delays: () => boolean = () => false;

  /** @param limits by default as many connections as the process's descriptors allow */
  constructor(
    readonly clock: Clock,
    readonly limits: TcpLimits = tcpLimitsWithin(descriptorLimit()),
  ) {}

  get size(): number {
    return this.open.size;
  }

  /** Bytes that are kept for clients: messages that are not complete or not looked at yet, answers not yet taken. */
  get held(): Octets {
    return this.octets;
  }

  add(client: TcpClient): void {
    if (this.open.size >= this.limits.connections) first(this.open)!.destroy();
    this.open.add(client);
    this.sweeper ??= repeat(this.clock, SWEEP, () => this.sweep());
  }

  /** A client was answered. */
  alive(client: TcpClient): void {
    if (this.open.delete(client)) this.open.add(client);
  }

  /** A client has taken some of what waits for it. */
  took(client: TcpClient): void {
    if (this.holding.delete(client)) this.holding.add(client);
  }

  /** What is kept for a client has changed from `before` to `now` bytes. */
  hold(client: TcpClient, before: Octets, now: Octets): void {
    this.octets += now - before;
    if (now === 0) this.holding.delete(client);
    else if (before === 0) this.holding.add(client);
    while (this.octets > this.limits.held) {
      const slowest = first(this.holding)!;
      if (slowest.hasTaken?.() !== true) slowest.destroy();
    }
  }

  /** To be called once nothing is kept for the client any more. */
  remove(client: TcpClient): void {
    this.open.delete(client);
    if (this.open.size > 0) return;
    this.sweeper?.cancel();
    this.sweeper = undefined;
  }

  private sweep(): void {
    const now = this.clock.monotonic();
    for (const client of this.open) if (client.overdue(now)) client.destroy();
  }
}

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item;
  return undefined;
}
