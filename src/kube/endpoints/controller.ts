import type { KubeChange } from '../store/change.js';
import { formedSlices } from './formation.js';
import { MultiMap } from '../store/multimap.js';
import type { EndpointSlice, ObjectLabels, Pod, Service } from '../objects/objects.js';
import type { KubeStore } from '../store/store.js';

interface Followed {
  service: Service;
  /** Names of the pods that the selector picks. */
  readonly pods: Set<string>;
  /** Names of the slices made here. */
  slices: ReadonlySet<string>;
}

/**
 * Does what a cluster's endpoint slice controller does: keeps slices for every service with a selector, from the pods
 * it picks.
 * The store has to hold selectors, labels and topology ({@link ALL_FIELDS}). Services without a selector, and
 * services for which
 * somebody else keeps slices, are left alone; when those slices go, the controller steps in.
 * A change of a pod costs a look at its labels and new slices for the services that pick it; changes within one turn
 * of the event
 * loop are worked off together.
 */
export class EndpointController {
  private readonly followed = new Map<string, Followed>();
  /** Services by one of the labels they ask for: a pod without it cannot be theirs. */
  private readonly byLabel = new MultiMap<string>();
  private readonly dirty = new Set<string>();
  private readonly unsubscribe: () => void;

  constructor(private readonly store: KubeStore) {
    for (const service of store.all('Service')) this.serviceChanged(undefined, service);
    this.unsubscribe = store.changes.subscribe((change) => this.changed(change));
    this.flush();
  }

  /** Ends following; the slices made so far stay in the store. */
  stop(): void {
    this.unsubscribe();
    this.dirty.clear();
  }

  /** Works off what has changed now, instead of at the end of this turn. */
  flush(): void {
    for (const key of this.dirty) {
      this.dirty.delete(key);
      this.reconcile(key);
    }
  }

  private changed(change: KubeChange): void {
    if (change.kind === 'Service') this.serviceChanged(change.old, change.new);
    else if (change.kind === 'Pod') this.podChanged(change.old, change.new);
    else if (change.kind === 'EndpointSlice') this.sliceChanged((change.new ?? change.old)!);
    else if (change.kind === 'Node') for (const key of this.followed.keys()) this.mark(key);
  }

  private serviceChanged(old: Service | undefined, next: Service | undefined): void {
    const key = serviceKey((next ?? old)!);
    if (old?.selector) this.byLabel.remove(labelKey(old.namespace, old.selector), key);
    const followed = this.followed.get(key);
    if (!next?.selector || next.type === 'ExternalName') {
      if (followed) this.drop(key, followed, (next ?? old)!.namespace);
      return;
    }
    this.byLabel.add(labelKey(next.namespace, next.selector), key);
    const pods = new Set<string>();
    for (const pod of this.store.in('Pod', next.namespace)) if (picks(next.selector, pod)) pods.add(pod.name);
    this.followed.set(key, { service: next, pods, slices: followed?.slices ?? new Set() });
    this.mark(key);
  }

  private drop(key: string, followed: Followed, namespace: string): void {
    this.followed.delete(key);
    this.dirty.delete(key);
    for (const name of followed.slices) this.store.delete('EndpointSlice', namespace, name);
  }

  private podChanged(old: Pod | undefined, next: Pod | undefined): void {
    const pod = (next ?? old)!;
    const keys = new Set<string>();
    for (const labels of [old?.labels, next?.labels]) {
      for (const [label, value] of Object.entries(labels ?? {}))
        for (const key of this.byLabel.get(labelKey(pod.namespace, { [label]: value }))) keys.add(key);
    }
    for (const key of keys) {
      const { service, pods } = this.followed.get(key)!;
      const member = next !== undefined && picks(service.selector!, next);
      if (!member && !pods.has(pod.name)) continue;
      if (member) pods.add(pod.name);
      else pods.delete(pod.name);
      this.mark(key);
    }
  }

  /** Somebody else's slice came or went: whether the service is ours may have changed. */
  private sliceChanged(slice: EndpointSlice): void {
    const key = `${slice.namespace}/${slice.service}`;
    const followed = this.followed.get(key);
    if (followed && !followed.slices.has(slice.name)) this.mark(key);
  }

  private mark(key: string): void {
    if (this.dirty.size === 0) queueMicrotask(() => this.flush());
    this.dirty.add(key);
  }

  private reconcile(key: string): void {
    const followed = this.followed.get(key);
    if (!followed) return;
    const { service, pods, slices } = followed;
    const foreign = this.store.slicesOf(service.namespace, service.name).some((slice) => !slices.has(slice.name));
    const members = foreign
      ? []
      : [...pods].map((name) => this.store.pod(service.namespace, name)).filter((pod) => pod !== undefined);
    const wanted = foreign
      ? []
      : formedSlices(service, members, (node) => this.store.node(node)?.labels?.['topology.kubernetes.io/zone']);
    // Known as ours before the store tells of them.
    followed.slices = new Set([...slices, ...wanted.map((slice) => slice.name)]);
    for (const slice of wanted) this.store.apply(slice);
    const names = new Set(wanted.map((slice) => slice.name));
    for (const name of slices) if (!names.has(name)) this.store.delete('EndpointSlice', service.namespace, name);
    followed.slices = names;
  }
}

function serviceKey(service: Service): string {
  return `${service.namespace}/${service.name}`;
}

function labelKey(namespace: string, labels: ObjectLabels): string {
  const [entry] = Object.entries(labels);
  return `${namespace}/${entry![0]}=${entry![1]}`;
}

function picks(selector: ObjectLabels, pod: Pod): boolean {
  return Object.entries(selector).every(([label, value]) => pod.labels?.[label] === value);
}
