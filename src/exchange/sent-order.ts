import type { Attempt, UpstreamTransport } from './attempt.js';

/** Entries that may be kept beyond those in flight before the list is made anew. */
const SPARE = 256;

/** The attempts of one connection in the order in which they were sent. */
export class SentOrder {
  private list: Attempt[] = [];
  private first = 0;

  constructor(private readonly connection: UpstreamTransport) {}

  add(attempt: Attempt): void {
    this.list.push(attempt);
  }

  /**
   * Notes that an attempt has ended, whose `transport` is no longer the connection. Returns whether it was answered
   * after one that was sent later: the server works on several queries at once. (That an answer comes before another
   * one shows nothing yet: the other query may have been dropped.)
   */
  ended(attempt: Attempt, inFlight: number): boolean {
    const head = this.list[this.first];
    if (head !== attempt) {
      if (head !== undefined) head.overtaken = true;
      if (this.list.length - this.first > inFlight + SPARE) this.compact();
      return attempt.overtaken;
    }
    do this.first++;
    while (this.first < this.list.length && this.list[this.first]!.transport !== this.connection);
    if (this.first === this.list.length) this.clear();
    else if (this.first > SPARE) this.compact();
    return attempt.overtaken;
  }

  /** Those that stand behind the oldest one in flight. */
  queued(): Attempt[] {
    this.compact();
    return this.list.slice(1);
  }

  /** All in flight, the oldest first. */
  all(): readonly Attempt[] {
    this.compact();
    return this.list;
  }

  clear(): void {
    this.list = [];
    this.first = 0;
  }

  private compact(): void {
    this.list = this.list.filter(({ transport }, i) => i >= this.first && transport === this.connection);
    this.first = 0;
  }
}
