import { objectAt, textMapAt } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import { selectorText } from '../commands/kubectl/tables.js';
import type { Resource } from '../cluster/resources.js';
import { nameIn } from '../commands/kubectl/metadata.js';
import { invalid } from './fault.js';

const MOST = 1000;

/** The `scale` of a workload: how many pods it wants and has (autoscaling/v1). */
export function scaleOf(workload: RawObject): RawObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = objectAt(workload, 'metadata');
  const labels = textMapAt(objectAt(objectAt(workload, 'spec'), 'selector'), 'matchLabels');
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: objectAt(workload, 'spec')['replicas'] },
    status: {
      replicas: objectAt(workload, 'status')['replicas'] ?? 0,
      ...(labels && { selector: selectorText(workload) }),
    },
  };
}

/** A workload with what a `scale` says. Throws an ApiFault. */
export function withScale(workload: RawObject, scale: unknown, resource: Resource): RawObject {
  const { replicas = 0 } = objectAt(scale, 'spec');
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0 || replicas > MOST)
    throw invalid(
      resource,
      nameIn(workload),
      `spec.replicas: Invalid value: ${JSON.stringify(replicas)}: must be a whole number from 0 to ${MOST}`,
    );
  const { resourceVersion } = objectAt(scale, 'metadata');
  return {
    ...workload,
    metadata: { ...objectAt(workload, 'metadata'), ...(resourceVersion !== undefined && { resourceVersion }) },
    spec: { ...objectAt(workload, 'spec'), replicas },
  };
}
