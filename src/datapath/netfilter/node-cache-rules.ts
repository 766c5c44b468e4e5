import { nodeCacheRules, type NodeCacheRule } from '../../iptables/node-cache-rules.js';
import { ruleText } from '../../iptables/rule-text.js';
import { parseCidr } from '../../lib/cidr.js';
import type { NetfilterRule } from './rule.js';
import type { Netfilter, TableName } from './tables.js';

export interface PlacedRule {
  readonly table: TableName;
  readonly chain: string;
  readonly rule: NetfilterRule;
}

/** The rules of a node cache for its local addresses as the model evaluates them, in the order of their insertion. */
export const placedRules = (...args: Parameters<typeof nodeCacheRules>): readonly PlacedRule[] =>
  nodeCacheRules(...args).map(placed);

function placed(rule: NodeCacheRule): PlacedRule {
  const address = { cidr: parseCidr(rule.address)!, not: false };
  const protocol = rule.protocol === 'udp' ? ('UDP' as const) : ('TCP' as const);
  return {
    table: rule.table,
    chain: rule.chain,
    rule: {
      match:
        rule.side === 'to'
          ? { destination: address, protocol, dport: rule.port }
          : { source: address, protocol, sport: rule.port },
      target: { kind: rule.target === 'NOTRACK' ? 'notrack' : 'accept' },
      text: ruleText(rule),
    },
  };
}

/** Inserts the rules that are missing; returns how many. */
export function ensureRules(netfilter: Netfilter, rules: readonly PlacedRule[]): number {
  const missing = rules.filter(({ table, chain, rule }) => !netfilter.has(table, chain, rule));
  for (const { table, chain, rule } of missing) netfilter.prepend(table, chain, rule);
  return missing.length;
}

/** Removes the rules that are there; returns how many. */
export function removeRules(netfilter: Netfilter, rules: readonly PlacedRule[]): number {
  return rules.filter(({ table, chain, rule }) => netfilter.delete(table, chain, rule)).length;
}
