import {
  COMBINED_LOG_FORMAT,
  COMMON_LOG_FORMAT,
  Zones,
  compileFormat,
  compileHitFormat,
  definePlugin,
  type Block,
} from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { CLASSES, type ReplyClass } from './class.js';
import { compileFields } from './fields.js';
import { Log, type LogRule } from './handler.js';

export const log = definePlugin('log', (directives, block) => {
  const rules = directives.map((directive) => rule(directive, block));
  return new Log(rules, block.runtime.log, block.runtime.clock);
});

function rule(directive: Directive, block: Block): LogRule {
  const names = [...directive.args];
  const format = names.at(-1)?.includes('{') ? names.pop()! : COMMON_LOG_FORMAT;
  const text = format.replaceAll('{common}', COMMON_LOG_FORMAT).replaceAll('{combined}', COMBINED_LOG_FORMAT);
  const classes = new Set<ReplyClass>();
  let all = true;
  for (const option of directive.options ?? []) {
    if (option.name !== 'class') option.unknown(['class']);
    option.argCount(1, Infinity, `class ${CLASSES.join('|')}...`);
    option.noOptions();
    for (const arg of option.args) classes.add(option.oneOf(arg, CLASSES));
    all = classes.has('all');
  }
  return {
    zones: names.length === 0 ? new Zones(['.']) : block.zonesOf(names, directive),
    classes: all ? undefined : classes,
    format: compileFormat(text),
    hitFormat: compileHitFormat(text),
    fields: compileFields(text),
  };
}
