import { definePlugin, hasReadiness, httpAddress, onlyOne } from '../../chain/index.js';
import { ReadinessRegistry, type Monitor } from './registry.js';

const DEFAULT_ADDRESS = ':8181';
const MONITORS: readonly Monitor[] = ['until-ready', 'continuously'];

export const ready = definePlugin('ready', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 1, 'ready [ADDRESS]');
  let monitor: Monitor = 'until-ready';
  for (const option of directive.options ?? []) {
    if (option.name !== 'monitor') option.unknown(['monitor']);
    option.noOptions();
    monitor = option.oneOf(option.one('monitor until-ready|continuously'), MONITORS);
  }
  const log = block.logger('ready');
  const roll = block.shared('ready', () => new ReadinessRegistry());
  const at = httpAddress(directive, directive.args[0] ?? DEFAULT_ADDRESS);
  block.serveHttp({
    ...at,
    path: '/ready',
    owner: 'ready',
    answer() {
      if (roll.closing) return { status: 503, body: 'Shutting down' };
      const missing = roll.missing();
      if (missing.length === 0) return { status: 200, body: 'OK' };
      log.info(`Plugins not ready: "${missing.join(',')}"`);
      return { status: 503, body: missing.join(',') };
    },
  });
  block.onStart(() => {
    for (const handler of block.handlers()) if (hasReadiness(handler)) roll.add(handler, monitor);
  });
  block.onShutdown(() => roll.close());
  return undefined;
});
