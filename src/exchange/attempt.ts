import type { Milliseconds } from '../lib/units.js';

/** The side that waits for an attempt's outcome. */
export interface Receiver {
  /**
   * A message with the attempt's id and question came from the upstream; `records` is the offset after its question.
   * Returns false to go on waiting
   * for another one, as a datagram that makes no sense need not be the upstream's.
   */
  replied(attempt: Attempt, bytes: Buffer, records: number): boolean;
  /** A message with the attempt's id but another question came. The wait goes on. */
  mismatched(attempt: Attempt): void;
  /** Nothing can come any more. */
  failed(attempt: Attempt, error: Error): void;
}

/** What an attempt is under way on: a socket, a connection, or one that is being opened. */
export interface Carrier {
  /** Forgets the attempt; its reply is then a stray. */
  forget(attempt: Attempt): void;
  /** Why a wait on this carrier ends when its time is up. */
  timeout(): Error;
}

/**
 * One message sent to one upstream once. A question that is asked again, or elsewhere, is a new attempt with an id of
 * its own.
 */
export class Attempt {
  /** The id it travels under; drawn by its carrier. */
  id = 0;
  /** Undefined before it was sent and after it ended. */
  carrier: Carrier | undefined;
  /** Monotonic time of sending. */
  sentAt: Milliseconds = 0;
  /** Sent a second time because a connection that had served others was closed. */
  resent = false;

  /**
   * @param message the query; never altered, the id is put into a copy
   * @param questionEnd offset after its question
   */
  constructor(
    readonly message: Uint8Array,
    readonly questionEnd: number,
    public receiver: Receiver | undefined,
  ) {}

  /** Ends the attempt without an outcome. */
  cancel(): void {
    this.receiver = undefined;
    this.carrier?.forget(this);
    this.carrier = undefined;
  }

  /** Nobody waits any more, but a late reply still tells how long the upstream takes. */
  abandon(): void {
    this.receiver = undefined;
  }
}
