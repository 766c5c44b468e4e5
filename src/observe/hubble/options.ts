import { parseDuration } from '../../lib/duration.js';
import type { Milliseconds } from '../../lib/units.js';
import { FILTERS, FilterList } from './filter.js';
import type { FilterContext } from './filter.js';
import { OptionError } from '../option-error.js';

export const HUBBLE_OUTPUTS = ['compact', 'table', 'dict', 'json', 'jsonpb'] as const;
export type HubbleOutput = (typeof HUBBLE_OUTPUTS)[number];

export interface HubbleOptions {
  readonly allow: FilterList;
  readonly deny: FilterList;
  readonly follow: boolean;
  /** The newest so many per node; undefined for no such limit. */
  readonly last: number | undefined;
  readonly first: number | undefined;
  readonly since: Milliseconds | undefined;
  readonly until: Milliseconds | undefined;
  readonly output: HubbleOutput;
  readonly nodeName: boolean;
  /** Names in place of addresses. */
  readonly translate: boolean;
}

/** Flows printed when nothing says how many. */
const DEFAULT_LAST = 20;
const SHORT: Readonly<Record<string, string>> = { f: 'follow', o: 'output', t: 'type', n: 'namespace' };
const SWITCHES = ['follow', 'all', 'not', 'print-node-name', 'numeric', 'ip-translation'];
const VALUES = ['last', 'first', 'since', 'until', 'output'];

const fail = (message: string): never => {
  throw new OptionError('hubble observe', message);
};

interface Given {
  readonly name: string;
  readonly value: string;
}

/**
 * Reads the arguments of `hubble observe`. Throws an OptionError that names the option. `now` is what relative times
 * count from.
 */
export function parseHubbleArgs(args: readonly string[], now: Milliseconds, context?: FilterContext): HubbleOptions {
  const allow = new FilterList();
  const deny = new FilterList();
  const values = new Map<string, string>();
  let negate = false;
  for (const { name, value } of split(args)) {
    if (name === 'not') negate = value !== 'false';
    else if (FILTERS.has(name)) {
      (negate ? deny : allow).add(name, value, context);
      negate = false;
    } else values.set(name, value);
  }
  if (negate) fail('--not must be followed by the filter that it negates');
  const on = (name: string): boolean => boolean(name, values.get(name));
  const follow = on('follow');
  const first = count('first', values.get('first'));
  const all = on('all');
  const given = count('last', values.get('last'));
  checkTogether({ first: first !== undefined, follow, all, last: given !== undefined });
  const bounded =
    given !== undefined || first !== undefined || follow || all || values.has('since') || values.has('until');
  const output = values.get('output') ?? 'compact';
  if (!isOutput(output)) fail(`invalid output format "${output}": want one of ${HUBBLE_OUTPUTS.join(', ')}`);
  return {
    allow,
    deny,
    follow,
    first,
    last: bounded ? given : DEFAULT_LAST,
    since: moment('since', values.get('since'), now),
    until: follow ? undefined : moment('until', values.get('until'), now),
    output: output as HubbleOutput,
    nodeName: on('print-node-name'),
    translate: !on('numeric') && boolean('ip-translation', values.get('ip-translation') ?? 'true'),
  };
}

function split(args: readonly string[]): Given[] {
  const given: Given[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    const match = /^(?:--([a-z0-9-]+)|-([a-z]))(?:=(.*))?$/s.exec(arg);
    if (!match) fail(`unexpected argument "${arg}": options start with --`);
    const short = match![2];
    const name = match![1] ?? SHORT[short!] ?? '';
    if (!SWITCHES.includes(name) && !VALUES.includes(name) && !FILTERS.has(name))
      fail(`unknown option ${short === undefined ? `--${name}` : `-${short}`}`);
    if (SWITCHES.includes(name)) given.push({ name, value: match![3] ?? 'true' });
    else {
      const value = match![3] ?? args[++i];
      if (value === undefined) fail(`option --${name} needs a value`);
      given.push({ name, value: value! });
    }
  }
  return given;
}

function checkTogether(set: Readonly<Record<'first' | 'last' | 'follow' | 'all', boolean>>): void {
  for (const [a, b] of [
    ['first', 'last'],
    ['first', 'follow'],
    ['first', 'all'],
    ['last', 'all'],
  ] as const) {
    if (set[a] && set[b]) fail(`cannot set both --${a} and --${b}`);
  }
}

const isOutput = (text: string): text is HubbleOutput => (HUBBLE_OUTPUTS as readonly string[]).includes(text);

function boolean(name: string, text: string | undefined): boolean {
  if (text === undefined) return false;
  if (text !== 'true' && text !== 'false') fail(`invalid argument "${text}" for "--${name}": want true or false`);
  return text === 'true';
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) fail(`invalid argument "${text}" for "--${name}": want a whole number`);
  return Number(text);
}

/** A time ago (`3s`, `1h43m`) or a moment in the layouts of RFC 3339. */
function moment(name: string, text: string | undefined, now: Milliseconds): Milliseconds | undefined {
  if (text === undefined) return undefined;
  const ago = /^[\d.]+[a-zµ]/.test(text) ? parseDuration(text) : undefined;
  if (ago !== undefined) return now - ago;
  const parsed = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(parsed))
    fail(
      `invalid argument "${text}" for "--${name}": want a duration such as 3s or 1h43m, or a time such as 2006-01-02T15:04:05Z`,
    );
  return parsed;
}
