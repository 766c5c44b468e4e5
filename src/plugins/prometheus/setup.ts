import path from 'node:path';
import {
  PerServer,
  ZonedSeries,
  definePlugin,
  hasCountedZones,
  httpAddress,
  metricsAnswer,
  onlyOne,
  pluginEnabled,
  registerProcess,
  writersOf,
  type Block,
  type TlsListening,
} from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { Prometheus } from './handler.js';
import { webConfig } from './web-config.js';

const DEFAULT_ADDRESS = 'localhost:9153';

export const prometheus = definePlugin('prometheus', (directives, block) => {
  const directive = onlyOne(directives);
  directive.argCount(0, 1, 'prometheus [ADDRESS]');
  const tls = readOptions(directive, block);
  const { metrics, clock, version } = block.runtime;
  registerProcess(metrics, version);
  block.serveHttp({
    ...httpAddress(directive, directive.args[0] ?? DEFAULT_ADDRESS),
    path: '/metrics',
    owner: 'prometheus',
    ...(tls && { tls }),
    answer: (request) => metricsAnswer(metrics, request),
  });
  block.onServing(() => showEnabled(block));
  const series = new PerServer((server) => {
    const handlers = block.handlers();
    const view = block.settings.view?.name ?? '';
    const sources = handlers.filter((handler) => hasCountedZones(handler));
    return new ZonedSeries(metrics, server.label, block.zones, view, writersOf(handlers), sources);
  });
  return new Prometheus(series, clock);
});

function readOptions(directive: Directive, { runtime, settings }: Block): TlsListening | undefined {
  let tls: TlsListening | undefined;
  for (const option of directive.options ?? []) {
    option.noOptions();
    switch (option.name) {
      case 'tls': {
        if (tls !== undefined) option.fail('got it a second time, allowed: once');
        const file = option.one('tls FILE');
        try {
          tls = webConfig(settings.root === undefined ? file : path.resolve(settings.root, file), runtime);
        } catch (error) {
          option.fail((error as Error).message);
        }
        break;
      }
      case 'runtime_metrics':
        // All that there is of the process is shown in any case.
        option.flag();
        break;
      default:
        option.unknown(['runtime_metrics', 'tls']);
    }
  }
  return tls;
}

/** Sets the gauges of this block; the first block of a configuration to get here clears those of the one before. */
function showEnabled(block: Block): void {
  const enabled = pluginEnabled(block.runtime.metrics);
  block.shared('prometheus: plugin_enabled', () => {
    enabled.clear();
    return true;
  });
  for (const { label } of block.addresses()) {
    for (const zone of block.zones)
      for (const { name } of block.handlers()) enabled.with({ server: label, zone, name }).set(1);
  }
}
