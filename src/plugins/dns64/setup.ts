import { definePlugin } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { parseCidr, type Cidr } from '../../lib/cidr.js';
import { Dns64, type Dns64Options } from './handler.js';
import { requestsTranslated } from './metrics.js';

/** The prefix that is the same everywhere (RFC 6052 section 2.1). */
const WELL_KNOWN = parseCidr('64:ff9b::/96')!;
const OPTIONS = ['prefix', 'translate_all', 'allow_ipv4'];

/** Several directives in a server block add up; the last prefix counts. */
export const dns64 = definePlugin('dns64', (directives, block) => {
  const options: { -readonly [Key in keyof Dns64Options]: Dns64Options[Key] } = {
    prefix: WELL_KNOWN,
    translateAll: false,
    overIpv4: false,
  };
  for (const directive of directives) {
    directive.argCount(0, 1, 'dns64 [PREFIX]');
    const [prefix] = directive.args;
    if (prefix !== undefined) options.prefix = readPrefix(prefix, directive);
    for (const option of directive.options ?? []) {
      if (option.name === 'prefix') {
        option.noOptions();
        options.prefix = readPrefix(option.one('prefix PREFIX'), option);
      } else if (option.name === 'translate_all' || option.name === 'allow_ipv4') {
        option.flag();
        options[option.name === 'allow_ipv4' ? 'overIpv4' : 'translateAll'] = true;
      } else option.unknown(OPTIONS);
    }
  }
  return new Dns64(options, (query) => block.ask(query), requestsTranslated(block.runtime.metrics));
});

function readPrefix(text: string, entry: Directive | Option): Cidr {
  const prefix = text.includes('/') ? parseCidr(text) : undefined;
  if (prefix?.bytes.length !== 16 || prefix.prefix % 8 !== 0 || prefix.prefix < 32 || prefix.prefix > 96)
    entry.wrong(text, 'an IPv6 prefix of 32 to 96 bits in steps of 8, such as 64:ff9b::/96', 'PREFIX');
  return prefix;
}
