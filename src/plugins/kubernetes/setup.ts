import { definePlugin, onlyOne, type Block, type PluginDefinition } from '../../chain/index.js';
import { ConnectionError } from '../../kube/auth/connection.js';
import { repeat, sleep } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Milliseconds } from '../../lib/units.js';
import { Cluster, openCluster, type ClusterObjects } from './cluster.js';
import { Kubernetes } from './handler.js';
import { ownAddresses } from './nameserver.js';
import { readOptions, type KubernetesOptions } from './options.js';

/** While starting waits for the objects, this often a line says so. */
const WAITING_LINE: Milliseconds = 500;

/** The directive, with the objects of the API or files that it names. */
export const kubernetes = definePlugin('kubernetes', (directives, block) => {
  const directive = onlyOne(directives);
  const options = readOptions(directive, block);
  try {
    const cluster = openCluster(options, block.runtime, block.logger('kubernetes'), (key, create) =>
      block.shared(key, create),
    );
    return serve(options, cluster, block, options.origin.kind === 'manifests');
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    return directive.fail(error.message);
  }
});

/** The directive over objects that somebody else holds, whatever API or files it names: for servers within a model. */
export const kubernetesOver = (
  objects: (options: KubernetesOptions, block: Block) => ClusterObjects,
): PluginDefinition =>
  definePlugin('kubernetes', (directives, block) => {
    const options = readOptions(onlyOne(directives), block);
    return serve(options, new Cluster(objects(options, block), block.runtime), block, false);
  });

function serve(options: KubernetesOptions, cluster: Cluster, block: Block, impliedNamespaces: boolean): Kubernetes {
  const handler = new Kubernetes({ ...options, impliedNamespaces }, cluster, block.ask);
  // A configuration that does not come to its start is stopped all the same.
  let stop = (): void => undefined;
  block.onStart(async () => {
    const unfollow = handler.follow();
    cluster.acquire();
    stop = () => {
      unfollow();
      cluster.release();
    };
    handler.ownAddresses = ownAddresses(block);
    await waitForSync(cluster, options.startupTimeout, block, block.logger('kubernetes'));
  });
  block.onStop(async () => {
    await cluster.save();
    stop();
  });
  return handler;
}

/** Resolves when the objects are known, or it has taken too long. */
async function waitForSync(
  cluster: Cluster,
  timeout: Milliseconds,
  { runtime: { clock } }: Block,
  log: Logger,
): Promise<void> {
  await cluster.loaded;
  if (cluster.isKnown) return;
  const waiting = repeat(clock, WAITING_LINE, () => log.info('waiting for Kubernetes API before starting server'));
  const done = new AbortController();
  await Promise.race([cluster.synced, sleep(clock, timeout, done.signal).catch(() => undefined)]);
  done.abort(new Error('done waiting'));
  waiting.cancel();
  if (!cluster.hasSynced) log.warning('starting server with unsynced Kubernetes API');
}
