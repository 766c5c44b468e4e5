import { constants, fstatSync, openSync } from 'node:fs';
import type Pino from 'pino';
import { loadPackage } from '../lib/package.js';
import type { Milliseconds, Octets } from '../lib/units.js';

const pino = loadPackage('pino') as typeof Pino;

/** What may wait for whoever reads the log; lines beyond are lost, and counted. */
const LONGEST_QUEUE: Octets = 4 << 20;

/** Where lines go: a pino destination, or anything with a `write`. */
export interface LogDestination extends Pino.DestinationStream {
  /** Writes what is held back, and gives up after `limit`. */
  finish?(limit: Milliseconds): Promise<LogEnd>;
}

/** How a log came to its end: `stuck` is a thread that waits for the reader, and keeps the process from its end. */
export type LogEnd = 'written' | 'given up' | 'stuck';

/**
 * A descriptor as a destination for lines, written in batches while an earlier write is under way. A reader that takes
 * nothing costs no more than the queue: lines are lost then, and a line says how many once there is room.
 */
export class LogOutput implements LogDestination {
  private readonly stream;
  private lost = 0;
  /** Whether a write may wait. */
  private readonly waits: boolean;
  /** Whether lines wait to be written. */
  private waiting = false;
  /** Called when none do any more. */
  private written = (): void => undefined;
  /** Nobody reads any more. */
  private broken = false;

  /** @param lossLine the line that tells of so many lost ones */
  constructor(
    fd: number,
    private readonly lossLine: (lines: number) => string,
    longestQueue: Octets = LONGEST_QUEUE,
  ) {
    const own = nonBlocking(fd);
    this.waits = own === fd;
    this.stream = pino.destination({ fd: own, sync: false, maxLength: longestQueue });
    this.stream.on('drop', (lines: string) => (this.lost += lines.split('\n').length - 1));
    this.stream.on('drain', () => {
      this.waiting = false;
      this.tell();
      if (!this.waiting) this.written();
    });
    // Who reads may end before this program does: lines go nowhere then.
    this.stream.on('error', () => {
      this.broken = true;
      this.written();
    });
  }

  /** Takes one line or more, each with its end. */
  write(lines: string): void {
    if (this.broken) return;
    this.waiting = true;
    this.stream.write(lines);
  }

  async finish(limit: Milliseconds): Promise<LogEnd> {
    if (!this.waiting || this.broken) return 'written';
    const late = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), limit);
      this.written = () => {
        clearTimeout(timer);
        resolve(false);
      };
    });
    if (!late) return 'written';
    // What is left would be written, and waited for, when the process ends.
    this.stream.destroy();
    return this.waits ? 'stuck' : 'given up';
  }

  private tell(): void {
    if (this.lost === 0) return;
    const { lost } = this;
    this.lost = 0;
    this.write(this.lossLine(lost));
  }
}

/**
 * The descriptor of a pipe once more, for writes that never wait: a thread that waits in one cannot be ended, nor can
 * its process. The other users of the pipe notice nothing, as they would of a flag. Where that is not allowed, and for
 * what is no pipe, the descriptor itself.
 */
function nonBlocking(fd: number): number {
  try {
    if (fstatSync(fd).isFIFO()) return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // Said above.
  }
  return fd;
}
