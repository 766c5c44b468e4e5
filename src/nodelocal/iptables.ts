import { COMMENT_PREFIX, type NodeCacheRule } from '../iptables/node-cache-rules.js';
import { ruleArgs, words } from '../iptables/rule-text.js';
import { canonicalIp } from '../lib/cidr.js';
import { describeRule } from './plan.js';
import type { Report } from './report.js';
import { output, type RunCommand } from './run.js';

/** Waits so long, in seconds, for other programs that hold the lock of xtables. */
const LOCK_WAIT = '5';

/** Whether a leftover rule may go: one for this address, in canonical spelling. */
export type IsStale = (address: string) => boolean;

/** A rule of ours as it is in the kernel. */
interface ListedRule {
  readonly table: 'raw' | 'filter';
  readonly chain: string;
  /** What follows the chain, in the words of iptables-save. */
  readonly args: readonly string[];
}

type WantedRule = NodeCacheRule & ListedRule;

/** The rules of a node cache of one address family, by iptables or ip6tables. */
export class Iptables {
  private readonly command: string;

  constructor(
    private readonly family: 4 | 6,
    private readonly run: RunCommand,
    private readonly report: Report,
  ) {
    this.command = family === 4 ? 'iptables' : 'ip6tables';
  }

  /**
   * Puts the rules that are missing at the head of their chains, in the order given. With `stale`, it first takes
   * away what a predecessor left that does not
   * fit: rules that are there twice, rules for a wanted address with another port, and rules for addresses that
   * `stale` gives up. Those of another node cache
   * on the same host stay.
   */
  async ensure(rules: readonly NodeCacheRule[], stale?: IsStale): Promise<void> {
    const own = this.own(rules);
    const listed = await this.list(own);
    if (!listed) return;
    if (stale) await this.removeLeftovers(own, listed, stale);
    const present = new Set(listed.map(keyOf));
    for (const rule of own) if (!present.has(keyOf(rule))) await this.add(rule);
  }

  /** Takes the rules away, however often each is there. */
  async remove(rules: readonly NodeCacheRule[]): Promise<void> {
    const own = this.own(rules);
    const wanted = new Set(own.map(keyOf));
    for (const rule of (await this.list(own)) ?? []) if (wanted.has(keyOf(rule))) await this.delete(rule);
  }

  private async removeLeftovers(
    own: readonly WantedRule[],
    listed: readonly ListedRule[],
    stale: IsStale,
  ): Promise<void> {
    const wanted = new Set(own.map(keyOf));
    const addresses = new Set(own.map((rule) => canonicalIp(rule.address)));
    for (const rule of listed) {
      if (wanted.delete(keyOf(rule))) continue;
      const address = canonicalIp(addressOf(rule)) ?? '';
      if (!addresses.has(address) && !stale(address)) continue;
      this.report.log.info(
        `Removing a left-over nodelocaldns rule - ${rule.table} ${rule.chain} ${rule.args.join(' ')}`,
      );
      await this.delete(rule);
    }
  }

  private own(rules: readonly NodeCacheRule[]): WantedRule[] {
    return rules.filter((rule) => rule.family === this.family).map((rule) => ({ ...rule, args: ruleArgs(rule) }));
  }

  private async add(rule: WantedRule): Promise<void> {
    const { table, chain, args } = rule;
    // Another version may list the same rule in other words; only the kernel knows.
    if ((await this.run(this.command, ['-w', LOCK_WAIT, '-t', table, '-C', chain, ...args])).code === 0) return;
    try {
      await output(this.run, this.command, ['-w', LOCK_WAIT, '-t', table, '-I', chain, ...args]);
      this.report.log.info(`Added back nodelocaldns rule - ${describeRule(rule)}`);
    } catch (error) {
      this.failed(`Error checking/adding iptables rule ${describeRule(rule)}`, error as Error);
    }
  }

  private async delete({ table, chain, args }: ListedRule): Promise<void> {
    try {
      await output(this.run, this.command, ['-w', LOCK_WAIT, '-t', table, '-D', chain, ...args]);
    } catch (error) {
      this.failed(`Failed deleting iptables rule {${table} ${chain} [${args.join(' ')}]}`, error as Error);
    }
  }

  /**
   * Our rules that are in the kernel; undefined, and reported, when they cannot be listed. Nothing is listed where no
   * rule is wanted: that address family may not exist.
   */
  private async list(own: readonly WantedRule[]): Promise<ListedRule[] | undefined> {
    if (own.length === 0) return [];
    const all: ListedRule[] = [];
    for (const table of ['raw', 'filter'] as const) {
      try {
        const lines = (await output(this.run, `${this.command}-save`, ['-t', table])).split('\n');
        for (const line of lines) {
          if (!line.startsWith('-A ') || !line.includes(COMMENT_PREFIX)) continue;
          const [, chain = '', ...args] = words(line);
          all.push({ table, chain, args });
        }
      } catch (error) {
        this.failed(`Error listing iptables rules of table ${table}`, error as Error);
        return undefined;
      }
    }
    return all;
  }

  private failed(what: string, error: Error): void {
    this.report.error(
      /holding the xtables lock/i.test(error.message) ? 'iptables_lock' : 'iptables',
      `${what}, error - ${error.message}`,
    );
  }
}

/** Newer iptables list NOTRACK by the target that it has become. */
const keyOf = ({ table, chain, args }: ListedRule): string =>
  `${table} ${chain} ${args.join(' ').replace('-j CT --notrack', '-j NOTRACK')}`;

const addressOf = ({ args }: ListedRule): string =>
  (args[args.findIndex((word) => word === '-s' || word === '-d') + 1] ?? '').replace(/\/.*$/, '');
