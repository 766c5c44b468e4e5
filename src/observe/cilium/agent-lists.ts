import type { Node } from '../../datapath/cluster/node.js';
import { RESERVED_IDENTITY } from '../../datapath/cluster/identity.js';
import type { World } from '../../datapath/world.js';
import { formatCidr, hostPort } from '../../lib/cidr.js';
import { CILIUM_TABLE, layOut } from '../table.js';
import { frontendsOf } from './lists.js';
import { byText } from '../../lib/order.js';

const RESERVED_ORDER = Object.entries(RESERVED_IDENTITY)
  .filter(([, id]) => id > 0)
  .sort(([, a], [, b]) => a - b);

/** `cilium-dbg identity list`: the reserved ones, then those of the pods by number, one label on a line. */
export function identityList(world: World): string[] {
  const own = new Map<number, readonly string[]>();
  for (const { endpoint } of world.cluster.pods.values()) if (endpoint) own.set(endpoint.identity, endpoint.labels);
  const rows = [
    ...RESERVED_ORDER.map(([name, id]) => [String(id), `reserved:${name}`]),
    ...[...own]
      .sort(([a], [b]) => a - b)
      .flatMap(([id, labels]) => labels.map((label, i) => [i === 0 ? String(id) : '', label])),
  ];
  return layOut([['ID', 'LABELS'], ...rows], CILIUM_TABLE);
}

/** `cilium-dbg node list`: the nodes by name; the cluster has the default name. */
export function nodeList(world: World): string[] {
  const rows = [...world.cluster.nodes.values()]
    .sort((a, b) => byText(a.name, b.name))
    .map((node) => [
      `default/${node.name}`,
      node.internalIp,
      node.podBlocks.map(formatCidr).join(','),
      'custom-resource',
    ]);
  return layOut([['Name', 'IPv4 Address', 'Endpoint CIDR', 'Source'], ...rows], CILIUM_TABLE);
}

/** What the agent of a node knows of addresses: pods, nodes, and the world. */
function addressesOf(
  world: World,
  node: Node,
): readonly { readonly prefix: string; readonly identity: number; readonly via: string }[] {
  const pods = [...world.cluster.pods.values()].flatMap(({ endpoint, ip, node: at }) =>
    endpoint
      ? [{ prefix: `${ip}/32`, identity: endpoint.identity, via: at.name === node.name ? '0.0.0.0' : at.internalIp }]
      : [],
  );
  const nodes = [...world.cluster.nodes.values()].flatMap((other) =>
    other.netns.addresses
      .filter((ip) => !ip.includes(':') && !ip.startsWith('127.'))
      .map((ip) => ({
        prefix: `${ip}/32`,
        identity:
          other.name === node.name
            ? RESERVED_IDENTITY.host
            : other.spec.apiServer
              ? RESERVED_IDENTITY['kube-apiserver']
              : RESERVED_IDENTITY['remote-node'],
        via: '0.0.0.0',
      })),
  );
  return [{ prefix: '0.0.0.0/0', identity: RESERVED_IDENTITY.world, via: '0.0.0.0' }, ...nodes, ...pods];
}

const reservedName = (identity: number): string | undefined => RESERVED_ORDER.find(([, id]) => id === identity)?.[0];

/** `cilium-dbg ip list`: which identity an address has. */
export function ipList(world: World, node: Node): string[] {
  const rows = addressesOf(world, node).map(({ prefix, identity }) => {
    const name = reservedName(identity);
    return [prefix, name === undefined ? String(identity) : `reserved:${name}`, 'custom-resource'];
  });
  return layOut([['IP', 'IDENTITY', 'SOURCE'], ...rows], CILIUM_TABLE);
}

/** `cilium-dbg bpf ipcache list`: the same as the kernel's map holds it. */
export function bpfIpcacheList(world: World, node: Node): string[] {
  const rows = addressesOf(world, node).map(({ prefix, identity, via }) => [
    prefix,
    `identity=${identity} encryptkey=0 tunnelendpoint=${via} flags=<none>`,
  ]);
  return layOut([['IP PREFIX/ADDRESS', 'IDENTITY'], ...rows], CILIUM_TABLE);
}

/** `cilium-dbg bpf lb list`: services and their backends as the kernel's maps hold them. */
export function bpfLbList(world: World, node: Node): string[] {
  const rows = frontendsOf(world, node).flatMap(({ ip, port, protocol, revNat, type, backends }) => {
    const service = `${hostPort(ip, port)}/${protocol}`;
    return [
      [`${service} (0)`, `0.0.0.0:0 (${revNat}) (0) [${type}, non-routable]`],
      ...backends.map((backend, i) => [
        `${service} (${i + 1})`,
        `${hostPort(backend.ip, backend.port)}/${backend.protocol} (${revNat}) (${i + 1})`,
      ]),
    ];
  });
  return layOut([['SERVICE ADDRESS', 'BACKEND ADDRESS (REVNAT_ID) (SLOT)'], ...rows], CILIUM_TABLE);
}

/** `cilium-dbg endpoint get ID`: what is known of one endpoint, as JSON; undefined for a number that no pod here has. */
export function endpointGet(node: Node, id: number): string | undefined {
  const pod = [...node.endpoints.values()].find(({ endpoint }) => endpoint?.id === id);
  const endpoint = pod?.endpoint;
  if (!endpoint) return undefined;
  const { identity, labels, ip, mac, nodeMac, ifindex } = endpoint;
  return JSON.stringify(
    [
      {
        id,
        status: {
          'external-identifiers': { 'k8s-namespace': pod.spec.namespace, 'k8s-pod-name': pod.spec.name },
          identity: { id: identity, labels },
          networking: {
            addressing: [ip.includes(':') ? { ipv6: ip } : { ipv4: ip }],
            'host-mac': nodeMac,
            'interface-index': ifindex,
            mac,
          },
          policy: { realized: { 'policy-enabled': 'none' } },
          state: 'ready',
        },
      },
    ],
    undefined,
    2,
  );
}
