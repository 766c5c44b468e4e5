import type { Node } from '../../datapath/cluster/node.js';
import type { Milliseconds } from '../../lib/units.js';
import type { ApiObject } from './api-object.js';

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
