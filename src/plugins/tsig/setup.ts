import { definePlugin, onlyOne, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { isExpected } from '../../lib/errors.js';
import { Opcode, Type, type Name } from '../../wire/index.js';
import { readTsigKeys, tsigKey, type TsigKey } from '../../tsig/index.js';
import { Tsig, type Required } from './handler.js';

const OPTIONS = ['secret', 'secrets', 'require', 'require_opcode'];

export const tsig = definePlugin('tsig', (directives, block) => {
  const directive = onlyOne(directives);
  const keys = new Map<Name, TsigKey>();
  const required: { -readonly [Part in keyof Required]: Required[Part] } = { types: new Set(), opcodes: new Set() };
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'secret':
        option.argCount(2, 2, 'secret NAME KEY');
        add(keys, option, () => [tsigKey(option.args[0]!, option.args[1]!)]);
        break;
      case 'secrets':
        add(keys, option, () => readFile(option, block));
        break;
      case 'require':
        required.types = readRequired(option, Type, 'require all|none|QTYPE...');
        break;
      case 'require_opcode':
        required.opcodes = readRequired(option, Opcode, 'require_opcode all|none|OPCODE...');
        break;
      default:
        option.unknown(OPTIONS);
    }
  }
  block.settings.tsig = keys;
  return new Tsig(zonesOf(directive, block), required, block.logger('tsig'));
});

const zonesOf = (directive: Directive, block: Block): ReturnType<Block['zonesOf']> =>
  block.zonesOf(directive.args, directive);

function readFile(option: Option, { runtime }: Block): TsigKey[] {
  const file = option.one('secrets FILE');
  return readTsigKeys(file, runtime.readFile(file));
}

function add(keys: Map<Name, TsigKey>, option: Option, read: () => TsigKey[]): void {
  try {
    for (const key of read()) {
      if (keys.has(key.name)) option.fail(`key '${key.name}' a second time`);
      keys.set(key.name, key);
    }
  } catch (error) {
    if (!isExpected(error) || error.name === 'CorefileError') throw error;
    option.fail(error.message);
  }
}

/** What comes later counts, as in CoreDNS. */
function readRequired(
  option: Option,
  known: Readonly<Record<string, number>>,
  usage: string,
): ReadonlySet<number> | 'all' {
  option.argCount(1, Infinity, usage);
  const [first] = option.args;
  if (first === 'all') return 'all';
  if (first === 'none') return new Set();
  return new Set(option.args.map((word) => known[option.oneOf(word, Object.keys(known))]!));
}
