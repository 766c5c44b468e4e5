import type { Runtime } from '../../chain/index.js';
import { ApiSource } from '../../kube/api/source.js';
import { EndpointController } from '../../kube/endpoints/controller.js';
import { ManifestSource } from '../../kube/manifests/source.js';
import {
  ALL_FIELDS,
  DNS_FIELDS,
  KUBE_KINDS,
  type FieldChoice,
  type KubeKind,
  type Service,
} from '../../kube/objects/objects.js';
import type { KubeSource } from '../../kube/source.js';
import { KubeStore } from '../../kube/store/store.js';
import type { KubeChange } from '../../kube/store/change.js';
import type { Clock } from '../../lib/clock.js';
import type { Logger } from '../../lib/log.js';
import type { Seconds } from '../../lib/units.js';
import { connect } from '../../origin/connect.js';
import { restClientMetrics } from '../../origin/metrics.js';
import { programmingDuration } from './metrics.js';
import type { KubernetesOptions } from './options.js';
import { SnapshotFile } from './snapshot-file.js';

/** Objects and what keeps them up to date. */
export interface ClusterObjects {
  readonly store: KubeStore;
  /** undefined where somebody else fills the store. */
  readonly source: KubeSource | undefined;
  /** Makes slices from pods, where nobody else does. */
  readonly formsSlices?: boolean;
  /** Where they are saved, if they are. */
  readonly snapshot?: SnapshotFile;
}

/** The objects of a cluster as long as some server block answers from them. */
export class Cluster {
  /** Time of the last change to something that is answered with, in seconds since 1970; 0 before the first. */
  serial: Seconds = 0;
  /** The same, of what services are reached by from outside. */
  outsideSerial: Seconds = 0;
  /** The same, of services of several clusters. */
  importSerial: Seconds = 0;
  readonly store: KubeStore;
  private users = 0;
  private ending: (() => void)[] = [];
  private loading: Promise<void> = Promise.resolve();

  constructor(
    private readonly objects: ClusterObjects,
    private readonly runtime: Runtime,
    private readonly onEnd: () => void = () => undefined,
  ) {
    this.store = objects.store;
  }

  /** Whether everything there was at the start is known. */
  get hasSynced(): boolean {
    return this.objects.source?.hasSynced ?? true;
  }

  /** Whether there is enough to say that a name does not exist: what is there now, or was when it was saved. */
  get isKnown(): boolean {
    return this.hasSynced || this.objects.snapshot?.isLoaded === true;
  }

  /** Saves the objects, where that is asked for and they have changed. */
  async save(): Promise<void> {
    if (this.hasSynced) await this.objects.snapshot?.save(this.store);
  }

  get synced(): Promise<void> {
    return this.objects.source?.synced ?? Promise.resolve();
  }

  /** Begins to follow the objects, for the first who asks. */
  acquire(): void {
    if (this.users++ > 0) return;
    const {
      store,
      objects: { source, formsSlices },
    } = this;
    this.ending.push(store.changes.subscribe(this.changeRecorder(this.runtime.clock)));
    if (formsSlices) {
      const controller = new EndpointController(store);
      this.ending.push(() => controller.stop());
    }
    const running = new AbortController();
    this.ending.push(() => running.abort(new Error('no longer served')));
    const { snapshot } = this.objects;
    if (snapshot === undefined) return void source?.start(store, running.signal);
    // The source replaces what the store holds, which has to be there by then.
    this.loading = snapshot.load(store).then(() => {
      if (running.signal.aborted) return;
      this.ending.push(snapshot.follow(store, () => this.hasSynced));
      source?.start(store, running.signal);
    });
  }

  /** Resolves when what was saved is known, where something was; never rejects. */
  get loaded(): Promise<void> {
    return this.loading;
  }

  /** Ends following when nobody is left who asked for it. */
  release(): void {
    if (--this.users > 0) return;
    for (const end of this.ending.splice(0)) end();
    this.onEnd();
  }

