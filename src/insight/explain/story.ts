import type { FilePlace } from '../../lib/errors.js';
import type { TrailNote } from '../../chain/index.js';
import type { Milliseconds } from '../../lib/units.js';

/** An extended DNS error of an answer (RFC 8914). */
export interface ToldError {
  readonly code: number;
  readonly name: string;
  readonly text: string;
}

/** What became of one query at one server: of a live one, of a recorded one, or of one in the lab. Plain data. */
export interface Story {
  readonly name: string;
  /** `A`, `SRV`, `TYPE65280`. */
  readonly type: string;
  /** The handler that answered; undefined where none did. */
  readonly answeredBy: { readonly name: string; readonly place?: FilePlace | undefined } | undefined;
  /** Whether the server block has a cache. */
  readonly cached: boolean;
  /** Names of handlers that have not what they need to answer. */
  readonly unready: readonly string[];
  readonly notes: readonly TrailNote[];
  /** `NOERROR`, `NODATA`, `NXDOMAIN`, ...; undefined for silence. */
  readonly result: string | undefined;
  readonly errors: readonly ToldError[];
  /** See `Inspection`. */
  readonly end: 'answered' | 'dropped' | 'fault' | 'overdue' | 'no-block';
  /** What a handler says is the cause, or what it threw. */
  readonly cause?: string | undefined;
  readonly time: Milliseconds;
  /** What was found out about upstreams that left a query unanswered, by their address. */
  readonly upstreams?: Readonly<Record<string, TcpFinding>>;
  /** A probe came back to this server: its upstreams lead here. */
  readonly loops?: boolean;
}

/**
 * What an upstream that is silent over UDP does over TCP: it `answers`; takes the connection and `hangs`; `refuses` it,
 * as nothing listens there; or is `away`, as nothing comes back at all.
 */
export type TcpFinding = 'answers' | 'hangs' | 'refuses' | 'away';
