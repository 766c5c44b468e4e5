import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A server to compare: how it is started for each kind of work, or undefined where it cannot do that. */
export interface Peer {
  readonly name: string;
  readonly available: () => boolean;
  /** Whether it can be set up to serve a zone from a file. */
  readonly zones?: boolean;
  readonly command: (work: Work) => Command | undefined;
}

/** How a program is started. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
}

/** What a server is set up to do. */
export interface Work {
  readonly kind:
    'cache' | 'forward-udp' | 'forward-tcp' | 'forward-tls' | 'cluster' | 'zone' | 'small-zone' | 'signed-zone';
  readonly port: number;
  readonly upstream: number;
  /** Where it listens; 127.0.0.1 without it. Its clients have addresses of the same /24 network. */
  readonly address?: string;
  /** URL of the cluster's API. */
  readonly api?: string | undefined;
  /** Threads that take queries; undefined for as many as the server's core is good for. */
  readonly threads?: number | undefined;
}

/** Where a server listens. */
export const addressOf = ({ address = '127.0.0.1' }: Pick<Work, 'address'>): string => address;

/** Who may ask it, where it has to be told. */
export const clientsOf = (work: Pick<Work, 'address'>): string => addressOf(work).replace(/\d+$/, '0/24');

/** A folder for what the peers read and write. */
export const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-bench-'));

export function write(name: string, text: string): string {
  const file = path.join(dir, name);
  writeFileSync(file, text);
  return file;
}
