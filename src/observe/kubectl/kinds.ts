import type { Milliseconds } from '../../lib/units.js';
import { ciliumEndpoints, ciliumNodes, policies } from './cilium-kinds.js';
import { age, NONE, orNone, row } from './kind.js';
import type { KubectlKind } from './kind.js';
import { endpoints, endpointSlices, services } from './service-kinds.js';

const NODE_INFO = {
  version: 'v1.33.2',
  os: 'Ubuntu 24.04.2 LTS',
  kernel: '6.8.0-53-generic',
  runtime: 'containerd://1.7.27',
};
const nodes: KubectlKind = {
  resource: 'nodes',
  singular: 'node',
  names: ['node', 'nodes', 'no'],
  namespaced: false,
  columns: ['NAME', 'STATUS', 'ROLES', 'AGE', 'VERSION'],
  wideColumns: ['INTERNAL-IP', 'EXTERNAL-IP', 'OS-IMAGE', 'KERNEL-VERSION', 'CONTAINER-RUNTIME'],
  rows: (world, { ages, labels, cordoned, nodeInfo = NODE_INFO }) =>
    [...world.cluster.nodes.values()].map((node) =>
      row(
        '',
        node.name,
        [
          cordoned?.(node.name) === true ? 'Ready,SchedulingDisabled' : 'Ready',
          node.spec.apiServer ? 'control-plane' : NONE,
          age(ages.of('node', '', node.name)),
          nodeInfo.version,
        ],
        [node.internalIp, orNone(node.externalIps[0] ?? ''), nodeInfo.os, nodeInfo.kernel, nodeInfo.runtime],
        labels?.('node', '', node.name),
      ),
    ),
};

/** `5 (28s ago)`: how often, and when the last time. */
const restartsOf = ({ restarts = 0, ended }: { readonly restarts?: number; readonly ended?: Milliseconds }): string =>
  restarts === 0 || ended === undefined ? String(restarts) : `${restarts} (${age(ended)} ago)`;

const pods: KubectlKind = {
  resource: 'pods',
  singular: 'pod',
  names: ['pod', 'pods', 'po'],
  namespaced: true,
  columns: ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
  wideColumns: ['IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES'],
  rows: (world, facts) =>
    [...world.cluster.pods.values()].map((pod) => {
      const { namespace, name, node, labels } = pod.spec;
      const state = facts.containers?.(pod) ?? { ready: pod.ready ? 1 : 0, of: 1 };
      return row(
        namespace,
        name,
        [
          `${state.ready}/${state.of}`,
          state.status ?? 'Running',
          restartsOf(state),
          age(facts.ages.of('pod', namespace, name)),
        ],
        [pod.ip, node, NONE, NONE],
        labels,
      );
    }),
};

/** Everything that can be listed. */
export const KUBECTL_KINDS: readonly KubectlKind[] = [
  nodes,
  pods,
  services,
  endpoints,
  endpointSlices,
  ciliumNodes,
  ciliumEndpoints,
  policies,
];