  private changeRecorder(clock: Clock): (change: KubeChange) => void {
    const programming = programmingDuration(this.runtime.metrics);
    return (change) => {
      if (change.kind === 'Namespace' || change.kind === 'Node') return;
      const now = Math.floor(clock.now() / 1000);
      const slice = change.kind === 'EndpointSlice' ? (change.new ?? change.old) : undefined;
      if (change.kind === 'ServiceImport' || slice?.imported !== undefined) this.importSerial = now;
      if (change.kind === 'ServiceImport') return;
      this.serial = now;
      if (change.kind === 'Service' && (isOutside(change.old) || isOutside(change.new)))
        this.outsideSerial = this.serial;
      if (change.kind !== 'EndpointSlice' || change.triggeredAt === undefined || change.new === undefined) return;
      const service = this.store.service(change.new.namespace, change.new.service);
      if (service !== undefined) programming(service.headless).observe((clock.now() - change.triggeredAt) / 1000);
    };
  }
}

/**
 * Clusters that are followed at the moment, by how they are reached: a reload goes on with what is there, and reads
 * nothing anew.
 */
const followed = new WeakMap<Runtime, Map<string, Cluster>>();

/**
 * The cluster that the options lead to: the one that is followed already, where there is one. Throws a
 * ConnectionError.
 */
export function openCluster(
  options: KubernetesOptions,
  runtime: Runtime,
  log: Logger,
  shared: <T>(key: string, create: () => T) => T,
): Cluster {
  const key = JSON.stringify(identity(options, runtime));
  const running = followed.get(runtime) ?? new Map<string, Cluster>();
  followed.set(runtime, running);
  return shared(`kubernetes ${key}`, () => {
    const known = running.get(key);
    if (known) return known;
    const made: Cluster = new Cluster(clusterObjects(options, runtime, log), runtime, () => running.delete(key));
    running.set(key, made);
    return made;
  });
}

/** What must be the same for two server blocks to answer from the same objects. */
function identity(options: KubernetesOptions, runtime: Runtime): unknown[] {
  const {
    origin,
    namespaces,
    labels,
    namespaceLabels,
    pods,
    endpoints,
    endpointPodNames,
    zonal,
    multicluster,
    limits,
  } = options;
  const file = origin.kind === 'kubeconfig' ? runtime.fileInfo(origin.path) : undefined;
  return [
    origin,
    file,
    [...(namespaces ?? [])].sort(),
    labels?.text,
    namespaceLabels?.text,
    pods === 'verified',
    endpoints,
    endpointPodNames,
    zonal,
    multicluster.list.length > 0,
    limits,
    options.snapshot,
  ];
}

function clusterObjects(options: KubernetesOptions, runtime: Runtime, log: Logger): ClusterObjects {
  const { clock, random, metrics, version } = runtime;
  const { origin, namespaces, labels, namespaceLabels, limits } = options;
  const choice = {
    ...(namespaces && { namespaces }),
    ...(labels && { labels }),
    ...(namespaceLabels && { namespaceLabels }),
  };
  const store = new KubeStore();
  if (origin.kind === 'manifests') {
    const source = new ManifestSource({
      ...choice,
      paths: origin.paths,
      kinds: KUBE_KINDS,
      fields: ALL_FIELDS,
      clock,
      log,
    });
    return { store, source, formsSlices: options.endpoints };
  }
  const source = new ApiSource({
    ...choice,
    connection: connect(origin, runtime),
    kinds: kindsFor(options),
    fields: fieldsFor(options),
    runningPodsOnly: true,
    limits,
    clock,
    random,
    log,
    userAgent: `nodens/${version}`,
    onRequest: restClientMetrics(metrics),
  });
  const { snapshot } = options;
  if (snapshot === undefined) return { store, source };
  const selection = JSON.stringify([origin, [...(namespaces ?? [])].sort(), labels?.text, namespaceLabels?.text]);
  return { store, source, snapshot: new SnapshotFile(snapshot, selection, { clock, log, metrics }) };
}

const kindsFor = ({ endpoints, pods, multicluster }: KubernetesOptions): KubeKind[] => [
  'Namespace',
  'Service',
  ...(endpoints || multicluster.list.length > 0 ? ['EndpointSlice' as const] : []),
  ...(pods === 'verified' ? ['Pod' as const] : []),
  ...(multicluster.list.length > 0 ? ['ServiceImport' as const] : []),
];

const fieldsFor = ({ endpointPodNames, zonal }: KubernetesOptions): FieldChoice => ({
  ...DNS_FIELDS,
  targets: endpointPodNames,
  topology: zonal,
});

const isOutside = (service: Service | undefined): boolean =>
  service !== undefined && service.externalIps.length + service.loadBalancerNames.length > 0;
