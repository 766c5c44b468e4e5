import { Worker } from 'node:worker_threads';

/** The threads' program, beside this file and of its kind. */
export const PROGRAM = new URL(`./worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);

/**
 * Begins a thread that takes datagrams: it loads its program and waits for the message that says what to work on. It
 * keeps no process alive.
 *
 * @param started runs when the thread runs
 */
export function beginThread(program: URL, started?: () => void): Worker {
  const worker = new Worker(program, {
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 },
  });
  worker.unref();
  if (started) worker.once('online', started);
  // Without a listener an error would end the process; what to do about it is decided when the thread has ended.
  worker.on('error', () => undefined);
  return worker;
}

/** Threads that were begun before anybody knew what they are to work on. */
export class StartingThreads {
  constructor(private readonly begun: Worker[]) {}

  /** @param started runs whenever one of them runs */
  static begin(count: number, started?: () => void): StartingThreads {
    return new StartingThreads(Array.from({ length: count }, () => beginThread(PROGRAM, started)));
  }

  /** One that runs, or is about to; undefined when there is none left. */
  take(): Worker | undefined {
    let worker = this.begun.pop();
    while (worker !== undefined && worker.threadId === -1) worker = this.begun.pop();
    return worker;
  }

  /** Ends those that nobody took. */
  endRest(): void {
    for (const worker of this.begun.splice(0)) void worker.terminate();
  }
}
