import type { Node } from '../../datapath/cluster/node.js';
import type { Milliseconds } from '../../lib/units.js';
import { arrayAt, flagAt, objectAt, textAt } from '../../kube/objects/raw.js';
import type { ApiObject } from './api-object.js';
import { ClusterApiError } from './cluster-api.js';

/** A namespace as the API has it. */
export const namespaceObject = (name: string, created: Milliseconds): ApiObject => ({
  kind: 'Namespace',
  namespace: '',
  name,
  created,
  raw: { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'kubernetes.io/metadata.name': name } } },
});

/** A node as its kubelet registers it. */
export const nodeObject = ({ name, spec, internalIp }: Node, created: Milliseconds): ApiObject => ({
  kind: 'Node',
  namespace: '',
  name,
  created,
  raw: {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        ...(spec.apiServer === true && { 'node-role.kubernetes.io/control-plane': '' }),
      },
    },
    status: {
      addresses: [
        { type: 'InternalIP', address: internalIp },
        { type: 'Hostname', address: name },
      ],
    },
  },
});

/** The taint of a node that is kept free of new pods; it comes and goes with `spec.unschedulable`. */
const CORDONED = 'node.kubernetes.io/unschedulable';

/**
 * A node as it becomes where a client changes it: labels, annotations, and whether new pods are kept off are the
 * client's, all else its kubelet's. Throws a ClusterApiError for a taint, which nothing here minds.
 */
export function changedNode(node: ApiObject, wanted: unknown): ApiObject {
  const [metadata, spec] = [objectAt(wanted, 'metadata'), objectAt(wanted, 'spec')];
  const taint = arrayAt(spec, 'taints').find((one) => textAt(one, 'key') !== CORDONED);
  if (taint !== undefined)
    throw new ClusterApiError(
      `spec.taints: got "${textAt(taint, 'key')}", allowed: none; spec.unschedulable keeps new pods off a node`,
    );
  const { labels: _labels, annotations: _annotations, ...own } = objectAt(node.raw, 'metadata');
  const { unschedulable: _closed, ...rest } = objectAt(node.raw, 'spec');
  return {
    ...node,
    raw: {
      ...node.raw,
      metadata: {
        ...own,
        ...(metadata['labels'] !== undefined && { labels: metadata['labels'] }),
        ...(metadata['annotations'] !== undefined && { annotations: metadata['annotations'] }),
      },
      spec: { ...rest, ...(flagAt(spec, 'unschedulable') === true && { unschedulable: true }) },
    },
  };
}
