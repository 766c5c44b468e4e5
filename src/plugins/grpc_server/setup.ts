import { definePlugin, onlyOne, type TransportLimits } from '../../chain/index.js';

const MAX = 2 ** 31 - 1;
const OPTIONS = { max_streams: 'streams', max_connections: 'connections' } as const;

export const grpcServer = definePlugin('grpc_server', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 0, 'grpc_server { max_streams COUNT ... }');
  const limits: { -readonly [Key in keyof TransportLimits]: TransportLimits[Key] } = {};
  for (const option of directive.options ?? []) {
    const { name } = option;
    if (name !== 'max_streams' && name !== 'max_connections') option.unknown(Object.keys(OPTIONS));
    const limit = OPTIONS[name as keyof typeof OPTIONS];
    if (limits[limit] !== undefined) option.fail('got it a second time, allowed: once');
    option.noOptions();
    // 0 stands for any number.
    limits[limit] = option.integer(option.one(`${name} COUNT`), { min: 0, max: MAX, what: 'COUNT' }) || Infinity;
  }
  block.settings.transports = { ...block.settings.transports, grpc: limits };
  return undefined;
});
