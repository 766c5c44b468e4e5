import type { Query } from './query.js';
import type { Outcome } from './reply.js';

/** Asks the handlers after this one. */
export type Next = (query: Query) => Outcome | Promise<Outcome>;

/**
 * One link of a server block's chain. It returns its reply, or what `next` returned, changed or not. A plain value
 * where nothing has to be waited
 * for, a promise only where something has. It throws only for faults of its own: those count as panics.
 */
export interface Handler {
  /** The directive's name. */
  readonly name: string;
  handle(query: Query, next: Next): Outcome | Promise<Outcome>;
}

/** A handler that can say whether it is ready to serve (asked by the `ready` plugin). */
export interface Readiness {
  ready(): boolean;
}

export const hasReadiness = (handler: Handler): handler is Handler & Readiness =>
  typeof (handler as Partial<Readiness>).ready === 'function';

/**
 * A handler that has to be asked every time, because it writes down each query or decides anew for each. One without
 * this method may be passed by for
 * replies that have a standing; what it counts it then learns through `Tallies`.
 */
export interface SeesEveryQuery {
  seesEveryQuery(): boolean;
}

/** A handler that wraps what comes back and so stands as the writer of the reply in `coredns_dns_responses_total`. */
export interface WrapsReply {
  readonly wrapsReply: boolean;
}

export const seesEveryQuery = (handler: Handler): boolean =>
  (handler as Partial<SeesEveryQuery>).seesEveryQuery?.() === true;
