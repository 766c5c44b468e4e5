import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds, Octets } from '../../lib/units.js';
import { TapStream } from './frame-stream.js';

/** What is there is sent after this time at the latest. */
const FLUSH: Milliseconds = 100;
/** How much is written at a time, and what is enough to be written at once. */
const BATCH: Octets = 64 << 10;
/** How often a reader that is not there is looked for, and how often what was dropped is reported. */
const RETRY: Milliseconds = 10_000;
/** Opening a connection and agreeing on what to say may take this long. */
const PATIENCE: Milliseconds = 4000;
/** At the end the reader has this long to take what is there. */
const LAST_WORDS: Milliseconds = 1000;

/** What a sender works with. */
export interface SenderParts {
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warning' | 'error'>;
  /** Messages that may wait; one more is dropped. */
  readonly most: number;
  /** Told of each message that is dropped. */
  dropped(count: number): void;
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
}

/**
 * Brings frames to one reader. Who has a frame never waits: it is kept as far as there is room, and dropped and
 * counted beyond.
 */
export class TapSender {
  private queue: Buffer[] = [];
  private octets: Octets = 0;
  private stream: TapStream | undefined;
  /** Of the connection that there is or that is being made. */
  private dialling: AbortController | undefined;
  private flushing: Timer | undefined;
  private retry: Timer | undefined;
  private blocked = false;
  private lost = 0;
  private stopped = false;

  constructor(private readonly parts: SenderParts) {}

  /** Begins to look for the reader. */
  start(): void {
    this.connect();
    this.again();
  }

  send(frame: Buffer): void {
    if (this.queue.length >= this.parts.most) return this.drop(1);
    this.queue.push(frame);
    this.octets += frame.length;
    if (this.octets >= BATCH) this.flush();
    else this.flushing ??= this.parts.clock.setTimeout(() => this.flush(), FLUSH);
  }

  /** Sends what the reader takes, and ends; resolves when the reader has it, or takes too long. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.flush();
    this.flushing?.cancel();
    this.retry?.cancel();
    const { stream, dialling } = this;
    if (stream !== undefined)
      await new Promise<void>((resolve) => {
        const timer = this.parts.clock.setTimeout(() => stream.destroy(), LAST_WORDS);
        stream.close(() => {
          timer.cancel();
          resolve();
        });
      });
    dialling?.abort(new Error('the server stops'));
    this.stream = undefined;
  }

  private flush(): void {
    this.flushing?.cancel();
    this.flushing = undefined;
    const { stream } = this;
    while (stream?.open === true && !this.blocked && this.queue.length > 0)
      this.blocked = !stream.write(this.batch(), () => {
        if (this.stream !== stream) return;
        this.blocked = false;
        this.flush();
      });
  }

  private batch(): Buffer {
    let length = 0;
    let count = 0;
    while (count < this.queue.length && length < BATCH) length += this.queue[count++]!.length;
    const frames = this.queue.splice(0, count);
    this.octets -= length;
    return Buffer.concat(frames, length);
  }

  private connect(): void {
    const { clock, log, dial } = this.parts;
    const dialling = (this.dialling = new AbortController());
    const failed = (error: Error): void => {
      timer.cancel();
      if (!this.stopped && !dialling.signal.aborted) log.error(`no connection to the reader: ${error.message}`);
      dialling.abort(error);
      if (this.dialling === dialling) this.ended();
    };
    const timer = clock.setTimeout(() => failed(new Error('it does not answer')), PATIENCE);
    dial(dialling.signal).then((connection) => {
      if (dialling.signal.aborted) return void connection.destroy();
      const opened = (): void => {
        timer.cancel();
        this.flush();
      };
      this.blocked = false;
      this.stream = new TapStream(connection, opened, failed);
    }, failed);
  }

  /** The connection is gone; a new one is made when it is next looked for. */
  private ended(): void {
    this.stream?.destroy();
    this.stream = undefined;
    this.dialling = undefined;
    this.blocked = false;
  }

  private again(): void {
    this.retry = this.parts.clock.setTimeout(() => {
      if (this.lost > 0) this.parts.log.warning(`Dropped dnstap messages: ${this.lost}`);
      this.lost = 0;
      if (this.dialling === undefined) this.connect();
      this.again();
    }, RETRY);
  }

  private drop(count: number): void {
    this.lost += count;
    this.parts.dropped(count);
  }
}
