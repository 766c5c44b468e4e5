import { definePlugin, type ConnectionLimits } from '../../chain/index.js';
import type { Option } from '../../corefile/index.js';
import type { Milliseconds } from '../../lib/units.js';

const TIMES = ['read', 'write', 'idle'] as const;
const OPTIONS = [...TIMES, 'maxtcpqueries'];
const SECOND: Milliseconds = 1000;
const DAY: Milliseconds = 86_400_000;
const MAX_QUERIES = 2 ** 31 - 1;

/** Where several server blocks share a listening address, what the last one says counts for it. */
export const timeouts = definePlugin('timeouts', (directives, block) => {
  const limits: { -readonly [Key in keyof ConnectionLimits]: ConnectionLimits[Key] } = {};
  for (const directive of directives) {
    directive.argCount(0, 0, 'timeouts { read DURATION ... }');
    if ((directive.options ?? []).length === 0) directive.fail(`got no option, allowed: ${OPTIONS.join(', ')}`);
    for (const option of directive.options!) {
      option.noOptions();
      const time = TIMES.find((name) => name === option.name);
      if (time !== undefined) limits[time] = readTime(option);
      else if (option.name === 'maxtcpqueries') limits.queries = readQueries(option);
      else option.unknown(OPTIONS);
    }
  }
  block.settings.limits = limits;
  return undefined;
});

/** A number without a unit is in seconds. */
function readTime(option: Option): Milliseconds {
  const text = option.one(`${option.name} DURATION`);
  return option.duration(/^\d+$/.test(text) ? `${text}s` : text, { min: SECOND, max: DAY });
}

function readQueries(option: Option): number {
  const text = option.one('maxtcpqueries MAXIMUM');
  const count = option.integer(text, { min: -1, max: MAX_QUERIES, what: 'MAXIMUM' });
  if (count === 0) option.wrong(text, '-1 for any number, or at least 1', 'MAXIMUM');
  return count === -1 ? Infinity : count;
}
