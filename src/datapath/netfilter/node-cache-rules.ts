import { parseIp } from '../../lib/cidr.js';
import type { Netfilter, TableName } from './tables.js';
import { rule } from './rule.js';
import type { NetfilterRule } from './rule.js';

export interface PlacedRule {
  readonly table: TableName;
  readonly chain: string;
  readonly rule: NetfilterRule;
}

const SKIP = 'NodeLocal DNS Cache: skip conntrack';
const ALLOW = 'NodeLocal DNS Cache: allow DNS traffic';

/**
 * The rules of the node cache for its local addresses, in the order in which they are inserted at the head of their
 * chains: a listing shows them the other way round. Twelve for each address.
 */
export function nodeCacheRules(localIps: readonly string[], healthPort = 8080, dnsPort = 53): readonly PlacedRule[] {
  return localIps.flatMap((ip) => {
    const host = `${ip}/${parseIp(ip)?.length === 16 ? 128 : 32}`;
    const to = (protocol: 'udp' | 'tcp', port: number, comment: string) =>
      rule().destination(host).protocol(protocol).port(protocol, 'dport', port).comment(comment);
    const from = (protocol: 'udp' | 'tcp', port: number, comment: string) =>
      rule().source(host).protocol(protocol).port(protocol, 'sport', port).comment(comment);
    const place =
      (table: TableName, chain: string) =>
      (made: NetfilterRule): PlacedRule => ({ table, chain, rule: made });
    return [
      ...[to('tcp', dnsPort, SKIP).notrack(), to('udp', dnsPort, SKIP).notrack()].map(place('raw', 'PREROUTING')),
      ...[to('tcp', dnsPort, ALLOW).accept(), to('udp', dnsPort, ALLOW).accept()].map(place('filter', 'INPUT')),
      ...[from('tcp', dnsPort, SKIP).notrack(), from('udp', dnsPort, SKIP).notrack()].map(place('raw', 'OUTPUT')),
      ...[from('tcp', dnsPort, ALLOW).accept(), from('udp', dnsPort, ALLOW).accept()].map(place('filter', 'OUTPUT')),
      ...[
        to('tcp', dnsPort, SKIP).notrack(),
        to('udp', dnsPort, SKIP).notrack(),
        to('tcp', healthPort, SKIP).notrack(),
        from('tcp', healthPort, SKIP).notrack(),
      ].map(place('raw', 'OUTPUT')),
    ];
  });
}

/** Inserts the rules that are missing; returns how many. */
export function ensureRules(netfilter: Netfilter, rules: readonly PlacedRule[]): number {
  const missing = rules.filter((placed) => !netfilter.has(placed.table, placed.chain, placed.rule));
  for (const placed of missing) netfilter.prepend(placed.table, placed.chain, placed.rule);
  return missing.length;
}

/** Removes the rules that are there; returns how many. */
export function removeRules(netfilter: Netfilter, rules: readonly PlacedRule[]): number {
  return rules.filter((placed) => netfilter.delete(placed.table, placed.chain, placed.rule)).length;
}
