import type { Milliseconds } from '../lib/units.js';
import type { Attempt, Carrier } from './attempt.js';
import { InFlight } from './in-flight.js';
import type { Peer } from './peer.js';

/** What carries queries to an upstream, a socket or a connection: the queries in flight on it, and its retirement. */
export abstract class Line implements Carrier {
  readonly inFlight = new InFlight();
  /** Messages sent. */
  uses = 0;
  lastUsed: Milliseconds;
  private retired = false;

  constructor(
    protected readonly peer: Peer,
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
    attempt.carrier = this;
    attempt.takenAt = now;
    this.uses++;
    this.lastUsed = now;
  }

  /** Takes an attempt out that has ended. */
  protected remove(attempt: Attempt): void {
    this.inFlight.remove(attempt);
    attempt.carrier = undefined;
    this.closeIfDone();
  }

  private closeIfDone(): void {
    if (this.retired && this.inFlight.size === 0) this.close();
  }
}
