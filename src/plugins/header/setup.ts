import { definePlugin } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { Flag } from '../../wire/index.js';
import { HeaderHandler, type FlagChange } from './handler.js';

const FLAGS: Readonly<Record<string, number>> = { aa: Flag.AA, ra: Flag.RA, rd: Flag.RD };
const USAGE = 'query|response set|clear FLAGS...';

/** Of several directives in a server block the first one with rules counts, as with CoreDNS. */
export const header = definePlugin('header', (directives) => {
  const rules = directives.map(readRules);
  const first = rules.find(({ count }) => count > 0);
  return first === undefined
    ? directives[0].fail(`got no rule, allowed: at least one line '${USAGE}' in { }`)
    : new HeaderHandler(first.query, first.response);
});

function readRules(directive: Directive): { query: FlagChange; response: FlagChange; count: number } {
  directive.argCount(0, 0, `header { ${USAGE} }`);
  const changes = { query: { set: 0, clear: 0 }, response: { set: 0, clear: 0 } };
  for (const option of directive.options ?? []) {
    option.noOptions();
    const selector = option.name.toLowerCase();
    if (selector !== 'query' && selector !== 'response') option.unknown(['query', 'response']);
    else apply(option, changes[selector]);
  }
  return { ...changes, count: directive.options?.length ?? 0 };
}

/** What comes later counts. */
function apply(option: Option, change: { set: number; clear: number }): void {
  option.argCount(2, Infinity, USAGE);
  const [action, ...flags] = option.args.map((word) => word.toLowerCase()) as [string, ...string[]];
  option.oneOf(action, ['set', 'clear'], 'action');
  for (const flag of flags) {
    const bit = FLAGS[option.oneOf(flag, Object.keys(FLAGS), 'flag')]!;
    change.set = action === 'set' ? change.set | bit : change.set & ~bit;
    change.clear = action === 'clear' ? change.clear | bit : change.clear & ~bit;
  }
}
