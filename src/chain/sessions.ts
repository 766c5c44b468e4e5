import type { Milliseconds } from '../lib/units.js';
import type { Client } from './client.js';

/** A client's connection, as DNS Stateful Operations (RFC 8490) see it. */
export interface SessionLine {
  readonly client: Client;
  /** So much waits for the client that `drained` will tell when it is taken. */
  readonly full: boolean;
  /** Sends a message with 2 bytes free in front, which several lines may be given. */
  send(message: Buffer): void;
  /** Ends the connection at once. */
  close(): void;
}

/** What goes on beside queries on one connection. */
export interface DnsSession {
  /** How long the connection may stay without a message from the client; undefined for the bounds that others have. */
  readonly silence: Milliseconds | undefined;
  /** A message of opcode DSO came. The bytes are the connection's again when this returns. */
  receive(message: Buffer): void;
  /** The client of a line that was full has taken what waited for it. */
  drained(): void;
  /** The connection is gone. */
  ended(): void;
}

/** Takes messages of DNS Stateful Operations at the listening addresses of a block (`push`). */
export interface SessionHost {
  /** The first such message has come on a connection. */
  open(line: SessionLine): DnsSession;
}
