import type { RequestOptions } from 'node:https';
import tls from 'node:tls';
import { ipFamily } from '../../lib/cidr.js';
import type { TlsMaterial } from '../auth/connection.js';

/**
 * What a request is sent with. An address is no server name (RFC 6066 section 3), and newer versions of Node refuse it
 * as one: the certificate is then checked for it, and no name is sent.
 */
export function tlsOptions({ servername, ...material }: TlsMaterial): RequestOptions {
  if (servername === undefined) return material;
  if (ipFamily(servername) === 0) return { ...material, servername };
  return {
    ...material,
    servername: '',
    checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(servername, certificate),
  };
}
