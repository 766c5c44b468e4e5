import { TopologyError } from '../errors.js';
import { hash32 } from '../packet.js';

/** Security identities that need no allocation. */
export const RESERVED_IDENTITY = {
  unknown: 0,
  host: 1,
  world: 2,
  unmanaged: 3,
  health: 4,
  init: 5,
  'remote-node': 6,
  'kube-apiserver': 7,
  ingress: 8,
  'world-ipv4': 9,
  'world-ipv6': 10,
} as const;

/** Range of cluster-wide identities; those below are reserved. */
export const MIN_IDENTITY = 256;
export const MAX_IDENTITY = 65_535;

/** Label keys that Cilium leaves out of the identity by default, because they differ from pod to pod. */
const IGNORED_KEYS = [
  'io\\.kubernetes',
  '(?:.*\\.)?kubernetes\\.io',
  '.*beta\\.kubernetes\\.io',
  'k8s\\.io',
  'pod-template-generation',
  'pod-template-hash',
  'controller-revision-hash',
  'annotation\\..*',
  'controller-uid',
  'etcd_node',
  'batch\\.kubernetes\\.io.*',
  'statefulset\\.kubernetes\\.io.*',
  'apps\\.kubernetes\\.io.*',
];
const IGNORED = new RegExp(`^(?:${IGNORED_KEYS.join('|')})(?:/.*)?$`);
const KEPT = /^app\.kubernetes\.io\//;

export interface PodLabelSource {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  readonly clusterName: string;
}

/** The security labels of a pod, `k8s:key=value`, sorted as `cilium-dbg endpoint list` shows them. */
export function securityLabels(pod: PodLabelSource): readonly string[] {
  const labels = Object.entries(pod.labels)
    .filter(([key]) => KEPT.test(key) || !IGNORED.test(key))
    .map(([key, value]) => `k8s:${key}=${value}`);
  for (const [key, value] of Object.entries({ 'kubernetes.io/metadata.name': pod.namespace, ...pod.namespaceLabels })) {
    labels.push(`k8s:io.cilium.k8s.namespace.labels.${key}=${value}`);
  }
  labels.push(`k8s:io.cilium.k8s.policy.cluster=${pod.clusterName}`);
  labels.push(`k8s:io.cilium.k8s.policy.serviceaccount=${pod.serviceAccount}`);
  labels.push(`k8s:io.kubernetes.pod.namespace=${pod.namespace}`);
  return labels.sort();
}

/**
 * One identity for each set of labels, kept for good: a pod that is re-created with the same labels has the same
 * identity.
 * The number is drawn from a hash of the labels, so that it does not depend on the order in which pods appear.
 */
export class IdentityAllocator {
  private readonly byLabels = new Map<string, number>();
  private readonly taken = new Map<number, string>();

  /** Ties a label set to a given number. Throws a TopologyError when either is already tied to another. */
  pin(labels: readonly string[], identity: number, path: string): number {
    if (!Number.isInteger(identity) || identity < MIN_IDENTITY || identity > MAX_IDENTITY) {
      throw new TopologyError(path, `identity ${identity} is not in ${MIN_IDENTITY} to ${MAX_IDENTITY}`);
    }
    const key = labels.join(';');
    const owner = this.taken.get(identity);
    if (owner !== undefined && owner !== key)
      throw new TopologyError(path, `identity ${identity} belongs to the labels ${owner}`);
    const known = this.byLabels.get(key);
    if (known !== undefined && known !== identity)
      throw new TopologyError(path, `the labels ${key} already have identity ${known}`);
    this.byLabels.set(key, identity);
    this.taken.set(identity, key);
    return identity;
  }

  /** The identity of a label set. Throws a TopologyError when all numbers are taken. */
  allocate(labels: readonly string[]): number {
    const key = labels.join(';');
    const known = this.byLabels.get(key);
    if (known !== undefined) return known;
    const span = MAX_IDENTITY - MIN_IDENTITY + 1;
    if (this.taken.size >= span) throw new TopologyError('identities', `all ${span} security identities are taken`);
    let candidate = hash32(key) % span;
    while (this.taken.has(MIN_IDENTITY + candidate)) candidate = (candidate + 1) % span;
    return this.pin(labels, MIN_IDENTITY + candidate, 'identities');
  }

  /** Identities and their labels, by number. */
  list(): readonly { readonly identity: number; readonly labels: readonly string[] }[] {
    return [...this.taken].sort((a, b) => a[0] - b[0]).map(([identity, key]) => ({ identity, labels: key.split(';') }));
  }
}
