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

  /** Takes no more queries, and closes when the last one has ended. */
  retire(): void {
    this.retired = true;
    this.closeIfDone();
  }

  forget(attempt: Attempt): void {
    this.inFlight.remove(attempt);
    this.closeIfDone();
  }

  /** Forgets late ones, which may be the last that keep a retired line open. */
  dropAbandoned(time: Milliseconds): void {
    this.inFlight.dropAbandoned(time);
    this.closeIfDone();
  }

  /** Gives the attempt an id of this line, under which it is to be sent. */
  protected take(attempt: Attempt): void {
    this.inFlight.add(attempt, this.peer.random);
    attempt.carrier = this;
    this.uses++;
    this.lastUsed = attempt.sentAt;
  }

  /** Hands a message, whole with its header, to the query that it answers. True when that query is over. */
  protected deliver(bytes: Buffer): boolean {
    const attempt = this.inFlight.get((bytes[0]! << 8) | bytes[1]!);
    if (!this.peer.deliver(attempt, bytes)) return false;
    attempt!.carrier = undefined;
    this.forget(attempt!);
    return true;
  }

  private closeIfDone(): void {
    if (this.retired && this.inFlight.size === 0) this.close();
  }
}
