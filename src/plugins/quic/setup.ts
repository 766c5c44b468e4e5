import { definePlugin, onlyOne, type TransportLimits } from '../../chain/index.js';

const MAX = 2 ** 31 - 1;
const OPTIONS = { max_streams: 'streams', worker_pool_size: 'queries' } as const;

export const quic = definePlugin('quic', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 0, 'quic { max_streams COUNT ... }');
  const limits: { -readonly [Key in keyof TransportLimits]: TransportLimits[Key] } = {};
  for (const option of directive.options ?? []) {
    const { name } = option;
    if (name !== 'max_streams' && name !== 'worker_pool_size') option.unknown(Object.keys(OPTIONS));
    const limit = OPTIONS[name as keyof typeof OPTIONS];
    if (limits[limit] !== undefined) option.fail('got it a second time, allowed: once');
    option.noOptions();
    limits[limit] = option.integer(option.one(`${name} COUNT`), { min: 1, max: MAX, what: 'COUNT' });
  }
  block.settings.transports = { ...block.settings.transports, quic: limits };
  return undefined;
});
