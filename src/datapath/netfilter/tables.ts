import type { Random } from '../../lib/random.js';
import { byText } from '../../lib/order.js';
import { matches } from './rule.js';
import type { PacketFacts, NetfilterRule, RuleTarget } from './rule.js';

export type TableName = 'mangle' | 'raw' | 'filter' | 'nat';
export type HookName = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** Tables in the order of iptables-save, each with its chains that hooks call. */
export const BUILTIN_CHAINS: Record<TableName, readonly HookName[]> = {
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
};
export const TABLE_ORDER: readonly TableName[] = ['mangle', 'raw', 'filter', 'nat'];

/** What the rules of one table made of a packet. */
export interface RuleResult {
  readonly verdict: 'accept' | 'drop' | 'reject';
  readonly notrack: boolean;
  readonly mark: number;
  readonly destination?: { readonly ip: string; readonly port: number };
  readonly masquerade?: { readonly randomFully: boolean };
}

interface RuleChain {
  rules: readonly NetfilterRule[];
  policy: 'ACCEPT' | 'DROP' | undefined;
}

/**
 * The netfilter rules of one namespace. They are data: evaluated in order, and listed in the order of iptables-save.
 */
export class Netfilter {
  private readonly tables = new Map<TableName, Map<string, RuleChain>>();
  /** Packets that met the policy of each chain of the filter table, by table and chain. */
  readonly policyPackets = new Map<string, { packets: number; bytes: number }>();

  constructor() {
    for (const table of TABLE_ORDER) {
      this.tables.set(
        table,
        new Map(BUILTIN_CHAINS[table].map((name) => [name, { rules: [], policy: 'ACCEPT' as const }])),
      );
    }
  }

  setPolicy(table: TableName, chain: HookName, policy: 'ACCEPT' | 'DROP'): void {
    this.chain(table, chain).policy = policy;
  }

  append(table: TableName, chain: string, ...rules: readonly NetfilterRule[]): void {
    const target = this.chain(table, chain);
    target.rules = [...target.rules, ...rules];
  }

  /** Puts each rule before all that are there: of several, the last given comes first, as with `iptables -I`. */
  prepend(table: TableName, chain: string, ...rules: readonly NetfilterRule[]): void {
    const target = this.chain(table, chain);
    target.rules = [...[...rules].reverse(), ...target.rules];
  }

  /** Whether the chain holds a rule that prints the same. */
  has(table: TableName, chain: string, rule: NetfilterRule): boolean {
    return (
      this.tables
        .get(table)!
        .get(chain)
        ?.rules.some((other) => other.text === rule.text) ?? false
    );
  }

  /** Removes the first rule that prints the same; false when there is none. */
  delete(table: TableName, chain: string, rule: NetfilterRule): boolean {
    const target = this.tables.get(table)!.get(chain);
    const index = target?.rules.findIndex((other) => other.text === rule.text) ?? -1;
    if (!target || index < 0) return false;
    target.rules = target.rules.filter((_, i) => i !== index);
    return true;
  }

  /** Replaces a whole user chain, creating it. */
  setChain(table: TableName, chain: string, rules: readonly NetfilterRule[]): void {
    this.chain(table, chain).rules = rules;
  }

  removeChain(table: TableName, chain: string): void {
    this.tables.get(table)!.delete(chain);
  }

  /** Names of a table's chains: those of the hooks, then the others by name. */
  chains(table: TableName): readonly string[] {
    const builtin: readonly string[] = BUILTIN_CHAINS[table];
    const own = [...this.tables.get(table)!.keys()].filter((name) => !builtin.includes(name));
    return [...builtin, ...own.sort(byText)];
  }

  rules(table: TableName, chain: string): readonly NetfilterRule[] {
    return this.tables.get(table)!.get(chain)?.rules ?? [];
  }

  /** The lines of iptables-save for one table, from `*table` to `COMMIT`. Counters are those of the policies. */
  lines(table: TableName): readonly string[] {
    const lines = [`*${table}`];
    const builtin: readonly string[] = BUILTIN_CHAINS[table];
    const names = this.chains(table);
    for (const name of names) {
      const counter = this.policyPackets.get(`${table}/${name}`);
      const policy = builtin.includes(name) ? (this.chain(table, name).policy ?? 'ACCEPT') : '-';
      lines.push(`:${name} ${policy} [${counter?.packets ?? 0}:${counter?.bytes ?? 0}]`);
    }
    for (const name of names) for (const rule of this.rules(table, name)) lines.push(`-A ${name} ${rule.text}`);
    lines.push('COMMIT');
    return lines;
  }

  /** Runs one table at one hook. */
  evaluate(table: TableName, hook: HookName, facts: PacketFacts, random: Random): RuleResult {
    const state: EvalState = {
      verdict: undefined,
      notrack: false,
      mark: facts.mark,
      destination: undefined,
      masquerade: undefined,
    };
    this.run(table, hook, facts, state, random, 0);
    // iptables-nft gives counters to the chains that were restored with some; on nodes these are the ones of the
    // filter table.
    if (state.verdict === undefined && table === 'filter') {
      const key = `${table}/${hook}`;
      const counter = this.policyPackets.get(key) ?? { packets: 0, bytes: 0 };
      this.policyPackets.set(key, { packets: counter.packets + 1, bytes: counter.bytes + facts.bytes });
    }
    const verdict = state.verdict ?? (this.chain(table, hook).policy === 'DROP' ? 'drop' : 'accept');
    return {
      verdict,
      notrack: state.notrack,
      mark: state.mark,
      destination: state.destination,
      masquerade: state.masquerade,
    };
  }

  /**
   * True when a rule ended the walk. A jump to a chain that is not there is a no-op: rules and chains are replaced
   * one by one.
   */
  private run(
    table: TableName,
    name: string,
    facts: PacketFacts,
    state: EvalState,
    random: Random,
    depth: number,
  ): boolean {
    const chain = this.tables.get(table)!.get(name);
    if (!chain || depth > MAX_DEPTH) return false;
    for (const rule of chain.rules) {
      if (!matches(rule.match, { ...facts, mark: state.mark }, random)) continue;
      if (rule.target.kind === 'return') return false;
      if (rule.target.kind === 'jump') {
        if (this.run(table, rule.target.chain, facts, state, random, depth + 1)) return true;
      } else if (apply(rule.target, state)) return true;
    }
    return false;
  }

  private chain(table: TableName, name: string): RuleChain {
    const chains = this.tables.get(table)!;
    let chain = chains.get(name);
    if (!chain) {
      chain = { rules: [], policy: undefined };
      chains.set(name, chain);
    }
    return chain;
  }
}

/** Deeper nesting than any real rule set has; the kernel refuses loops when rules are loaded. */
const MAX_DEPTH = 16;

interface EvalState {
  verdict: RuleResult['verdict'] | undefined;
  notrack: boolean;
  mark: number;
  destination: RuleResult['destination'];
  masquerade: RuleResult['masquerade'];
}

/** Carries out a target; true when it ends the walk. */
function apply(target: Exclude<RuleTarget, { kind: 'jump' } | { kind: 'return' }>, state: EvalState): boolean {
  switch (target.kind) {
    case 'notrack':
      state.notrack = true;
      return false;
    case 'mark':
      state.mark = ((state.mark & ~target.mask) ^ target.value) >>> 0;
      return false;
    case 'dnat':
      state.destination = { ip: target.ip, port: target.port };
      state.verdict = 'accept';
      return true;
    case 'masquerade':
      state.masquerade = { randomFully: target.randomFully };
      state.verdict = 'accept';
      return true;
    default:
      state.verdict = target.kind;
      return true;
  }
}
