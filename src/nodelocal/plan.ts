import { nodeCacheRules, type NodeCacheRule } from '../iptables/node-cache-rules.js';
import { ruleLine } from '../iptables/rule-text.js';
import { ipFamily } from '../lib/cidr.js';
import type { NodeCacheOptions } from './flags.js';

/** A link that holds the served addresses. */
export interface LinkPlan {
  readonly name: string;
  /** With prefix length, each a block of one: `169.254.20.10/32`. */
  readonly addresses: readonly string[];
}

/** What a node has to have for the cache to be reached. */
export interface NetworkPlan {
  readonly link: LinkPlan | undefined;
  /** In the order in which they are put at the head of their chains, so that a list shows the last one first. */
  readonly rules: readonly NodeCacheRule[];
}

/** What the flags ask for. */
export function networkPlan(
  options: Pick<
    NodeCacheOptions,
    'localIps' | 'dnsPort' | 'healthPort' | 'setupInterface' | 'setupRules' | 'interfaceName'
  >,
): NetworkPlan {
  const { localIps, dnsPort, healthPort } = options;
  return {
    link: options.setupInterface
      ? { name: options.interfaceName, addresses: localIps.map((ip) => `${ip}/${ipFamily(ip) === 4 ? 32 : 128}`) }
      : undefined,
    rules: options.setupRules ? nodeCacheRules(localIps, healthPort, dnsPort) : [],
  };
}

/** A rule as node-cache writes it to its log. */
export function describeRule(rule: NodeCacheRule): string {
  const side = rule.side === 'to' ? `-d ${rule.address} --dport` : `-s ${rule.address} --sport`;
  return `{${rule.table} ${rule.chain} [-p ${rule.protocol} ${side} ${rule.port} -j ${rule.target} -m comment --comment ${rule.comment}]}`;
}

const CHAINS = { raw: ['PREROUTING', 'OUTPUT'], filter: ['INPUT', 'OUTPUT'] } as const;

/**
 * The rules as iptables-save (family 4) or ip6tables-save lists them when they are in place: `*raw` and its lines,
 * then `*filter` and its own.
 */
export function listedRules(plan: NetworkPlan, family: 4 | 6): string[] {
  const own = plan.rules.filter((rule) => rule.family === family).reverse();
  if (own.length === 0) return [];
  return (['raw', 'filter'] as const).flatMap((table) => [
    `*${table}`,
    ...CHAINS[table].flatMap((chain) =>
      own.filter((rule) => rule.table === table && rule.chain === chain).map(ruleLine),
    ),
  ]);
}
