import { arrayAt, asObject, objectAt, textAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import type { ApiObject } from '../../cluster/cluster-api.js';
import { labelsOf } from '../../cluster/cluster-api.js';
import { HASH_LABELS, replicasOf } from '../../pods/generations.js';
import type { Generation } from '../../pods/generations.js';
import { serves } from '../../pods/running-pod.js';
import type { Lab } from '../../lab.js';
import { metadataOf, uidOf } from './metadata.js';

/** In seconds, where a Deployment does not say. */
const PROGRESS_DEADLINE = 600;
const REVISION = 'deployment.kubernetes.io/revision';

/** Pods belong to the ReplicaSet that their Deployment makes. */
export function ownersOf(raw: RawObject, lab: Lab): RawObject {
  const metadata = objectAt(raw, 'metadata');
  const namespace = textAt(metadata, 'namespace');
  const list = arrayAt(metadata, 'ownerReferences').map(asObject);
  if (list.length === 0) return {};
  return {
    ownerReferences: list.map((owner) => {
      const [kind, name] = [textAt(owner, 'kind'), textAt(owner, 'name')];
      const workload = lab.api.get(kind, namespace, name);
      const hash = labelsOf(raw)['pod-template-hash'] ?? '';
      const made =
        kind === 'Deployment'
          ? {
              kind: 'ReplicaSet',
              name: `${name}-${hash}`,
              created: lab.workloads.generationsOf({ kind, namespace, name }).find((one) => one.hash === hash)?.created,
            }
          : { kind, name, created: workload?.created };
      return {
        apiVersion: 'apps/v1',
        blockOwnerDeletion: true,
        controller: true,
        kind: made.kind,
        name: made.name,
        uid: uidOf(made.kind, namespace, made.name, made.created ?? 0),
      };
    }),
  };
}

const stateOf = (pod: ApiObject, lab: Lab): string | undefined => lab.kubelet.get(pod.namespace, pod.name)?.state;
const isReady = ({ namespace, name }: ApiObject, lab: Lab): boolean => serves(lab.kubelet.get(namespace, name));

/** Pods of a workload, or of one of its generations, that are not on their way out. */
export function staying(workload: ApiObject, lab: Lab, hash?: string): readonly ApiObject[] {
  const label = HASH_LABELS[workload.kind]!;
  return lab.workloads
    .podsOf(workload)
    .filter((pod) => stateOf(pod, lab) !== 'Terminating' && (hash === undefined || labelsOf(pod.raw)[label] === hash));
}

const ready = (pods: readonly ApiObject[], lab: Lab): number => pods.filter((pod) => isReady(pod, lab)).length;

/** Pods of a workload that are ready. */
export const readyOf = (workload: ApiObject, lab: Lab): number => ready(staying(workload, lab), lab);

/** Pods of a workload's newest generation. */
export const updatedOf = (workload: ApiObject, lab: Lab): number =>
  staying(workload, lab, lab.workloads.hashOf(workload)).length;

/** The `spec` of a Deployment or DaemonSet with what it has where nothing is said. */
export function workloadSpec(kind: string, spec: RawObject): RawObject {
  if (kind === 'Deployment')
    return {
      ...{ progressDeadlineSeconds: PROGRESS_DEADLINE, replicas: 1, revisionHistoryLimit: 10 },
      ...spec,
      strategy: strategyOf(objectAt(spec, 'strategy'), { maxSurge: '25%', maxUnavailable: '25%' }),
    };
  const updateStrategy = strategyOf(objectAt(spec, 'updateStrategy'), { maxSurge: 0, maxUnavailable: 1 });
  return { revisionHistoryLimit: 10, ...spec, updateStrategy };
}

/** A rolling update, of which manifests say some members, or another strategy. */
function strategyOf(said: RawObject, defaults: RawObject): RawObject {
  const { type = 'RollingUpdate' } = said;
  if (type !== 'RollingUpdate') return said;
  return { rollingUpdate: { ...defaults, ...objectAt(said, 'rollingUpdate') }, type };
}

export function workloadStatus(object: ApiObject, lab: Lab): RawObject {
  const pods = staying(object, lab).length;
  const ready = readyOf(object, lab);
  const updated = updatedOf(object, lab);
  if (object.kind === 'DaemonSet')
    return {
      currentNumberScheduled: pods,
      desiredNumberScheduled: lab.workloads.nodesOf(object).length,
      numberAvailable: ready,
      numberMisscheduled: 0,
      numberReady: ready,
      updatedNumberScheduled: updated,
    };
  return {
    availableReplicas: ready,
    readyReplicas: ready,
    replicas: pods,
    updatedReplicas: updated,
    conditions: [
      {
        type: 'Available',
        status: ready >= replicasOf(object) ? 'True' : 'False',
        reason: ready >= replicasOf(object) ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      },
      { type: 'Progressing', ...progressOf(object, lab) },
    ],
  };
}

/** Whether a Deployment's rollout has ended, goes on, or stands still for longer than it may. */
function progressOf(object: ApiObject, lab: Lab): RawObject {
  if (lab.workloads.isRolledOut(object)) return { status: 'True', reason: 'NewReplicaSetAvailable' };
  const began = Math.max(
    lab.workloads.generationsOf(object).at(-1)?.created ?? 0,
    ...staying(object, lab, lab.workloads.hashOf(object)).map(({ created }) => created),
  );
  const limit = Number(objectAt(object.raw, 'spec')['progressDeadlineSeconds'] ?? PROGRESS_DEADLINE);
  return lab.clock.now() - began < limit * 1000
    ? { status: 'True', reason: 'ReplicaSetUpdated' }
    : { status: 'False', reason: 'ProgressDeadlineExceeded' };
}

/** The ReplicaSets of each Deployment: one for each generation of its pods. */
export const replicaSets = (lab: Lab): RawObject[] =>
  lab.api
    .list('Deployment')
    .flatMap((owner) => lab.workloads.generationsOf(owner).map((generation) => replicaSet(owner, generation, lab)));

function replicaSet(owner: ApiObject, { hash, revision, template, created, size }: Generation, lab: Lab): RawObject {
  const { namespace } = owner;
  const labels = { ...labelsOf(template), 'pod-template-hash': hash };
  const pods = staying(owner, lab, hash);
  const up = ready(pods, lab);
  const selector = objectAt(objectAt(owner.raw, 'spec'), 'selector');
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      ...metadataOf({
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        namespace,
        name: `${owner.name}-${hash}`,
        created,
        version: lab.api.versionOf(owner),
        labels,
      }),
      annotations: { [REVISION]: String(revision) },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          blockOwnerDeletion: true,
          controller: true,
          kind: 'Deployment',
          name: owner.name,
          uid: uidOf('Deployment', namespace, owner.name, owner.created),
        },
      ],
    },
    spec: {
      replicas: size,
      selector: { ...selector, matchLabels: { ...objectAt(selector, 'matchLabels'), 'pod-template-hash': hash } },
      template: { ...asObject(template), metadata: { ...objectAt(template, 'metadata'), labels } },
    },
    status: {
      availableReplicas: up,
      fullyLabeledReplicas: pods.length,
      readyReplicas: up,
      replicas: pods.length,
    },
  };
}
