import type { Readable } from 'node:stream';
import type { ApiCredentials } from '../auth/connection.js';

/** What goes to an API: a GET in all cases. */
export interface ApiQuestion {
  /** Path and query. */
  readonly target: string;
  readonly headers: ApiCredentials['headers'];
  readonly tls: ApiCredentials['tls'];
  readonly signal: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  /** Empty when it is missing or comes more than once. */
  header(name: string): string;
  /** Destroying it gives the request up. */
  readonly body: Readable;
  /** To be asked when the body has ended: rejects where it was broken off. */
  ended(): Promise<void>;
}

export function headerOf(headers: Readonly<Record<string, unknown>>, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}
