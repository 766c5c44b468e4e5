import type { Node } from '../../datapath/cluster/node.js';
import type { World } from '../../datapath/world.js';
import { age, row } from './kind.js';
import type { KubectlKind } from './kind.js';

const withCiliumNode = (world: World): Node[] =>
  [...world.cluster.nodes.values()].filter((node) => node.ciliumNode !== undefined);

export const ciliumNodes: KubectlKind = {
  resource: 'ciliumnodes.cilium.io',
  singular: 'ciliumnode.cilium.io',
  names: ['ciliumnode', 'ciliumnodes', 'cn', 'ciliumn', 'ciliumnode.cilium.io', 'ciliumnodes.cilium.io'],
  namespaced: false,
  columns: ['NAME', 'CILIUMINTERNALIP', 'INTERNALIP', 'AGE'],
  wideColumns: [],
  rows: (world, { ages }) =>
    withCiliumNode(world).map((node) =>
      row('', node.name, [node.ciliumNode!.routerIp, node.internalIp, age(ages.of('ciliumnode', '', node.name))]),
    ),
};

export const ciliumEndpoints: KubectlKind = {
  resource: 'ciliumendpoints.cilium.io',
  singular: 'ciliumendpoint.cilium.io',
  names: [
    'cep',
    'ciliumep',
    'ciliumendpoint',
    'ciliumendpoints',
    'ciliumendpoint.cilium.io',
    'ciliumendpoints.cilium.io',
  ],
  namespaced: true,
  columns: ['NAME', 'SECURITY IDENTITY', 'ENDPOINT STATE', 'IPV4', 'IPV6'],
  wideColumns: ['INGRESS ENFORCEMENT', 'EGRESS ENFORCEMENT'],
  wideAt: 2,
  rows: (world) =>
    [...world.cluster.pods.values()].flatMap((pod) => {
      if (!pod.endpoint) return [];
      const { identity, ip } = pod.endpoint;
      const [ipv4, ipv6] = ip.includes(':') ? ['', ip] : [ip, ''];
      // Without policies the enforcement columns are empty.
      return [
        row(pod.spec.namespace, pod.spec.name, [String(identity), 'ready', ipv4, ipv6], ['', ''], pod.spec.labels),
      ];
    }),
};

export const policies: KubectlKind = {
  resource: 'ciliumlocalredirectpolicies.cilium.io',
  singular: 'ciliumlocalredirectpolicy.cilium.io',
  names: [
    'clrp',
    'ciliumlocalredirectpolicy',
    'ciliumlocalredirectpolicies',
    'ciliumlocalredirectpolicy.cilium.io',
    'ciliumlocalredirectpolicies.cilium.io',
  ],
  namespaced: true,
  columns: ['NAME', 'AGE'],
  wideColumns: [],
  rows: (_, facts) =>
    (facts.policies ?? []).map(({ namespace, name }) =>
      row(namespace, name, [age(facts.ages.of('policy', namespace, name))]),
    ),
};
