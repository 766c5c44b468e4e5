import { definePlugin, onlyOne } from '../../chain/index.js';
import type { Option } from '../../corefile/index.js';
import { goRegExp, type GoRegExp } from '../../lib/go-regexp.js';
import type { Logger } from '../../lib/log.js';
import { Consolidation } from './consolidation.js';
import { Errors } from './handler.js';

const OPTIONS = ['consolidate', 'stacktrace'];
const LEVELS = ['debug', 'info', 'warning', 'error'] as const;

export const errors = definePlugin('errors', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 1, 'errors [stdout]');
  for (const target of directive.args) directive.oneOf(target, ['stdout'], 'where errors go');
  const logger = block.logger('errors');
  const consolidations: Consolidation[] = [];
  for (const option of directive.options ?? []) {
    if (option.name === 'consolidate') consolidations.push(consolidation(option, logger));
    else if (option.name === 'stacktrace') {
      option.flag();
      block.settings.stacktrace = true;
    } else option.unknown(OPTIONS);
  }
  const handler = new Errors(consolidations, logger, block.runtime.clock);
  block.onStop(() => handler.stop());
  return handler;
});

function consolidation(option: Option, logger: Logger): Consolidation {
  option.argCount(2, 4, 'consolidate DURATION REGEXP [LEVEL] [show_first]');
  option.noOptions();
  const [period, pattern, ...words] = option.args as [string, string, ...string[]];
  const showFirst = words.at(-1) === 'show_first';
  if (showFirst) words.pop();
  if (words.length > 1) option.oneOf(words[1]!, ['show_first']);
  const level = words[0];
  const milliseconds = option.duration(period, { min: 1, what: 'DURATION' });
  const severity = option.oneOf(level ?? 'error', LEVELS, 'LEVEL');
  return new Consolidation(milliseconds, regExp(option, pattern), showFirst, (line) => logger[severity](line));
}

function regExp(option: Option, pattern: string): GoRegExp {
  try {
    return goRegExp(pattern);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return option.fail(error.message);
  }
}
