import { definePlugin, httpAddress } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { sleep } from '../../lib/clock.js';
import { formatDuration } from '../../lib/duration.js';
import { healthMetrics } from './metrics.js';
import { SelfCheck } from './self-check.js';

const DEFAULT_ADDRESS = ':8080';
const PATH = '/health';

export const health = definePlugin('health', (directives, block) => {
  let lameduck = 0;
  // Of several, what the last one says counts.
  let address: [Directive, string] = [directives[0], DEFAULT_ADDRESS];
  for (const directive of directives) {
    directive.argCount(0, 1, 'health [ADDRESS]');
    const [given] = directive.args;
    if (given !== undefined) address = [directive, given];
  }
  for (const option of directives.flatMap(({ options }) => options ?? [])) {
    if (option.name !== 'lameduck') option.unknown(['lameduck']);
    option.noOptions();
    lameduck = option.duration(option.one('lameduck DURATION'), { min: 0 });
  }
  const { clock, network, metrics } = block.runtime;
  const log = block.logger('health');
  const at = httpAddress(...address);
  const check = new SelfCheck({ ...at, path: PATH }, { network, clock, log, metrics: healthMetrics(metrics) });
  block.serveHttp({
    ...at,
    path: PATH,
    owner: 'health',
    answer: () => ({ status: 200, body: 'OK' }),
    listening: (port) => check.portIs(port),
  });
  block.onServing(() => check.start());
  block.onStop(() => check.stop());
  if (lameduck > 0) {
    block.onShutdown(() => {
      log.info(`Going into lameduck mode for ${formatDuration(lameduck)}`);
      return sleep(clock, lameduck);
    });
  }
  return undefined;
});
