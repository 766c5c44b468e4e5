import type { CorefileEntry } from '../corefile/index.js';
import { canonicalIp } from '../lib/cidr.js';
import type { HttpRoute } from './http.js';

/**
 * Where an HTTP endpoint listens, from `:8080`, `IP:PORT`, `[IPV6]:PORT` or `localhost:PORT` (the IPv4 loopback
 * address, as no name is looked up at start).
 * Throws a CorefileError at `entry` for anything else.
 */
export function httpAddress(entry: CorefileEntry, text: string): Pick<HttpRoute, 'address' | 'port'> {
  const { host, port } = entry.hostPort(text, { what: 'address' });
  if (host === 'localhost') return { address: '127.0.0.1', port };
  if (host !== '' && canonicalIp(host.replace(/%.*$/, '')) === undefined)
    entry.wrong(text, 'IP:PORT, [IPV6]:PORT, localhost:PORT, or :PORT for all addresses', 'address');
  return { address: canonicalIp(host) ?? host, port };
}
