import type { Runtime } from '../../chain/index.js';
import { ApiSource } from '../../kube/api/source.js';
import { ManifestSource } from '../../kube/manifests/source.js';
import { DNS_FIELDS, type FieldChoice, type Pod } from '../../kube/objects/objects.js';
import type { KubeSource } from '../../kube/source.js';
import { KubeStore } from '../../kube/store/store.js';
import { formatIp } from '../../lib/cidr.js';
import type { Logger } from '../../lib/log.js';
import { sourceIp } from '../../lib/networks.js';
import { connect } from '../../origin/connect.js';
import { restClientMetrics } from '../../origin/metrics.js';
import type { Origin } from '../../origin/options.js';
import { podCount } from './metrics.js';

/** Their addresses may belong to others by now. */
const ENDED = new Set(['Succeeded', 'Failed', 'Unknown']);
const FIELDS: FieldChoice = { ...DNS_FIELDS, labels: true, topology: true, podDns: true };

/** The pods of one node, as far as they can be told by their addresses. */
export class NodePods {
  constructor(
    readonly store: KubeStore,
    private readonly node: string,
  ) {}

  /**
   * The pod that has the address for itself; undefined for an address of the node, which pods share with it, and for
   * one that two pods claim: it passes from one to the other.
   */
  at(address: string): Pod | undefined {
    const ip = sourceIp(address);
    if (ip === undefined) return undefined;
    const claims = this.store.podsByIp(formatIp(ip)).filter((pod) => this.runs(pod));
    const [pod] = claims;
    return claims.length === 1 && !pod!.hostNetwork ? pod : undefined;
  }

  get count(): number {
    let count = 0;
    for (const pod of this.store.all('Pod')) if (this.runs(pod)) count++;
    return count;
  }

  private runs(pod: Pod): boolean {
    return pod.node === this.node && !ENDED.has(pod.phase);
  }
}

/** The pods of a node and what keeps them up to date, as long as some server block has a use for them. */
export class FollowedPods {
  readonly pods: NodePods;
  private users = 0;
  private end = (): void => undefined;

  /** @param source undefined where somebody else fills the store */
  constructor(
    store: KubeStore,
    private readonly source: KubeSource | undefined,
    private readonly node: string,
    private readonly runtime: Runtime,
    private readonly onEnd: () => void = () => undefined,
  ) {
    this.pods = new NodePods(store, node);
  }

  /** Begins to follow them, for the first who asks. */
  acquire(log: Logger): void {
    if (this.users++ > 0) return;
    const { source, node, pods } = this;
    const gauge = podCount(this.runtime.metrics, node);
    const running = new AbortController();
    const unsubscribe = pods.store.changes.subscribe(({ kind, type }) => {
      if (kind === 'Pod' && (type !== 'modified' || source === undefined)) gauge.set(pods.count);
    });
    gauge.set(pods.count);
    this.end = () => {
      unsubscribe();
      running.abort(new Error('no longer served'));
    };
    source?.start(pods.store, running.signal);
    void source?.synced.then(() => log.info(`${pods.count} pods of node ${node}`));
  }

  /** Ends following them when nobody is left who asked for it. */
  release(): void {
    if (--this.users > 0) return;
    this.end();
    this.onEnd();
  }
}

/** Those that are followed at the moment, by where they come from: a reload reads nothing anew. */
const followed = new WeakMap<Runtime, Map<string, FollowedPods>>();

/** The pods of the node: those that are followed already, where there are such. Throws a ConnectionError. */
export function openPods(origin: Origin, node: string, runtime: Runtime, log: Logger): FollowedPods {
  const running = followed.get(runtime) ?? new Map<string, FollowedPods>();
  followed.set(runtime, running);
  const file = origin.kind === 'kubeconfig' ? runtime.fileInfo(origin.path) : undefined;
  const key = JSON.stringify([origin, file, node]);
  const known = running.get(key);
  if (known !== undefined) return known;
  const source = sourceOf(origin, node, runtime, log);
  const made = new FollowedPods(new KubeStore(), source, node, runtime, () => running.delete(key));
  running.set(key, made);
  return made;
}

function sourceOf(origin: Origin, node: string, runtime: Runtime, log: Logger): KubeSource {
  const { clock, random, metrics, version } = runtime;
  const what = { kinds: ['Pod'] as const, fields: FIELDS, clock, log };
  if (origin.kind === 'manifests') return new ManifestSource({ ...what, paths: origin.paths });
  return new ApiSource({
    ...what,
    node,
    connection: connect(origin, runtime),
    runningPodsOnly: true,
    random,
    userAgent: `nodens/${version}`,
    onRequest: restClientMetrics(metrics),
  });
}
