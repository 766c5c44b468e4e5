import type { Milliseconds, Octets } from '../lib/units.js';

/** Bounds on what TCP clients may keep busy, those of all listening addresses together. */
export interface TcpLimits {
  /** Open connections, at least 1; one more closes the one that has been silent for longest. */
  readonly connections: number;
  /** Queries of one connection that may wait for their answers; reading pauses at that number. */
  readonly pending: number;
  /** A connection without queries under way is closed this long after its last answer (RFC 7766 section 6.2.3). */
  readonly idle: Milliseconds;
  /** A message must be complete this long after its first byte. */
  readonly read: Milliseconds;
  /** A client that takes nothing of the answers that wait for it is closed after this time. */
  readonly write: Milliseconds;
  /** Bytes that may wait to be taken by a client; reading pauses beyond, and no more of its queries are answered. */
  readonly unsent: Octets;
  /** Bytes that all connections together may keep; beyond, those go first that have taken nothing for longest. */
  readonly held: Octets;
}

export const DEFAULT_TCP_LIMITS: TcpLimits = {
  connections: 10_000,
  pending: 256,
  idle: 10_000,
  read: 3000,
  write: 10_000,
  unsent: 64 << 10,
  held: 12 << 20,
};
