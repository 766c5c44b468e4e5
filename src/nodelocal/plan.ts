import { nodeCacheRules, type PlacedRule } from '../datapath/netfilter/node-cache-rules.js';
import { ipFamily } from '../lib/cidr.js';
import type { NodeCacheOptions } from './flags.js';

/** A link that holds the served addresses. */
export interface LinkPlan {
  readonly name: string;
  /** With prefix length, each a block of one: `169.254.20.10/32`. */
  readonly addresses: readonly string[];
}

/** A netfilter rule that a node cache wants. */
export interface PlannedRule {
  readonly family: 4 | 6;
  readonly table: 'raw' | 'filter';
  readonly chain: string;
  /** The rule in the words of iptables-save, as arguments that follow the chain. */
  readonly args: readonly string[];
  /** As a line of iptables-save. */
  readonly line: string;
  readonly protocol: 'tcp' | 'udp';
  /** Whether `address` and `port` are where a packet goes to or comes from. */
  readonly side: 'to' | 'from';
  readonly address: string;
  readonly port: number;
  readonly comment: string;
}

/** What a node has to have for the cache to be reached. */
export interface NetworkPlan {
  readonly link: LinkPlan | undefined;
  /** In the order in which they are put at the head of their chains, so that a list shows the last one first. */
  readonly rules: readonly PlannedRule[];
}

/** How all comments of node-cache's rules begin, by which its rules are told from others. */
export const COMMENT_PREFIX = 'NodeLocal DNS Cache: ';

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
    rules: options.setupRules ? nodeCacheRules(localIps, healthPort, dnsPort).map(planned) : [],
  };
}

function planned({ table, chain, rule }: PlacedRule): PlannedRule {
  const { match, text } = rule;
  const args = words(text);
  const address = args[args.findIndex((word) => word === '-s' || word === '-d') + 1]!.replace(/\/.*$/, '');
  return {
    table: table as PlannedRule['table'],
    chain,
    args,
    line: `-A ${chain} ${text}`,
    family: ipFamily(address) === 4 ? 4 : 6,
    address,
    protocol: match.protocol === 'UDP' ? 'udp' : 'tcp',
    side: match.source ? 'from' : 'to',
    port: (match.sport ?? match.dport)!,
    comment: args[args.indexOf('--comment') + 1]!,
  };
}

/** The words of a line of iptables-save; quotes hold one together. */
export const words = (line: string): string[] =>
  [...line.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, quoted]) => quoted?.replace(/\\(.)/g, '$1') ?? word);

/** A rule as node-cache writes it to its log. */
export function describeRule(rule: PlannedRule): string {
  const side = rule.side === 'to' ? `-d ${rule.address} --dport` : `-s ${rule.address} --sport`;
  return `{${rule.table} ${rule.chain} [-p ${rule.protocol} ${side} ${rule.port} -j ${target(rule)} -m comment --comment ${rule.comment}]}`;
}

export const target = (rule: PlannedRule): string => rule.args.at(-1)!;

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
      own.filter((rule) => rule.table === table && rule.chain === chain).map((rule) => rule.line),
    ),
  ]);
}
