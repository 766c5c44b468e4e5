import { definePlugin, onlyOne, type TransportLimits } from '../../chain/index.js';
import type { Option } from '../../corefile/index.js';

const MAX = 2 ** 31 - 1;

export const https = definePlugin('https', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 0, 'https { max_connections COUNT }');
  let limits: TransportLimits = {};
  for (const option of directive.options ?? []) {
    if (option.name !== 'max_connections') option.unknown(['max_connections']);
    if (limits.connections !== undefined) option.fail('got it a second time, allowed: once');
    limits = { connections: readCount(option) };
  }
  block.settings.transports = { ...block.settings.transports, https: limits };
  return undefined;
});

/** 0 stands for any number. */
function readCount(option: Option): number {
  option.noOptions();
  const count = option.integer(option.one('max_connections COUNT'), { min: 0, max: MAX, what: 'COUNT' });
  return count === 0 ? Infinity : count;
}
