import type { Name } from '../wire/index.js';
import type { Duplex } from 'node:stream';

/** A handler that knows when its names answer otherwise (asked by the `push` plugin). */
export interface ProvidesChanges {
  /** The zones whose changes it tells, in lower case. */
  readonly changingZones: readonly Name[];
  /**
   * Tells `changed` of each name, in lower case, that it and those below it may be answered otherwise from now on, until
   * the returned function is called.
   */
  followChanges(changed: (name: Name) => void): () => void;
}

export const providesChanges = <T extends object>(handler: T): handler is T & ProvidesChanges =>
  typeof (handler as Partial<ProvidesChanges>).followChanges === 'function';

/** A handler that keeps replies, or makes queries wait for those to others (told by `push` and `subscribe`). */
export interface TakesChanges {
  /** It is told of changes in a zone from now on. */
  expectChanges(zone: Name): void;
  /**
   * Names have changed, each with all below it: no reply that was asked for before now may be given to who asks from
   * now on.
   */
  namesChanged(names: readonly Name[]): void;
}

export const takesChanges = <T extends object>(handler: T): handler is T & TakesChanges =>
  typeof (handler as Partial<TakesChanges>).namesChanged === 'function';

/** Where a handler sends queries, for who wants to ask for changes there. */
export interface SessionUpstream {
  /** `10.96.0.10:53`: the `to` label of metrics. */
  readonly label: string;
  /** Opens a connection for messages, each behind its length. Aborting `signal` rejects and leaves nothing behind. */
  connect(signal: AbortSignal): Promise<Duplex>;
}

/** A handler that asks upstreams (asked by the `subscribe` plugin). */
export interface ProvidesUpstreams {
  /** Those that connections can be opened to. From the start on. */
  upstreams(): readonly SessionUpstream[];
}

export const providesUpstreams = <T extends object>(handler: T): handler is T & ProvidesUpstreams =>
  typeof (handler as Partial<ProvidesUpstreams>).upstreams === 'function';
