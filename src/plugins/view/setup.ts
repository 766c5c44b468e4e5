import { definePlugin, onlyOne } from '../../chain/index.js';
import type { Query } from '../../chain/index.js';
import type { Option } from '../../corefile/index.js';
import { parseCidr } from '../../lib/cidr.js';
import { compileCondition, type Condition } from './expression/compile.js';
import { ExpressionError } from './expression/parse.js';
import { FUNCTIONS } from './functions.js';
import { ConditionalView, ViewName } from './handler.js';
import { dependenceOf } from './sharing.js';

export const view = definePlugin('view', (directives, block) => {
  const directive = onlyOne(directives);
  const name = directive.one('view NAME { expr EXPRESSION }');
  const conditions = (directive.options ?? []).map((option) => {
    if (option.name !== 'expr') option.unknown(['expr']);
    option.noOptions();
    option.argCount(1, Infinity, 'expr EXPRESSION');
    return readCondition(option);
  });
  const dependence = dependenceOf(conditions.flatMap(({ calls }) => calls));
  block.settings.view = new ConditionalView(name, conditions, dependence, block.logger('view'));
  return new ViewName(name);
});

function readCondition(option: Option): Condition<Query> {
  const text = option.args.join(' ');
  try {
    const condition = compileCondition(text, FUNCTIONS);
    for (const { name, args } of condition.calls) {
      const block = args[1];
      if (name === 'incidr' && block?.kind === 'literal' && !isBlock(String(block.value)))
        throw new ExpressionError(`incidr got ${block.text}, allowed: an address block such as '10.0.0.0/8'`);
    }
    return condition;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return option.fail(`got expression "${text}": ${error.message}`);
  }
}

const isBlock = (text: string): boolean => text.includes('/') && parseCidr(text) !== undefined;
