import { PerServer, definePlugin, type Block, type ClientNetworks } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { parseCidr, type Cidr } from '../../lib/cidr.js';
import { repeat } from '../../lib/clock.js';
import { Networks } from '../../lib/networks.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Metrics, Value } from '../../metrics/metrics.js';
import { Type } from '../../wire/index.js';
import { Filter } from './handler.js';
import { waysOut, type WaysOut } from './routes.js';
import type { AddressType, FilterRule } from './rule.js';

/** Pause between two looks at the routes. */
const ROUTES_PERIOD: Milliseconds = 10_000;
const NAMES = { a: Type.A, aaaa: Type.AAAA } as const;

/** Several directives in a server block are tried in their order. */
export const filter = definePlugin('filter', (directives, block) => {
  const sources: Cidr[] = [];
  const rules = directives.map((directive) => readRule(directive, block, sources));
  const types = new Set(rules.filter(({ auto }) => !auto).map(({ type }) => type));
  if (types.size > 0 && new Set(rules.map(({ type }) => type)).size > 1)
    directives.at(-1)!.fail('got both a and aaaa in one server block, allowed: one of them, or both with auto');
  return new Filter({
    rules,
    networks: sources.length === 0 ? undefined : networksOf(sources),
    holds: holdingBy(rules, block),
    suppressed: suppressedTotal(block.runtime.metrics),
  });
});

function readRule(directive: Directive, block: Block, sources: Cidr[]): FilterRule {
  directive.argCount(1, Infinity, 'filter a|aaaa [ZONES...]');
  const [word, ...zones] = directive.args;
  const type = directive.oneOf(word!.toLowerCase(), Object.keys(NAMES) as (keyof typeof NAMES)[]);
  const own: Cidr[] = [];
  const rule = { auto: false, always: false };
  for (const option of directive.options ?? []) {
    option.noOptions();
    if (option.name === 'net') own.push(...readNet(option));
    else if (option.name === 'auto' || option.name === 'always') {
      option.flag();
      rule[option.name] = true;
    } else option.unknown(['net', 'auto', 'always']);
  }
  sources.push(...own);
  return {
    ...rule,
    type: NAMES[type],
    zones: block.zonesOf(zones, directive),
    sources: own.length === 0 ? undefined : new Networks(own),
  };
}

function readNet(option: Option): Cidr[] {
  option.argCount(1, Infinity, 'net SOURCE...');
  return option.args.map(
    (text) => parseCidr(text) ?? option.wrong(text, 'an address, or an address block such as 10.0.0.0/8 or fd00::/8'),
  );
}

/** Clients of networks as small as the smallest that is named are treated alike. */
function networksOf(sources: readonly Cidr[]): ClientNetworks {
  const longest = (bytes: number): number =>
    Math.max(0, ...sources.filter((source) => source.bytes.length === bytes).map(({ prefix }) => prefix));
  return { ipv4: longest(4), ipv6: longest(16) };
}

/** Rules without `auto` always hold; the others by the routes of this host, which are looked at from time to time. */
function holdingBy(rules: readonly FilterRule[], block: Block): (rule: FilterRule) => boolean {
  if (!rules.some(({ auto }) => auto)) return () => true;
  const log = block.logger('filter');
  let suppressed: AddressType | undefined;
  const look = (): void => {
    const found = suppressedBy(waysOut(block.runtime));
    if (found === suppressed) return;
    suppressed = found;
    if (found === undefined) log.info('nothing is suppressed: this host has a way out for both families, or for none');
    else log.info(`${found === Type.A ? 'A' : 'AAAA'} is suppressed: this host has no way out for that family`);
  };
  block.onStart(() => {
    look();
    const timer = repeat(block.runtime.clock, ROUTES_PERIOD, look);
    block.onStop(() => timer.cancel());
  });
  return ({ auto, type }) => !auto || type === suppressed;
}

/** Where nothing leads out, names of one family are as good as those of the other. */
function suppressedBy(ways: WaysOut | undefined): AddressType | undefined {
  if (ways === undefined || ways.ipv4 === ways.ipv6) return undefined;
  return ways.ipv4 ? Type.AAAA : Type.A;
}

function suppressedTotal(metrics: Metrics): Readonly<Record<AddressType, PerServer<Value>>> {
  const family = metrics.counter('filter', 'suppressed_total', 'Counter of suppressed answers.', ['server', 'type']);
  const of = (type: string): PerServer<Value> => new PerServer(({ label: server }) => family.with({ server, type }));
  return { [Type.A]: of('A'), [Type.AAAA]: of('AAAA') };
}
