import { Channel } from '../../lib/channel.js';
import type { Milliseconds } from '../../lib/units.js';
import { addressesOf, addressesOfServices, addressesOfSlices } from './change.js';
import type { ChangeType, KubeChange, ServiceChange } from './change.js';
import { MultiMap } from './multimap.js';
import { namespaceOf } from '../objects/objects.js';
import type {
  EndpointSlice,
  KubeKind,
  KubeObject,
  KubeObjects,
  Namespace,
  Node,
  Pod,
  Service,
  ServiceImport,
} from '../objects/objects.js';
import { isSame } from './same.js';
import { ServiceIndex, Table } from './table.js';

/** A list that takes the place of everything the store holds of one kind. */
export interface Replacement {
  /** Puts one listed object in. Equal objects stay as they are, without a change being told. */
  apply(object: KubeObject, triggeredAt?: Milliseconds): void;
  /** Ends the list: what it did not hold is deleted. Not calling it (a list that broke off) deletes nothing. */
  commit(): void;
  /** The same in steps, one for each object that is looked at, so that a caller can let others run in between. */
  sweep(): Iterator<void>;
}

/**
 * Trimmed objects with an index for every lookup. Each change costs what changed: no index is ever rebuilt.
 * Objects are immutable; a changed object is a new one. Listeners run inside the call that made the change, with the
 * store
 * already in its new state.
 */
export class KubeStore {
  /** Every real change, object by object. */
  readonly changes = new Channel<KubeChange>();
  /** Every change to what the names of one service answer. */
  readonly serviceChanges = new Channel<ServiceChange>();

  private readonly tables: { readonly [Kind in KubeKind]: Table<KubeObjects[Kind]> } = {
    Service: new Table<Service>(),
    EndpointSlice: new Table<EndpointSlice>(),
    Pod: new Table<Pod>(),
    Namespace: new Table<Namespace>(),
    Node: new Table<Node>(),
    ServiceImport: new Table<ServiceImport>(),
  };
  private readonly slices = new ServiceIndex<EndpointSlice>();
  private readonly importedSlices = new ServiceIndex<EndpointSlice>();
  private readonly serviceIps = new MultiMap<Service>();
  private readonly outsideIps = new MultiMap<Service>();
  private readonly endpointIps = new MultiMap<EndpointSlice>();
  private readonly podIps = new MultiMap<Pod>();

  service(namespace: string, name: string): Service | undefined {
    return this.tables.Service.get(namespace, name);
  }

  pod(namespace: string, name: string): Pod | undefined {
    return this.tables.Pod.get(namespace, name);
  }

  namespace(name: string): Namespace | undefined {
    return this.tables.Namespace.get('', name);
  }

  node(name: string): Node | undefined {
    return this.tables.Node.get('', name);
  }

  get<Kind extends KubeKind>(kind: Kind, namespace: string, name: string): KubeObjects[Kind] | undefined {
    return this.tables[kind].get(namespace, name);
  }

  /** Slices of a service, whether or not the service itself is known yet. Not to be altered. */
  slicesOf(namespace: string, service: string): readonly EndpointSlice[] {
    return this.slices.get(namespace, service);
  }

  /** Slices of a service of several clusters. Not to be altered. */
  slicesOfImport(namespace: string, service: string): readonly EndpointSlice[] {
    return this.importedSlices.get(namespace, service);
  }

  /**
   * Services with this cluster address, in canonical spelling; more than one only while the cluster is at odds with
   * itself.
   */
  servicesByIp(ip: string): readonly Service[] {
    return this.serviceIps.get(ip);
  }

  /** Services with this address outside the cluster, in canonical spelling. */
  servicesByOutsideIp(ip: string): readonly Service[] {
    return this.outsideIps.get(ip);
  }

  /** Slices that hold an endpoint of this address, ready or not, and belong to a service. */
  slicesByIp(ip: string): readonly EndpointSlice[] {
    return this.endpointIps.get(ip);
  }

  /** Pods of this address: several when they share a node's network. */
  podsByIp(ip: string): readonly Pod[] {
    return this.podIps.get(ip);
  }

  /** All objects of a kind in one namespace. */
  in<Kind extends KubeKind>(kind: Kind, namespace: string): IterableIterator<KubeObjects[Kind]> {
    return this.tables[kind].in(namespace);
  }

  all<Kind extends KubeKind>(kind: Kind): IterableIterator<KubeObjects[Kind]> {
    return this.tables[kind].all();
  }

  count(kind: KubeKind): number {
    return this.tables[kind].size;
  }

