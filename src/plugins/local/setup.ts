import { definePlugin } from '../../chain/index.js';
import { Local } from './handler.js';
import { localhostRequests } from './metrics.js';

/** Of several directives in a server block the last one that says something counts. */
export const local = definePlugin('local', (directives, block) => {
  let prefix = true;
  for (const directive of directives) {
    directive.argCount(0, 0, 'local { localhost_prefix on|off }');
    for (const option of directive.options ?? []) {
      if (option.name !== 'localhost_prefix') option.unknown(['localhost_prefix']);
      option.noOptions();
      prefix = option.oneOf(option.one('localhost_prefix on|off'), ['on', 'off']) === 'on';
    }
  }
  return new Local(prefix, localhostRequests(block.runtime.metrics), block.logger('local'));
});
