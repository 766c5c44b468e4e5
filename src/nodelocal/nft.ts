import type { NodeCacheRule } from '../iptables/node-cache-rules.js';
import { describeRule, type NetworkPlan } from './plan.js';
import type { Report } from './report.js';
import { RunError, output, type RunCommand } from './run.js';

/** Chains of the table: where they sit in the kernel, and which rules of the plan they take. */
const CHAINS = [
  { name: 'raw_prerouting', hook: 'prerouting', priority: 'raw', table: 'raw', chain: 'PREROUTING' },
  { name: 'raw_output', hook: 'output', priority: 'raw', table: 'raw', chain: 'OUTPUT' },
  { name: 'filter_input', hook: 'input', priority: 'filter', table: 'filter', chain: 'INPUT' },
  { name: 'filter_output', hook: 'output', priority: 'filter', table: 'filter', chain: 'OUTPUT' },
] as const;

/** Name of the table for a node cache with this link, in family inet, which holds both address families. */
export const nftTable = (interfaceName: string): string => `nodens-${interfaceName}`;

/** The rules as one script for `nft -f`, which replaces the whole table at once: no packet meets half of them. */
export function nftScript(plan: NetworkPlan, table: string): string {
  const chains = CHAINS.map((chain) => {
    const lines = rulesOf(plan, chain).map((rule) => `    ${statement(rule)}`);
    return [
      `  chain ${chain.name} {`,
      `    type filter hook ${chain.hook} priority ${chain.priority}; policy accept;`,
      ...lines,
      '  }',
    ].join('\n');
  });
  return [`add table inet ${table}`, `delete table inet ${table}`, `table inet ${table} {`, ...chains, '}', ''].join(
    '\n',
  );
}

const rulesOf = (plan: NetworkPlan, { table, chain }: (typeof CHAINS)[number]): NodeCacheRule[] =>
  plan.rules.filter((rule) => rule.table === table && rule.chain === chain).reverse();

function statement(rule: NodeCacheRule): string {
  const [address, port] = rule.side === 'to' ? ['daddr', 'dport'] : ['saddr', 'sport'];
  const verdict = rule.target === 'NOTRACK' ? 'notrack' : 'accept';
  return (
    `${rule.family === 4 ? 'ip' : 'ip6'} ${address} ${rule.address} ${rule.protocol} ${port} ` +
    `${rule.port} counter ${verdict} comment "${commentOf(rule)}"`
  );
}

/**
 * Names the rule, so that its presence can be told from a list without reading what nft makes of expressions; below
 * nft's limit of 128 bytes.
 */
const commentOf = (rule: NodeCacheRule): string =>
  `${rule.comment}, ${rule.protocol} ${rule.side} ${rule.address} port ${rule.port}`;

/** The rules of a node cache in a table of its own, by nft. */
export class Nft {
  constructor(
    private readonly plan: NetworkPlan,
    private readonly table: string,
    private readonly run: RunCommand,
    private readonly report: Report,
  ) {}

  /** Puts the table in place unless it is there with all its rules and no others. */
  async ensure(): Promise<void> {
    try {
      const present = await this.list();
      const wanted = CHAINS.flatMap((chain) =>
        rulesOf(this.plan, chain).map((rule) => ({ rule, key: `${chain.name} ${commentOf(rule)}` })),
      );
      const missing = wanted.filter(({ key }) => !present.includes(key));
      if (missing.length === 0 && present.length === wanted.length) return;
      await output(this.run, 'nft', ['-f', '-'], nftScript(this.plan, this.table));
      for (const { rule } of missing) this.report.log.info(`Added back nodelocaldns rule - ${describeRule(rule)}`);
    } catch (error) {
      this.report.error(
        'iptables',
        `Error checking/adding nft table ${this.table}, error - ${(error as Error).message}`,
      );
    }
  }

  /** Takes the table away; one that is gone already is no fault. */
  async remove(): Promise<void> {
    const result = await this.run('nft', ['delete', 'table', 'inet', this.table]);
    if (result.code !== 0 && !isMissing(result.stderr))
      this.report.error('iptables', `Failed deleting nft table ${this.table}, error - ${result.stderr.trim()}`);
  }

  private async list(): Promise<string[]> {
    const args = ['-j', 'list', 'table', 'inet', this.table];
    const result = await this.run('nft', args);
    if (result.code !== 0 && isMissing(result.stderr)) return [];
    if (result.code !== 0) throw new RunError('nft', args, result);
    const { nftables } = JSON.parse(result.stdout) as { nftables: { rule?: { chain: string; comment?: string } }[] };
    return nftables.flatMap(({ rule }) => (rule ? [`${rule.chain} ${rule.comment ?? ''}`] : []));
  }
}

const isMissing = (message: string): boolean => /no such file or directory/i.test(message);
