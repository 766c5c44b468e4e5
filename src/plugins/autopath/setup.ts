import {
  PerServer,
  definePlugin,
  hasSearchLists,
  hasSearchPaths,
  type Block,
  type ProvidesSearchLists,
  type ProvidesSearchPaths,
  type Query,
  type Zones,
} from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import type { Metrics, Value } from '../../metrics/metrics.js';
import { AutoPath, type SearchPath } from './handler.js';
import { readSearchPath } from './search-file.js';
import { ListWalk, type WalkResult } from './walk.js';

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
  if (source === '@node') return onNode(directive, zones, block, successes);
  const ofHost = hostPath(block);
  let plugin: ProvidesSearchPaths | undefined;
  block.onStart(() => void (plugin = fromPlugin(source.slice(1), directive, block)));
  const pathOf = (query: Query): SearchPath | undefined => {
    const domains = plugin?.searchPath(query);
    return domains && [...domains, ...ofHost];
  };
  return new AutoPath(zones, pathOf, 'client', successes);
});

/** The walk of the search lists that the plugin *node* knows. */
function onNode(directive: Directive, zones: Zones, block: Block, successes: PerServer<Value>): ListWalk {
  let lists: ProvidesSearchLists = { searchList: () => undefined };
  block.onStart(() => {
    const handler = block.handlers().find(({ name }) => name === 'node');
    if (handler === undefined || !hasSearchLists(handler))
      return directive.fail(`got '@node', but there is no directive node in this server block`);
    lists = handler;
  });
  const { clock, metrics } = block.runtime;
  const searchList: ProvidesSearchLists['searchList'] = (query) => lists.searchList(query);
  return new ListWalk({ zones, lists: { searchList }, ask: block.ask, clock, successes, walks: walksTotal(metrics) });
}

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
  return directive.fail(`got '@${name}', allowed: @kubernetes, @node, or @ and another plugin that knows search paths`);
}

function walksTotal(metrics: Metrics): PerServer<Record<WalkResult, Value>> {
  const family = metrics.counter('autopath', 'walks_total', 'Counter of walks by what came of them.', [
    'server',
    'result',
  ]);
  return new PerServer(({ label: server }) => ({
    answered: family.with({ server, result: 'answered' }),
    denied: family.with({ server, result: 'denied' }),
    left: family.with({ server, result: 'left' }),
  }));
}

function successTotal(metrics: Metrics): PerServer<Value> {
  const family = metrics.counter('autopath', 'success_total', 'Counter of requests that did autopath.', ['server']);
  return new PerServer(({ label }) => family.with({ server: label }));
}
