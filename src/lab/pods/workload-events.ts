import type { ApiObject, ClusterApi } from '../cluster/cluster-api.js';
import type { Generation } from './generations.js';

/** What the controllers of Deployments, ReplicaSets and DaemonSets tell. */
export class WorkloadEvents {
  constructor(private readonly api: ClusterApi) {}

  /** Tells that a pod was made, or deleted, for a workload. */
  pod(workload: ApiObject, { hash, created }: Generation, name: string, what: 'created' | 'deleted'): void {
    const { kind, namespace } = workload;
    const owned = kind === 'Deployment';
    this.api.tell({
      about: owned ? { kind: 'ReplicaSet', namespace, name: `${workload.name}-${hash}`, created } : workload,
      reason: what === 'created' ? 'SuccessfulCreate' : 'SuccessfulDelete',
      message: `${what === 'created' ? 'Created' : 'Deleted'} pod: ${name}`,
      source: { component: owned ? 'replicaset-controller' : 'daemonset-controller' },
    });
  }

  /** Tells that a Deployment has set the size of one of its ReplicaSets. */
  scaled(workload: ApiObject, { hash, size: before }: Generation, size: number): void {
    if (before === size) return;
    const way = size > before ? 'up' : 'down';
    this.api.tell({
      about: workload,
      reason: 'ScalingReplicaSet',
      message: `Scaled ${way} replica set ${workload.name}-${hash} from ${before} to ${size}`,
      source: { component: 'deployment-controller' },
    });
  }

  /** Tells why a workload does not get a pod. */
  failed(workload: ApiObject, message: string): void {
    const component = workload.kind === 'Deployment' ? 'replicaset-controller' : 'daemonset-controller';
    this.api.tell({ about: workload, warning: true, reason: 'FailedCreate', message, source: { component } });
  }
}
