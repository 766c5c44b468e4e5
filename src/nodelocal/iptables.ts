import { COMMENT_PREFIX, type NodeCacheRule } from '../iptables/node-cache-rules.js';
import { quoted, ruleArgs, words } from '../iptables/rule-text.js';
import { canonicalIp } from '../lib/cidr.js';
import { iptablesCommands, type IptablesCommands, type IptablesMode } from './iptables-mode.js';
import { describeRule } from './plan.js';
import type { Report } from './report.js';
import { output, type RunCommand } from './run.js';

/** Waits so long, in seconds, for other programs that hold the lock of xtables. */
const LOCK_WAIT = '5';

const TABLES = ['raw', 'filter'] as const;

/** Whether a leftover rule may go: one for this address and port, the address in canonical spelling. */
export type IsStale = (address: string, port: number) => boolean;

/** A rule of ours as it is in the kernel. */
interface ListedRule {
  readonly table: (typeof TABLES)[number];
  readonly chain: string;
  /** What follows the chain, in the words of iptables-save. */
  readonly args: readonly string[];
}

type WantedRule = NodeCacheRule & ListedRule;

/** One change: a rule to put at the head of its chain, or to take away. */
type RuleChange =
  { readonly action: '-I'; readonly rule: WantedRule } | { readonly action: '-D'; readonly rule: ListedRule };

/** The rules of a node cache of one address family, by iptables or ip6tables. */
export class Iptables {
  private readonly commands: IptablesCommands;

  constructor(
    private readonly family: 4 | 6,
    mode: IptablesMode | undefined,
    private readonly run: RunCommand,
    private readonly report: Report,
  ) {
    this.commands = iptablesCommands(family, mode);
  }

  /**
   * Puts the rules that are missing at the head of their chains, in the order given. With `stale`, it first takes
   * away what a predecessor left that does not fit: rules that are there twice, and rules that `stale` gives up. Those
   * of another node cache on the same host stay.
   */
  async ensure(rules: readonly NodeCacheRule[], stale?: IsStale): Promise<void> {
    const own = this.own(rules);
    const listed = await this.list(own);
    if (!listed) return;
    const leftovers = stale ? leftoversIn(own, listed, stale) : [];
    for (const { table, chain, args } of leftovers)
      this.report.log.info(`Removing a left-over nodelocaldns rule - ${table} ${chain} ${args.join(' ')}`);
    const missing = await this.missing(own, listed);
    const done = await this.change([
      ...leftovers.map((rule): RuleChange => ({ action: '-D', rule })),
      ...missing.map((rule): RuleChange => ({ action: '-I', rule })),
    ]);
    for (const rule of missing)
      if (done.has(rule)) this.report.log.info(`Added back nodelocaldns rule - ${describeRule(rule)}`);
  }

  /** Takes the rules away, however often each is there, and others that `stale` gives up. */
  async remove(rules: readonly NodeCacheRule[], stale: IsStale = () => false): Promise<void> {
    const own = this.own(rules);
    const wanted = new Set(own.map(keyOf));
    const listed = (await this.list(own)) ?? [];
    const going = listed.filter((rule) => wanted.has(keyOf(rule)) || givenUp(rule, stale));
    await this.change(going.map((rule) => ({ action: '-D', rule })));
  }

  private own(rules: readonly NodeCacheRule[]): WantedRule[] {
    return rules.filter((rule) => rule.family === this.family).map((rule) => ({ ...rule, args: ruleArgs(rule) }));
  }

  /** Those that are not there. Another version may list the same rule in other words; only the kernel knows then. */
  private async missing(own: readonly WantedRule[], listed: readonly ListedRule[]): Promise<WantedRule[]> {
    const present = new Set(listed.map(keyOf));
    const known = new Set(own.map(keyOf));
    const unknown = listed.some((rule) => !known.has(keyOf(rule)));
    const missing: WantedRule[] = [];
    for (const rule of own.filter((one) => !present.has(keyOf(one)))) {
      const { table, chain, args } = rule;
      const check = ['-w', LOCK_WAIT, '-t', table, '-C', chain, ...args];
      if (!unknown || (await this.run(this.commands.change, check)).code !== 0) missing.push(rule);
    }
    return missing;
  }

