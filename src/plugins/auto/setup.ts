import path from 'node:path';
import { Authority } from '../../authority/index.js';
import { definePlugin, notifyServers, type Block } from '../../chain/index.js';
import type { Directive, Option } from '../../corefile/index.js';
import { goRegExp, type GoRegExp } from '../../lib/go-regexp.js';
import type { Milliseconds } from '../../lib/units.js';
import { ZoneDirectory } from './directory.js';
import { parseTemplate, type OriginRule } from './origin.js';

const DEFAULT_RELOAD: Milliseconds = 60_000;
const USAGE = 'directory DIR [REGEXP ORIGIN_TEMPLATE]';

export const auto = definePlugin('auto', (directives, block) => directives.map((one) => directory(one, block)));

/** What answers from the zones of one directive. */
function directory(directive: Directive, block: Block): Authority {
  const handler = new Authority('auto', block.ask, { within: block.zonesOf(directive.args, directive), counted: true });
  let dir: { path: string; rule: OriginRule } | undefined;
  let reload = DEFAULT_RELOAD;
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'directory':
        dir = readDirectory(option, block);
        break;
      case 'reload':
        reload = option.duration(option.one('reload DURATION'), { min: 0 });
        break;
      case 'upstream':
        // Without a meaning for years, and still taken.
        break;
      default:
        option.unknown(['directory', 'reload']);
    }
  }
  if (dir === undefined) return directive.fail(`'${USAGE}' is required`);
  const notify = (origin: string): void => notifyServers(block, origin);
  const zones = new ZoneDirectory(handler, { ...dir, reload }, block.runtime, block.logger('auto'), notify);
  block.onStart(async () => {
    handler.linked(block.handlers());
    await zones.start();
  });
  block.onServing(() => zones.origins.forEach(notify));
  block.onStop(() => zones.stop());
  return handler;
}

function readDirectory(option: Option, block: Block): { path: string; rule: OriginRule } {
  option.argCount(1, 3, USAGE);
  const [name = '', pattern = 'db\\.(.*)', template] = option.args;
  if (option.args.length === 2) option.fail(`got a pattern without an origin template; usage: ${USAGE}`);
  const rule = { pattern: readPattern(pattern, option), template: parseTemplate(template ?? '{1}') };
  if (rule.pattern.groupNames.length === 0)
    option.fail(`got pattern '${pattern}', allowed: one with a group in parentheses`);
  return { path: path.join(path.isAbsolute(name) ? '' : (block.settings.root ?? ''), name), rule };
}

function readPattern(text: string, option: Option): GoRegExp {
  try {
    return goRegExp(text);
  } catch (error) {
    return option.fail((error as RangeError).message);
  }
}
