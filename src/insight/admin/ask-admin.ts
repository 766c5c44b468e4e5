import { readFileSync } from 'node:fs';
import { NodensError } from '../../lib/errors.js';
import type { Milliseconds } from '../../lib/units.js';
import { JsonClient } from '../../net/json-client.js';
import { adminAddressText, type AdminAddress } from '../../server/admin-flags.js';
import { socketFault } from './token.js';

/** Where to ask, and with what. */
export interface AdminCaller {
  readonly at: AdminAddress;
  readonly tokenFile?: string | undefined;
  /** The whole answer must be there after this time. */
  readonly timeout: Milliseconds;
}

/**
 * Asks a running server. Rejects with a NodensError where it cannot be reached, where its socket may be somebody
 * else's, and with the server's words where it refuses.
 */
export async function askAdmin(
  { at, tokenFile, timeout }: AdminCaller,
  path: string,
  params: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const place = adminAddressText(at);
  const fault = 'path' in at ? faultAt(at.path) : undefined;
  if (fault !== undefined) throw new NodensError('NODENS_SERVICE', `${place}: ${fault}`);
  const url = 'path' in at ? new URL(`unix://${encodeURI(at.path)}`) : new URL(`http://${place}`);
  const client = new JsonClient({ url });
  const token = tokenFile === undefined ? undefined : readFileSync(tokenFile, 'utf8').trim();
  try {
    const query = new URLSearchParams(params).toString();
    const { status, body } = await client.request({
      method: 'GET',
      path: query === '' ? path : `${path}?${query}`,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      timeout,
    });
    if (status === 200) return body;
    throw new NodensError('NODENS_SERVICE', `${place}: ${(body as { error?: string }).error ?? `status ${status}`}`);
  } finally {
    client.close();
  }
}

/** Why a socket is not asked; a socket that is not there says so when it is. */
function faultAt(path: string): string | undefined {
  try {
    return socketFault(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'there is no socket; -admin of the server names it';
    throw error;
  }
}