  /**
   * Adds the object or puts it in place of the one of the same kind, namespace and name. Returns whether anything
   * changed.
   */
  apply(object: KubeObject, triggeredAt?: Milliseconds): boolean {
    const old = this.get(object.kind, namespaceOf(object), object.name);
    if (old === object || (old && isSame(old, object))) return false;
    this.change(old, object, triggeredAt);
    return true;
  }

  /** Returns whether there was such an object. */
  delete(kind: KubeKind, namespace: string, name: string): boolean {
    const old = this.get(kind, namespace, name);
    if (!old) return false;
    this.change(old, undefined, undefined);
    return true;
  }

  /** Begins to merge a full list of one kind; see {@link Replacement}. */
  replace(kind: KubeKind): Replacement {
    // Not kept at the first list, so that start-up pays nothing for it.
    const seen = this.count(kind) > 0 ? new Set<KubeObject | undefined>() : undefined;
    const sweep = function* (this: KubeStore): Generator<void> {
      if (seen === undefined) return;
      for (const object of this.all(kind)) {
        if (!seen.has(object)) this.delete(kind, namespaceOf(object), object.name);
        yield;
      }
    }.bind(this);
    return {
      apply: (object, triggeredAt) => {
        this.apply(object, triggeredAt);
        seen?.add(this.get(kind, namespaceOf(object), object.name));
      },
      commit: () => {
        const steps = sweep();
        while (steps.next().done !== true);
      },
      sweep,
    };
  }

  private change(
    old: KubeObject | undefined,
    next: KubeObject | undefined,
    triggeredAt: Milliseconds | undefined,
  ): void {
    const kind = (next ?? old)!.kind;
    const table = this.tables[kind] as Table<KubeObject>;
    if (next) table.set(next);
    else table.delete(old!);
    if (kind === 'Service') this.moveService(old as Service | undefined, next as Service | undefined);
    else if (kind === 'Pod') moveKeys(this.podIps, old as Pod | undefined, next as Pod | undefined, (pod) => pod.ips);
    else if (kind === 'EndpointSlice')
      this.moveSlice(old as EndpointSlice | undefined, next as EndpointSlice | undefined);
    if (this.changes.active) {
      const type: ChangeType = !old ? 'added' : !next ? 'deleted' : 'modified';
      this.changes.emit({ kind, type, old, new: next, triggeredAt } as KubeChange);
    }
    if (this.serviceChanges.active) this.tellServices(old, next);
  }

  private moveService(old: Service | undefined, next: Service | undefined): void {
    moveKeys(this.serviceIps, old, next, (service) => service.clusterIps);
    moveKeys(this.outsideIps, old, next, (service) => service.externalIps);
  }

  private moveImported(old: EndpointSlice | undefined, next: EndpointSlice | undefined): void {
    if (old?.imported) this.importedSlices.replace(old.namespace, old.imported.service, old, undefined);
    if (next?.imported) this.importedSlices.replace(next.namespace, next.imported.service, undefined, next);
  }

  private moveSlice(old: EndpointSlice | undefined, next: EndpointSlice | undefined): void {
    if (old?.imported || next?.imported) this.moveImported(old, next);
    // Addresses of a slice that belongs to no service have no name in DNS.
    const before = old?.service ? old : undefined;
    const after = next?.service ? next : undefined;
    moveKeys(this.endpointIps, before, after, addressesOf);
    if (before && after && before.service === after.service)
      return this.slices.replace(after.namespace, after.service, before, after);
    if (before) this.slices.replace(before.namespace, before.service, before, undefined);
    if (after) this.slices.replace(after.namespace, after.service, undefined, after);
  }

  private tellServices(old: KubeObject | undefined, next: KubeObject | undefined): void {
    const object = (next ?? old)!;
    if (object.kind === 'Service') {
      this.serviceChanges.emit({
        namespace: object.namespace,
        name: object.name,
        addresses: addressesOfServices(old as Service | undefined, next as Service | undefined),
      });
    } else if (object.kind === 'EndpointSlice') {
      const [before, after] = [old as EndpointSlice | undefined, next as EndpointSlice | undefined];
      if (before && after && before.service === after.service)
        return this.tellSlice(after, addressesOfSlices(before, after));
      if (before) this.tellSlice(before, addressesOfSlices(before, undefined));
      if (after) this.tellSlice(after, addressesOfSlices(undefined, after));
    }
  }

  private tellSlice(slice: EndpointSlice, addresses: readonly string[]): void {
    if (slice.service !== '') this.serviceChanges.emit({ namespace: slice.namespace, name: slice.service, addresses });
  }
}

function moveKeys<T>(
  index: MultiMap<T>,
  old: T | undefined,
  next: T | undefined,
  keys: (object: T) => readonly string[],
): void {
  if (old) for (const key of keys(old)) index.remove(key, old);
  if (next) for (const key of keys(next)) index.add(key, next);
}
