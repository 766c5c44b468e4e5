import { canonicalIp, ipFamily } from '../lib/cidr.js';

/** One rule that a node cache wants in front of a built-in chain, as data. */
export interface NodeCacheRule {
  readonly family: 4 | 6;
  readonly table: 'raw' | 'filter';
  readonly chain: 'PREROUTING' | 'INPUT' | 'OUTPUT';
  readonly protocol: 'tcp' | 'udp';
  /** Whether `address` and `port` are where a packet goes to or where it comes from. */
  readonly side: 'to' | 'from';
  /** In canonical spelling, without prefix length. */
  readonly address: string;
  readonly port: number;
  readonly target: 'NOTRACK' | 'ACCEPT';
  /** Begins with {@link COMMENT_PREFIX}. */
  readonly comment: string;
}

/** How the comments of all rules of node caches begin; it tells their rules from others. */
export const COMMENT_PREFIX = 'NodeLocal DNS Cache: ';

const COMMENTS = {
  NOTRACK: `${COMMENT_PREFIX}skip conntrack`,
  ACCEPT: `${COMMENT_PREFIX}allow DNS traffic`,
} as const;

/** The twelve rules of one address, in the order in which node-cache inserts them. */
const TEMPLATE = [
  ['raw', 'PREROUTING', 'tcp', 'to', 'dns', 'NOTRACK'],
  ['raw', 'PREROUTING', 'udp', 'to', 'dns', 'NOTRACK'],
  ['filter', 'INPUT', 'tcp', 'to', 'dns', 'ACCEPT'],
  ['filter', 'INPUT', 'udp', 'to', 'dns', 'ACCEPT'],
  ['raw', 'OUTPUT', 'tcp', 'from', 'dns', 'NOTRACK'],
  ['raw', 'OUTPUT', 'udp', 'from', 'dns', 'NOTRACK'],
  ['filter', 'OUTPUT', 'tcp', 'from', 'dns', 'ACCEPT'],
  ['filter', 'OUTPUT', 'udp', 'from', 'dns', 'ACCEPT'],
  ['raw', 'OUTPUT', 'tcp', 'to', 'dns', 'NOTRACK'],
  ['raw', 'OUTPUT', 'udp', 'to', 'dns', 'NOTRACK'],
  ['raw', 'OUTPUT', 'tcp', 'to', 'health', 'NOTRACK'],
  ['raw', 'OUTPUT', 'tcp', 'from', 'health', 'NOTRACK'],
] as const;

/**
 * The rules of a node cache for the addresses that it serves, in the order in which they are inserted at the head of
 * their chains: a listing shows them the other way round. Throws a RangeError for an address that is none.
 */
export function nodeCacheRules(localIps: readonly string[], healthPort = 8080, dnsPort = 53): readonly NodeCacheRule[] {
  const ports = { dns: dnsPort, health: healthPort };
  return localIps.flatMap((ip) => {
    const address = canonicalIp(ip);
    if (address === undefined) throw new RangeError(`"${ip}" is not an IP address`);
    const family = ipFamily(address) === 4 ? 4 : 6;
    return TEMPLATE.map(([table, chain, protocol, side, port, target]): NodeCacheRule => ({
      family,
      table,
      chain,
      protocol,
      side,
      address,
      port: ports[port],
      target,
      comment: COMMENTS[target],
    }));
  });
}
