import type { Scheme } from './scheme.js';
import type { Token } from './token.js';
import { failAt } from './token.js';
import { splitKey, zonesFromKey } from './zone.js';

/** One zone and port that a server block answers for. A key in CIDR notation gives several. */
export interface ServerKey {
  /** Lower case, trailing dot; `.` for the root. */
  readonly zone: string;
  /** 0 to 65535 (0: any free port); undefined for the default port of the server, or of the scheme. */
  readonly port: number | undefined;
  /** `dns` where none is written. */
  readonly scheme: Scheme;
  /** As written, environment filled in. */
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

/**
 * Reads a server block's key: `[SCHEME://]ZONE[:PORT]`, ZONE a domain name or an address block. A port alone (`:1053`)
 * means the root zone.
 *
 * @param text the token's text with the environment filled in
 * @throws CorefileError at the token's line
 */
export function parseServerKey(token: Token, text: string): ServerKey[] {
  try {
    const { scheme, zone, port } = splitKey(text);
    const zones = zone === '' && port !== undefined ? ['.'] : zonesFromKey(zone);
    return zones.map((name) => ({ zone: name, port, scheme, text, file: token.file, line: token.line }));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return failAt(token, `server block key '${text}': ${error.message}`);
  }
}
