import type { Milliseconds } from '../lib/units.js';
import type { Attempt, UpstreamTransport } from './attempt.js';
import { OutstandingIds } from './outstanding-ids.js';
import type { UpstreamState } from './upstream-state.js';

/** What carries queries to an upstream, a socket or a connection: the queries in flight on it, and its retirement. */
export abstract class UpstreamConnection implements UpstreamTransport {
  readonly inFlight = new OutstandingIds();
  /** Messages sent. */
  uses = 0;
  lastUsed: Milliseconds;
  private retired = false;

  constructor(
    protected readonly peer: UpstreamState,
    now: Milliseconds,
  ) {
    this.lastUsed = now;
  }

  /** Closes the line; queries in flight end untold. */
  abstract close(): void;

  abstract timeout(): Error;

  abstract forget(attempt: Attempt): void;

  /** Takes no more queries, and closes when the last one has ended. */
  retire(): void {
    this.retired = true;
    this.closeIfDone();
  }

  /** Forgets late ones, which may be the last that keep a retired line open. Returns how many. */
  dropAbandoned(time: Milliseconds): number {
    const dropped = this.inFlight.dropAbandoned(time);
    this.closeIfDone();
    return dropped;
  }

  /** Gives the attempt an id of this line, under which it is to be sent. */
  protected take(attempt: Attempt, now: Milliseconds): void {
    this.inFlight.add(attempt, this.peer.random);
    attempt.transport = this;
    attempt.takenAt = now;
    this.uses++;
    this.lastUsed = now;
  }

  /** Takes an attempt out that has ended. */
  protected remove(attempt: Attempt): void {
    this.inFlight.remove(attempt);
    attempt.transport = undefined;
    this.closeIfDone();
  }

  private closeIfDone(): void {
    if (this.retired && this.inFlight.size === 0) this.close();
  }
}
