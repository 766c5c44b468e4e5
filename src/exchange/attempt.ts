import type { Milliseconds } from '../lib/units.js';

/** The side that waits for an attempt's outcome. */
export interface AttemptListener {
  /**
   * A message with the attempt's id and question came from the upstream; `records` is the offset after its question.
   * Returns false to go on waiting for another one, as a datagram that makes no sense need not be the upstream's.
   */
  replied(attempt: Attempt, bytes: Buffer, records: number): boolean;
  /** A message with the attempt's id but another question came. The wait goes on. */
  mismatched(attempt: Attempt): void;
  /**
   * Something says that nothing will come, but it may be forged or wrong, as ICMP messages are (RFC 5927 section 2).
   * The wait goes on; an answer counts.
   */
  doubted(attempt: Attempt, error: Error): void;
  /** Nothing can come any more. */
  failed(attempt: Attempt, error: Error): void;
}

/** What an attempt is under way on: a socket, a connection, or one that is being opened. */
export interface UpstreamTransport {
  /** Nobody waits for the attempt any more. */
  forget(attempt: Attempt): void;
  /** Why a wait on this transport ends when its time is up. */
  timeout(): Error;
}

/**
 * One message sent to one upstream once. A question that is asked again, or elsewhere, is a new attempt with an id of
 * its own.
 */
export class Attempt {
  /** The id it travels under; drawn by its transport. */
  id = 0;
  /** Letters of its name that are spelt otherwise on the way, see `turnCase`. */
  caseBits = 0;
  /** The client cookie that it was sent with; undefined for none. */
  cookie: Uint8Array | undefined;
  /** Undefined before it was sent and after it ended. */
  transport: UpstreamTransport | undefined;
  /** Monotonic time of sending. */
  sentAt: Milliseconds = 0;
  /** Monotonic time at which a connection took it; later than `sentAt` where it had to wait for one. */
  takenAt: Milliseconds = 0;
  /** Others were in flight on its connection when it was sent there. */
  queued = false;
  /** A later query on its connection was answered. */
  overtaken = false;
  /** The same question was sent before. */
  repeats = false;
  /** Sent once more over UDP, from a port of its own, because replies were forged where it was in flight, or the
   * reply said so. */
  moved = false;
  /** Is not to go down the socket that this one is in flight on. */
  apartFrom: Attempt | undefined;
  /** Sent a second time because a connection that had served others was closed. */
  resent = false;
  /** The same message on another connection. The first answer counts. */
  copy: Copy | undefined;

  /**
   * @param message the query; never altered, the id is put into a copy
   * @param questionEnd offset after its question
   */
  constructor(
    readonly message: Uint8Array,
    readonly questionEnd: number,
    public receiver: AttemptListener | undefined,
  ) {}

  /** Whether somebody waits for its outcome. */
  get awaited(): boolean {
    return this.receiver !== undefined;
  }

  /** Ends the attempt without an outcome. */
  cancel(): void {
    this.receiver = undefined;
    this.transport?.forget(this);
  }

  /** Nobody waits any more, but a late reply still tells how long the upstream takes. */
  abandon(): void {
    this.receiver = undefined;
    this.apartFrom = undefined;
  }
}

/** An attempt's message on a second connection; what comes of it is told as if it had come of the attempt. */
export class Copy extends Attempt {
  constructor(readonly original: Attempt) {
    super(original.message, original.questionEnd, new CopyReceiver(original));
    original.copy = this;
    this.sentAt = original.sentAt;
  }

  override get awaited(): boolean {
    return this.receiver !== undefined && this.original.receiver !== undefined;
  }
}

class CopyReceiver implements AttemptListener {
  constructor(private readonly original: Attempt) {}

  replied(_copy: Attempt, bytes: Buffer, records: number): boolean {
    const { original } = this;
    const { receiver } = original;
    if (receiver === undefined) return true;
    // It stays in flight where it is: its late answer is still to come there.
    original.receiver = undefined;
    return receiver.replied(original, bytes, records);
  }

  mismatched(): void {
    this.original.receiver?.mismatched(this.original);
  }

  doubted(): void {
    // Connections report nothing that is not so.
  }

  /** Tells a failure only when the original has failed too. */
  failed(_copy: Attempt, error: Error): void {
    const { original } = this;
    original.copy = undefined;
    if (original.transport === undefined) original.receiver?.failed(original, error);
  }
}
