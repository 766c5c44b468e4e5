import { definePlugin, onlyOne, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { parseCidr, type Cidr } from '../../lib/cidr.js';
import { Networks } from '../../lib/networks.js';
import type { Rate } from './buckets.js';
import { LIMIT_ACTIONS, Limit, type LimitAction, type LimitOptions } from './handler.js';
import { LimitMetrics } from './metrics.js';

const MOST_A_SECOND = 10_000_000;
const OPTIONS = ['per_client', 'per_zone', 'exempt', 'action', 'dry_run'];

/** `limit [ZONES...] { ... }`: bounds how many queries a client, and the clients of a zone together, may ask. */
export const limit = definePlugin('limit', (directives, block) => {
  const options = readLimits(onlyOne(directives), block);
  return new Limit(options, new LimitMetrics(block.runtime.metrics), block.logger('limit'));
});

function readLimits(directive: Directive, block: Block): LimitOptions {
  const rates: { perClient?: Rate; perZone?: Rate } = {};
  const exempt: Cidr[] = [];
  let action: LimitAction = 'refuse';
  let dryRun = false;
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'per_client':
        rates.perClient = readRate(option);
        break;
      case 'per_zone':
        rates.perZone = readRate(option);
        break;
      case 'exempt':
        option.argCount(1, Infinity, 'exempt SOURCE...');
        exempt.push(...option.args.map((text) => readNetwork(text, option)));
        break;
      case 'action':
        action = option.oneOf(option.one(`action ${LIMIT_ACTIONS.join('|')}`), LIMIT_ACTIONS);
        break;
      case 'dry_run':
        option.flag();
        dryRun = true;
        break;
      default:
        option.unknown(OPTIONS);
    }
  }
  const { perClient, perZone } = rates;
  if (perClient === undefined && perZone === undefined)
    directive.fail('got no limit, allowed: per_client, per_zone or both');
  const zones = block.zonesOf(directive.args, directive);
  return { zones, perClient, perZone, exempt: new Networks(exempt), action, dryRun };
}

function readRate(option: Option): Rate {
  option.argCount(1, 2, `${option.name} QUERIES [BURST]`);
  const [queries, burst] = option.args;
  const perSecond = option.integer(queries!, { min: 1, max: MOST_A_SECOND, what: 'QUERIES' });
  return {
    perSecond,
    burst: burst === undefined ? 2 * perSecond : option.integer(burst, { min: 1, max: MOST_A_SECOND, what: 'BURST' }),
  };
}

const readNetwork = (text: string, option: Option): Cidr =>
  parseCidr(text) ?? option.wrong(text, 'an address, or an address block such as 10.0.0.0/8 or fd00::/8');
