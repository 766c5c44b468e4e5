import {
  PerServer,
  definePlugin,
  hasSearchPaths,
  type Block,
  type ProvidesSearchPaths,
  type Query,
} from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import type { Metrics, Value } from '../../metrics/metrics.js';
import { AutoPath, type SearchPath } from './handler.js';
import { readSearchPath } from './search-file.js';

/** Of several directives in a server block the last one counts. */
export const autopath = definePlugin('autopath', (directives, block) => {
  const directive = directives.at(-1)!;
  for (const each of directives) {
    each.noOptions();
    each.argCount(1, Infinity, 'autopath [ZONES...] RESOLV-CONF|@PLUGIN');
  }
  const source = directive.args.at(-1)!;
  const zones = block.zonesOf(directive.args.slice(0, -1), directive);
  const successes = successTotal(block.runtime.metrics);
  if (!source.startsWith('@')) {
    const path = fromFile(source, directive, block);
    return new AutoPath(zones, () => path, 'question', successes);
  }
  const ofHost = hostPath(block);
  let plugin: ProvidesSearchPaths | undefined;
  block.onStart(() => void (plugin = fromPlugin(source.slice(1), directive, block)));
  const pathOf = (query: Query): SearchPath | undefined => {
    const domains = plugin?.searchPath(query);
    return domains && [...domains, ...ofHost];
  };
  return new AutoPath(zones, pathOf, 'client', successes);
});

/** What pods have from their node: that of this host, which is one or runs on one. */
function hostPath({ runtime }: Block): SearchPath {
  let path: SearchPath;
  try {
    path = readSearchPath(runtime.readFile('/etc/resolv.conf'));
  } catch {
    path = [];
  }
  return path.length === 0 ? ['.'] : path;
}

function fromFile(path: string, directive: Directive, block: Block): SearchPath {
  try {
    return readSearchPath(block.runtime.readFile(path));
  } catch (error) {
    return directive.fail(`cannot use '${path}': ${(error as Error).message}`);
  }
}

/** A plugin that is not in the block is none to ask, as with CoreDNS. */
function fromPlugin(name: string, directive: Directive, block: Block): ProvidesSearchPaths | undefined {
  const handler = block.handlers().find((each) => each.name === name);
  if (handler === undefined || hasSearchPaths(handler)) return handler;
  return directive.fail(`got '@${name}', allowed: @kubernetes, or @ and another plugin that knows search paths`);
}

function successTotal(metrics: Metrics): PerServer<Value> {
  const family = metrics.counter('autopath', 'success_total', 'Counter of requests that did autopath.', ['server']);
  return new PerServer(({ label }) => family.with({ server: label }));
}
