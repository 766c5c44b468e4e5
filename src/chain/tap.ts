import type { Milliseconds } from '../lib/units.js';
import type { Address } from './client.js';
import type { Handler } from './handler.js';
import type { Query } from './query.js';

/** One question to an upstream, and its answer. Times are those of the wall clock. */
export interface TappedExchange {
  /** The client's query that it was asked for. */
  readonly query: Query;
  readonly protocol: 'udp' | 'tcp';
  /** This end, where it is known. */
  readonly from: Address | undefined;
  readonly to: Address;
  readonly sent: Milliseconds;
  readonly answered: Milliseconds | undefined;
  readonly question: Uint8Array;
  /** undefined where none came. */
  readonly answer: Uint8Array | undefined;
}

/** A handler that wants to hear of what goes to upstreams (asked by `forward`). */
export interface ProvidesTap {
  tap(exchange: TappedExchange): void;
}

export const hasTap = (handler: Handler): handler is Handler & ProvidesTap =>
  typeof (handler as Partial<ProvidesTap>).tap === 'function';
