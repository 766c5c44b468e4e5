import { LabelSelector, LabelSelectorError } from '../../kube/objects/label-selector.js';
import { asObject } from '../../kube/objects/raw.js';
import type { RawObject } from '../../kube/objects/raw.js';
import type { Resource } from '../cluster/resources.js';
import { labelsOf } from '../cluster/cluster-api.js';
import { namespaceIn } from '../commands/kubectl/metadata.js';
import { ApiFault } from './fault.js';
import type { ResourcePath } from './route.js';

/** Whether a request means an object. */
export type Selects = (object: RawObject) => boolean;

const OF_ALL = ['metadata.name', 'metadata.namespace'];
/** Fields that lists can be narrowed by, beside the name. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Pod: [
    'spec.nodeName',
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.serviceAccountName',
    'spec.hostNetwork',
  ].concat(['status.phase', 'status.podIP', 'status.nominatedNodeName']),
  Node: ['spec.unschedulable'],
  Namespace: ['status.phase'],
  Service: ['spec.clusterIP', 'spec.type'],
  ReplicaSet: ['status.replicas'],
  Event: ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']
    .map((field) => `involvedObject.${field}`)
    .concat(['reason', 'reportingComponent', 'source', 'type']),
};

/** What a list or a watch means by its path, labelSelector and fieldSelector. Throws an ApiFault. */
export function selectionOf({ resource, namespace, name }: ResourcePath, query: URLSearchParams): Selects {
  const labels = labelSelector(query.get('labelSelector') ?? '');
  const fields = fieldTests(query.get('fieldSelector') ?? '', resource);
  if (name !== undefined) fields.push((object) => fieldOf(object, 'metadata.name') === name);
  return (object) =>
    (namespace === undefined || namespaceIn(object) === namespace) &&
    labels.matches(labelsOf(object)) &&
    fields.every((test) => test(object));
}

function labelSelector(text: string): LabelSelector {
  try {
    return LabelSelector.parse(text);
  } catch (error) {
    if (error instanceof LabelSelectorError) throw new ApiFault('BadRequest', error.message);
    throw error;
  }
}

function fieldTests(text: string, { kind }: Resource): Selects[] {
  if (text === '') return [];
  const allowed = [...OF_ALL, ...(FIELDS[kind] ?? [])];
  return text.split(',').map((term) => {
    const [, path = '', sign, value] = /^\s*([^=!\s]+)\s*(!=|==?)\s*(.*?)\s*$/.exec(term) ?? [];
    if (!allowed.includes(path))
      throw new ApiFault(
        'BadRequest',
        `field label not supported: got ${JSON.stringify(term)}, allowed for ${kind}: ${allowed.join(', ')}, each with = or !=`,
      );
    return (object) => (fieldOf(object, path) === value) === (sign !== '!=');
  });
}

function fieldOf(object: RawObject, path: string): string {
  const value = path.split('.').reduce<unknown>((at, key) => asObject(at)[key], object);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}
