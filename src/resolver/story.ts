import type { Milliseconds, Octets } from '../lib/units.js';
import type { Endpoint } from '../net/network.js';
import type { Message, Name } from '../wire/index.js';
import type { ProfileName } from './conf/settings.js';

export type QueryProtocol = 'udp' | 'tcp';

/** One query and what became of it. Times are of the clock's monotonic time. */
export interface QueryStory {
  readonly name: Name;
  readonly type: number;
  readonly id: number;
  readonly server: Endpoint;
  readonly protocol: QueryProtocol;
  /** Sockets are numbered from 0 in order of opening; queries with one number left from one port. */
  readonly socket: number;
  /** The socket's own end; undefined where it could not be opened. */
  readonly local: Endpoint | undefined;
  /** Whether the socket was connected to the server; an unconnected one names it in each datagram. */
  readonly connected: boolean;
  readonly started: Milliseconds;
  /** When its reply came, or when it was given up. */
  readonly ended: Milliseconds;
  /**
   * `NOERROR`, `NODATA`, `NXDOMAIN`, ...; `truncated`; `timeout`; or why nothing could be sent (`connection
   * refused`).
   */
  readonly result: string;
  readonly reply: Message | undefined;
  /** Length of the reply, 0 without one. */
  readonly size: Octets;
}

export type LookupErrorCode =
  'EAI_NONAME' | 'EAI_NODATA' | 'EAI_AGAIN' | 'EAI_FAIL' | 'NOTFOUND' | 'SERVER' | 'TIMEOUT';

export interface LookupError {
  readonly code: LookupErrorCode;
  /** As the library or program words it. */
  readonly text: string;
}

/** What a lookup cost. */
export interface LookupCost {
  readonly queries: number;
  /**
   * Packets both ways: a datagram is one; a TCP connection takes three to open and three to close, each message on it
   * one. Pure acknowledgements are not counted.
   */
  readonly packets: number;
  readonly sockets: number;
  readonly time: Milliseconds;
}

/** The whole story of a lookup. */
export interface LookupStory {
  readonly profile: ProfileName;
  /** As the caller wrote it. */
  readonly asked: string;
  /** Every name that was sent, in order, with closing dot. */
  readonly tried: readonly Name[];
  readonly queries: readonly QueryStory[];
  /** Addresses in the order in which the caller gets them; empty with an error. */
  readonly addresses: readonly string[];
  /** The name that the addresses belong to, without closing dot; undefined with an error. */
  readonly canonical: string | undefined;
  readonly error: LookupError | undefined;
  readonly cost: LookupCost;
}

export function costOf(queries: readonly QueryStory[], time: Milliseconds): LookupCost {
  let packets = 0;
  const streams = new Set<number>();
  for (const { protocol, socket, reply, local } of queries) {
    if (local === undefined) continue;
    packets += reply === undefined ? 1 : 2;
    if (protocol === 'tcp' && !streams.has(socket)) packets += 6;
    if (protocol === 'tcp') streams.add(socket);
  }
  return { queries: queries.length, packets, sockets: new Set(queries.map((query) => query.socket)).size, time };
}

/** The names in order of first sending. */
export const triedNames = (queries: readonly QueryStory[]): Name[] => [...new Set(queries.map((query) => query.name))];
