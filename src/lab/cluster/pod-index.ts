import { objectAt, textAt } from '../../kube/objects/raw.js';
import type { ApiObject } from './api-object.js';

/** What names an object among all. */
export type ObjectKey = Pick<ApiObject, 'kind' | 'namespace' | 'name'>;

/** `KIND/NAMESPACE/NAME`. */
export const keyOf = ({ kind, namespace, name }: ObjectKey): string => `${kind}/${namespace}/${name}`;

/** The workload that a pod belongs to. */
export function ownerOf(pod: ApiObject): { readonly kind: string; readonly name: string } | undefined {
  const [owner] = (objectAt(pod.raw, 'metadata')['ownerReferences'] as readonly unknown[] | undefined) ?? [];
  return owner === undefined ? undefined : { kind: textAt(owner, 'kind'), name: textAt(owner, 'name') };
}

/** The node that a pod is bound to; undefined before it has one. */
export const nodeOf = (pod: ApiObject): string | undefined =>
  textAt(objectAt(pod.raw, 'spec'), 'nodeName') || undefined;

const add = (counts: Map<string, number>, node: string | undefined, by: number): void => {
  if (node !== undefined) counts.set(node, (counts.get(node) ?? 0) + by);
};

/** The pods of one workload, and how many of them each node has. */
interface Owned {
  readonly pods: Map<string, ApiObject>;
  readonly counts: Map<string, number>;
}

const NONE: ReadonlyMap<string, number> = new Map();

/** Pods by the workload and by the node that they belong to: what a scheduler asks for each pod that it places. */
export class PodIndex {
  private readonly owned = new Map<string, Owned>();
  private readonly counts = new Map<string, number>();

  /** Puts a pod in place of the one of its name. */
  put(pod: ApiObject, old: ApiObject | undefined): void {
    if (old) this.delete(old);
    const node = nodeOf(pod);
    add(this.counts, node, 1);
    const key = ownerKey(pod);
    if (key === undefined) return;
    const own: Owned = this.owned.get(key) ?? { pods: new Map(), counts: new Map() };
    this.owned.set(key, own);
    own.pods.set(keyOf(pod), pod);
    add(own.counts, node, 1);
  }

  delete(pod: ApiObject): void {
    const node = nodeOf(pod);
    add(this.counts, node, -1);
    const own = this.owned.get(ownerKey(pod) ?? '');
    if (own?.pods.delete(keyOf(pod)) === true) add(own.counts, node, -1);
  }

  /** The pods of a workload, in no order. */
  of(workload: ObjectKey): Iterable<ApiObject> {
    return this.owned.get(keyOf(workload))?.pods.values() ?? [];
  }

  /** How many pods each node has; those of a workload alone where one is named. Nodes that are not in it have none. */
  perNode(workload?: ObjectKey): ReadonlyMap<string, number> {
    return (workload === undefined ? this.counts : this.owned.get(keyOf(workload))?.counts) ?? NONE;
  }
}

function ownerKey(pod: ApiObject): string | undefined {
  const owner = ownerOf(pod);
  return owner && keyOf({ ...owner, namespace: pod.namespace });
}
