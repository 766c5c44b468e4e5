import type { Milliseconds } from '../../lib/units.js';
import type { ApiObject, ClusterApi } from '../cluster/cluster-api.js';
import { keyOf } from '../cluster/pod-index.js';

/** A state of a workload's pods: the ReplicaSet of a Deployment. */
interface PodSet {
  readonly hash: string;
  readonly created: Milliseconds;
}

/** What the controllers of Deployments, ReplicaSets and DaemonSets tell. */
export class WorkloadEvents {
  /** How many pods each ReplicaSet was told to have. */
  private readonly sizes = new Map<string, number>();

  constructor(private readonly api: ClusterApi) {}

  /** Tells that a pod was made, or deleted, for a workload. */
  pod(workload: ApiObject, { hash, created }: PodSet, name: string, what: 'created' | 'deleted'): void {
    const { kind, namespace } = workload;
    const owned = kind === 'Deployment';
    this.api.tell({
      about: owned ? { kind: 'ReplicaSet', namespace, name: `${workload.name}-${hash}`, created } : workload,
      reason: what === 'created' ? 'SuccessfulCreate' : 'SuccessfulDelete',
      message: `${what === 'created' ? 'Created' : 'Deleted'} pod: ${name}`,
      source: { component: owned ? 'replicaset-controller' : 'daemonset-controller' },
    });
  }

  /** Tells that a Deployment has set the size of one of its ReplicaSets, where that is another than before. */
  scaled(workload: ApiObject, hash: string, size: number): void {
    if (workload.kind !== 'Deployment') return;
    const key = `${keyOf(workload)}/${hash}`;
    const before = this.sizes.get(key) ?? 0;
    if (before === size) return;
    if (size === 0) this.sizes.delete(key);
    else this.sizes.set(key, size);
    const way = size > before ? 'up' : 'down';
    this.api.tell({
      about: workload,
      reason: 'ScalingReplicaSet',
      message: `Scaled ${way} replica set ${workload.name}-${hash} from ${before} to ${size}`,
      source: { component: 'deployment-controller' },
    });
  }
}
