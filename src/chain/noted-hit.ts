import type { Milliseconds, Octets } from '../lib/units.js';
import type { Address } from './client.js';
import type { Query } from './query.js';
import type { Reply } from './reply.js';

/** What a query that was answered with a shared answer had of its own. Its fields hold during the call only. */
export interface NotedHit {
  readonly id: number;
  /** Its second header word. */
  readonly queryFlags: number;
  /** Length of the message, in bytes. */
  readonly size: Octets;
  /** Largest reply that the client takes, as `Query.maxSize`. */
  readonly maxSize: Octets;
  readonly remote: Address;
  /** Between its arrival and its answer. */
  readonly elapsed: Milliseconds;
}

/** Told of each such query by itself, those of one client in order, some time after they were answered. */
export type HitNoter = (hit: NotedHit) => void;

/** A handler that has to know who asks what but need not be asked each time: it is told afterwards. */
export interface NotesHits {
  /** What is told of queries like `query` that get `reply`; undefined where nothing need be. */
  hitNoter(query: Query, reply: Reply): HitNoter | undefined;
}

export const notesHits = <T extends object>(handler: T): handler is T & NotesHits =>
  typeof (handler as Partial<NotesHits>).hitNoter === 'function';
