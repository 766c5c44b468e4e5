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
  /** URL of the cluster's API. */
  readonly api?: string | undefined;
  /** Threads that take queries; undefined for as many as the server's core is good for. */
  readonly threads?: number | undefined;
}

/** A folder for what the peers read and write. */
export const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-bench-'));

export function write(name: string, text: string): string {
  const file = path.join(dir, name);
  writeFileSync(file, text);
  return file;
}
