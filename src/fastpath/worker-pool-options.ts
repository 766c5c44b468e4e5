import type { Logger } from '../lib/log.js';
import type { Octets } from '../lib/units.js';
import type { InheritedSockets } from '../net/inherited-sockets.js';
import type { Endpoint } from '../net/network.js';
import type { StartingThreads } from './starting-thread.js';
import type { TableMemory } from './table-memory.js';

/** What UDP workers to start. */
export interface WorkerPoolOptions {
  /** Threads, 1 to MAX_WORKERS. */
  readonly workers: number;
  /** Memory that shared answers may take, in bytes. */
  readonly memory: Octets;
  readonly log: Logger;
  readonly inherited?: InheritedSockets | undefined;
  /** Runs when a thread has started, also one that replaces another. */
  readonly started?: (() => void) | undefined;
  /** Answers before the threads see a datagram; its memory takes the place of `memory`. */
  readonly below?: AnswersBelow | undefined;
  /** Whether the threads count whom they answer. */
  readonly countClients?: boolean | undefined;
  /** Taken before others are begun; what is left of them ends. */
  readonly begun?: StartingThreads | undefined;
  readonly program?: URL;
}

/** What answers from the same table before a datagram reaches a socket. */
export interface AnswersBelow {
  readonly memory: TableMemory;
  /** Answers what comes to a listening address from now on; the returned function ends that. */
  serve(at: Endpoint, server: number): () => void;
  /** What became of queries so far, by name. */
  outcomes(): Readonly<Record<string, number>>;
  /** No answer any more. */
  close(): void;
}
