import path from 'node:path';
import { Zones, definePlugin, onlyOne, type Block } from '../../chain/index.js';
import type { Option } from '../../corefile/index.js';
import { readSigningKey, type SigningKey } from '../../dnssec/index.js';
import { isExpected } from '../../lib/errors.js';
import { repeat } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { isSubdomain, typeFromName } from '../../wire/index.js';
import { BlackLies, NEVER_TOLD } from './black-lies.js';
import { Dnssec } from './handler.js';
import { dnssecMetrics } from './metrics.js';
import { Signatures } from './signatures.js';

const DEFAULT_CAPACITY = 10_000;
/** The cache of CoreDNS has 256 parts, each with room for at least four. */
const LEAST_CAPACITY = 1024;
const MOST_CAPACITY = 10_000_000;
const CLEANING: Milliseconds = 8 * 3_600_000;

export const dnssec = definePlugin('dnssec', (directives, block) => {
  const directive = onlyOne(directives);
  const zones = block.zonesOf(directive.args, directive);
  const keys: SigningKey[] = [];
  const types: number[] = [];
  let capacity = DEFAULT_CAPACITY;
  for (const option of directive.options ?? []) {
    option.noOptions();
    if (option.name === 'key') keys.push(...readKeys(option, zones, block));
    else if (option.name === 'cache_capacity')
      capacity = option.integer(option.one('cache_capacity CAPACITY'), { min: 0, max: MOST_CAPACITY });
    else if (option.name === 'types') types.push(...readTypes(option));
    else option.unknown(['key', 'cache_capacity', 'types']);
  }
  if (keys.length === 0) {
    block.logger('dnssec').warning(`${directive.file}:${directive.line}: no key: nothing is signed`);
    return undefined;
  }
  const { clock, metrics } = block.runtime;
  const signatures = new Signatures(keys, Math.max(capacity, LEAST_CAPACITY), clock);
  block.onStart(() => {
    const cleaning = repeat(clock, CLEANING, () => signatures.clean());
    block.lifetime.onEnd(() => cleaning.cancel());
  });
  return new Dnssec(new Zones(zones.list), signatures, new BlackLies(types), clock, dnssecMetrics(metrics));
});

function readTypes(option: Option): number[] {
  option.argCount(1, Infinity, 'types TYPE...');
  return option.args.map((word) => {
    const type = typeFromName(word);
    if (type !== undefined && type > 0 && (type < 128 || type > 255) && !NEVER_TOLD.includes(type)) return type;
    return option.wrong(word, 'a record type, but for NS, SOA, CNAME, DNAME and DS');
  });
}

function readKeys(option: Option, { list }: Zones, block: Block): SigningKey[] {
  option.argCount(2, Infinity, 'key file KEY...');
  const [source = '', ...names] = option.args;
  if (source !== 'file') option.wrong(source, "file; keys of 'aws_secretsmanager' have to be put into files first");
  return names.map((name) => {
    const file = path.join(path.isAbsolute(name) ? '' : (block.settings.root ?? ''), name);
    try {
      const key = readSigningKey(file, (one) => block.runtime.readFile(one), block.runtime.clock.now());
      if (list.some((zone) => isSubdomain(key.owner, zone))) return key;
      return option.fail(`key ${key.owner} (keyid: ${key.tag}) can not sign any of the zones ${list.join(', ')}`);
    } catch (error) {
      if (!isExpected(error) || error.name === 'CorefileError') throw error;
      return option.fail(error.message);
    }
  });
}