  /**
   * Makes the changes in one call, with which the kernel takes those of a table together; where it takes them not, one
   * by one, so that a rule that is in the way keeps no other from its place. Resolves with those that were made.
   */
  private async change(changes: readonly RuleChange[]): Promise<Set<ListedRule>> {
    const rules = new Set(changes.map(({ rule }) => rule));
    if (changes.length === 0) return rules;
    const result = await this.run(this.commands.restore, ['-w', LOCK_WAIT, '--noflush'], restoreScript(changes));
    if (result.code === 0) return rules;
    const { change: program, restore } = this.commands;
    if (isHeldUp(result.stderr)) {
      this.report.error('iptables_lock', `Failed changing iptables rules, error - ${restore}: ${result.stderr.trim()}`);
      return new Set();
    }
    for (const change of changes) if (!(await this.single(program, change))) rules.delete(change.rule);
    return rules;
  }

  private async single(program: string, { action, rule }: RuleChange): Promise<boolean> {
    const { table, chain, args } = rule;
    const call = (option: string): string[] => ['-w', LOCK_WAIT, '-t', table, option, chain, ...args];
    // Of one call for two tables, one may have been done.
    const there = (await this.run(program, call('-C'))).code === 0;
    if (there === (action === '-I')) return true;
    try {
      await output(this.run, program, call(action));
      return true;
    } catch (error) {
      this.failed(
        action === '-I'
          ? `Error checking/adding iptables rule ${describeRule(rule)}`
          : `Failed deleting iptables rule {${table} ${chain} [${args.join(' ')}]}`,
        error as Error,
      );
      return false;
    }
  }

  /**
   * Our rules that are in the kernel; undefined, and reported, when they cannot be listed. Nothing is listed where no
   * rule is wanted: that address family may not exist.
   */
  private async list(own: readonly WantedRule[]): Promise<ListedRule[] | undefined> {
    if (own.length === 0) return [];
    const all: ListedRule[] = [];
    for (const table of TABLES) {
      try {
        const lines = (await output(this.run, this.commands.save, ['-t', table])).split('\n');
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
    this.report.error(isHeldUp(error.message) ? 'iptables_lock' : 'iptables', `${what}, error - ${error.message}`);
  }
}

const isHeldUp = (message: string): boolean => /holding the xtables lock/i.test(message);

function leftoversIn(own: readonly WantedRule[], listed: readonly ListedRule[], stale: IsStale): ListedRule[] {
  const wanted = new Set(own.map(keyOf));
  const known = new Set(wanted);
  return listed.filter((rule) => {
    if (wanted.delete(keyOf(rule))) return false;
    return known.has(keyOf(rule)) || givenUp(rule, stale);
  });
}

/** Changes as the text that iptables-restore takes; other rules of the tables stay. */
function restoreScript(changes: readonly RuleChange[]): string {
  return TABLES.flatMap((table) => {
    const lines = changes
      .filter(({ rule }) => rule.table === table)
      .map(({ action, rule }) => [action, rule.chain, ...rule.args.map(quoted)].join(' '));
    return lines.length === 0 ? [] : [`*${table}`, ...lines, 'COMMIT', ''];
  }).join('\n');
}

/** Newer iptables list NOTRACK by the target that it has become. */
const keyOf = ({ table, chain, args }: ListedRule): string =>
  `${table} ${chain} ${args.join(' ').replace('-j CT --notrack', '-j NOTRACK')}`;

const valueOf = ({ args }: ListedRule, ...options: string[]): string =>
  args[args.findIndex((word) => options.includes(word)) + 1] ?? '';

function givenUp(rule: ListedRule, stale: IsStale): boolean {
  const address = canonicalIp(valueOf(rule, '-s', '-d').replace(/\/.*$/, ''));
  return address !== undefined && stale(address, Number(valueOf(rule, '--sport', '--dport')));
}
