import { definePlugin, onlyOne, type Block, type PluginDefinition } from '../../chain/index.js';
import type { Directive } from '../../corefile/index.js';
import { ConnectionError } from '../../kube/auth/connection.js';
import type { KubeStore } from '../../kube/store/store.js';
import { OriginOptions, type Origin } from '../../origin/options.js';
import type { Name } from '../../wire/index.js';
import { NodeClients } from './handler.js';
import { FollowedPods, openPods } from './pods.js';
import { SearchLists } from './search-list.js';

/** Names of objects (RFC 1123 subdomains): nothing else goes into a selector for the API. */
const NODE_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const REVERSE = /(^|\.)(in-addr|ip6)\.arpa\.$/;
const DEFAULT_DOMAIN = 'cluster.local.';

interface NodeOptions {
  readonly domain: Name;
  readonly node: string;
  readonly origin: Origin;
  readonly resolvConf: string;
}

/** The directive, with the pods of the API or files that it names. */
export const node = definePlugin('node', (directives, block) => {
  const directive = onlyOne(directives);
  const options = readOptions(directive, block);
  try {
    return serve(options, openPods(options.origin, options.node, block.runtime, block.logger('node')), block);
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return directive.fail(error.message);
  }
});

/** The directive over objects that somebody else holds, whatever API or files it names: for servers within a model. */
export const nodeOver = (store: KubeStore): PluginDefinition =>
  definePlugin('node', (directives, block) => {
    const options = readOptions(onlyOne(directives), block);
    return serve(options, new FollowedPods(store, undefined, options.node, block.runtime), block);
  });

function serve({ domain, resolvConf }: NodeOptions, followed: FollowedPods, block: Block): NodeClients {
  let stop = (): void => undefined;
  // Nothing is waited for: a pod that is not known yet is answered as without this plugin.
  block.onStart(() => {
    followed.acquire(block.logger('node'));
    stop = () => followed.release();
  });
  block.onStop(() => stop());
  return new NodeClients(followed.pods, new SearchLists(domain, resolvConf));
}

function readOptions(directive: Directive, block: Block): NodeOptions {
  directive.argCount(0, 1, 'node [DOMAIN]');
  const [zone] = block.zonesOf(directive.args, directive).list.filter((name) => name !== '.' && !REVERSE.test(name));
  const origin = new OriginOptions();
  let name = block.runtime.env['NODE_NAME'] ?? '';
  let file = '/etc/resolv.conf';
  for (const option of directive.options ?? []) {
    option.noOptions();
    if (origin.take(option)) continue;
    if (option.name === 'name') name = option.one('name NODE');
    else if (option.name === 'resolv_conf') file = option.one('resolv_conf FILE');
    else option.unknown([...OriginOptions.NAMES, 'name', 'resolv_conf']);
  }
  if (!NODE_NAME.test(name))
    directive.fail(`got node name '${name}', allowed: the name of a node, by the option name or in NODE_NAME`);
  return {
    domain: zone ?? DEFAULT_DOMAIN,
    node: name,
    origin: origin.origin(block.logger('node')),
    resolvConf: readText(file, directive, block),
  };
}

/** A host without the usual file has no search domains. */
function readText(file: string, directive: Directive, { runtime }: Block): string {
  try {
    return runtime.readFile(file);
  } catch (error) {
    if (file === '/etc/resolv.conf' && (error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    return directive.fail(`cannot use '${file}': ${(error as Error).message}`);
  }
}
