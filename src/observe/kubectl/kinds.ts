import { compareIps } from '../../datapath/address.js';
import type { Pod } from '../../datapath/cluster/endpoint.js';
import type { Node } from '../../datapath/cluster/node.js';
import { hash32 } from '../../datapath/packet.js';
import type { ServiceSpec } from '../../datapath/loadbalancer/service.js';
import type { World } from '../../datapath/world.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Ages } from './ages.js';
import { humanDuration } from './human-duration.js';

/** What the lists show and the model does not hold. */
export interface KubectlFacts {
  readonly ages: Pick<Ages, 'of'>;
  /** Local redirect policies of the cluster. */
  readonly policies?: readonly { readonly namespace: string; readonly name: string }[];
  /** The selector of a service as `app=webpod`. */
  selector?(namespace: string, name: string): string | undefined;
  /** Containers of a pod that run, of how many, and restarts. Default: all of one, by the pod's readiness. */
  containers?(pod: Pod): {
    readonly ready: number;
    readonly of: number;
    readonly restarts?: number;
    readonly status?: string;
  };
  /** Labels of objects that the model keeps none of. */
  readonly labels?: (kind: 'node' | 'service', namespace: string, name: string) => Readonly<Record<string, string>>;
  /** Whether a node is kept free of new pods. Default: no node is. */
  readonly cordoned?: (node: string) => boolean;
  /** What a node says of its software. */
  readonly nodeInfo?: {
    readonly version: string;
    readonly os: string;
    readonly kernel: string;
    readonly runtime: string;
  };
}

/** One object as a row: `wide` cells follow the others with -o wide. */
export interface KubectlRow {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cells: readonly string[];
  readonly wide: readonly string[];
}

/** One kind of object that can be listed. */
export interface KubectlKind {
  /** Plural, with its API group where that is not the core one. */
  readonly resource: string;
  /** What goes before a name when several kinds are listed. */
  readonly singular: string;
  readonly names: readonly string[];
  readonly namespaced: boolean;
  readonly columns: readonly string[];
  readonly wideColumns: readonly string[];
  /** Place in `columns` before which the wide columns stand; at the end when left out. */
  readonly wideAt?: number;
  readonly warning?: string;
  rows(world: World, facts: KubectlFacts): KubectlRow[];
  /** Order of rows; by namespace and name when left out. */
  readonly order?: (a: KubectlRow, b: KubectlRow) => number;
}

const NODE_INFO = {
  version: 'v1.33.2',
  os: 'Ubuntu 24.04.2 LTS',
  kernel: '6.8.0-53-generic',
  runtime: 'containerd://1.7.27',
};
const NONE = '<none>';
/** Addresses of endpoints that are spelled out; the rest is counted. */
const SHOWN = 3;

const row = (
  namespace: string,
  name: string,
  cells: readonly string[],
  wide: readonly string[] = [],
  labels: Readonly<Record<string, string>> = {},
): KubectlRow => ({ namespace, name, labels, cells: [name, ...cells], wide });
const orNone = (text: string): string => (text === '' ? NONE : text);

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
          String(state.restarts ?? 0),
          age(facts.ages.of('pod', namespace, name)),
        ],
        [pod.ip, node, NONE, NONE],
        labels,
      );
    }),
};

const services: KubectlKind = {
  resource: 'services',
  singular: 'service',
  names: ['svc', 'service', 'services'],
  namespaced: true,
  columns: ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'],
  wideColumns: ['SELECTOR'],
  rows: (world, facts) =>
    world.services.specs().map((spec) => {
      const { namespace, name } = spec;
      const ports = spec.ports
        .map(({ port, nodePort, protocol }) => `${port}${nodePort === undefined ? '' : `:${nodePort}`}/${protocol}`)
        .join(',');
      const external = spec.type === 'LoadBalancer' ? '<pending>' : NONE;
      return row(
        namespace,
        name,
        [
          spec.type ?? 'ClusterIP',
          orNone(spec.clusterIPs[0] ?? ''),
          external,
          orNone(ports),
          age(facts.ages.of('service', namespace, name)),
        ],
        [facts.selector?.(namespace, name) ?? NONE],
        facts.labels?.('service', namespace, name),
      );
    }),
};

interface ServiceEndpoints {
  /** Ports in the order in which the endpoint controller sorts them: by name. */
  readonly ports: readonly number[];
  readonly addresses: readonly string[];
}

function endpointsOf(world: World, { namespace, name }: ServiceSpec): ServiceEndpoints {
  const byName = new Map<string, number>();
  const addresses = new Set<string>();
  for (const frontend of world.services.frontendsOf(namespace, name)) {
    for (const backend of frontend.backends) {
      if (backend.state !== 'active') continue;
      byName.set(`${frontend.portName}/${frontend.protocol}`, backend.port);
      addresses.add(backend.ip);
    }
  }
  return { ports: [...byName.values()], addresses: [...addresses].sort(compareIps) };
}

function shortened(texts: readonly string[]): string {
  if (texts.length === 0) return NONE;
  const rest = texts.length - SHOWN;
  return texts.slice(0, SHOWN).join(',') + (rest > 0 ? ` + ${rest} more...` : '');
}

const endpoints: KubectlKind = {
  resource: 'endpoints',
  singular: 'endpoints',
  names: ['ep', 'endpoints'],
  namespaced: true,
  columns: ['NAME', 'ENDPOINTS', 'AGE'],
  wideColumns: [],
  warning: 'Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  rows: (world, { ages }) =>
    world.services.specs().map((spec) => {
      const { ports, addresses } = endpointsOf(world, spec);
      const all = ports.flatMap((port) => addresses.map((ip) => `${ip}:${port}`));
      return row(spec.namespace, spec.name, [shortened(all), age(ages.of('service', spec.namespace, spec.name))]);
    }),
};

/** Letters of generated names: no vowels, and no digits that look like letters. */
const NAME_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

function generatedSuffix(name: string): string {
  let seed = hash32(name);
  return Array.from({ length: 5 }, () => {
    const letter = NAME_LETTERS[seed % NAME_LETTERS.length]!;
    seed = Math.floor(seed / NAME_LETTERS.length);
    return letter;
  }).join('');
}

const endpointSlices: KubectlKind = {
  resource: 'endpointslices.discovery.k8s.io',
  singular: 'endpointslice.discovery.k8s.io',
  names: ['endpointslice', 'endpointslices'],
  namespaced: true,
  columns: ['NAME', 'ADDRESSTYPE', 'PORTS', 'ENDPOINTS', 'AGE'],
  wideColumns: [],
  rows: (world, { ages }) =>
    world.services.specs().map((spec) => {
      const { ports, addresses } = endpointsOf(world, spec);
      const text = ports.length === 0 ? '<unset>' : shortened([...new Set(ports)].map(String));
      const type = spec.clusterIPs[0]?.includes(':') ? 'IPv6' : 'IPv4';
      const name = `${spec.name}-${generatedSuffix(`${spec.namespace}/${spec.name}`)}`;
      return row(
        spec.namespace,
        name,
        [
          type,
          text,
          addresses.length === 0 ? '<unset>' : shortened(addresses),
          age(ages.of('service', spec.namespace, spec.name)),
        ],
        [],
        { 'kubernetes.io/service-name': spec.name },
      );
    }),
};

const withCiliumNode = (world: World): Node[] =>
  [...world.cluster.nodes.values()].filter((node) => node.ciliumNode !== undefined);

const ciliumNodes: KubectlKind = {
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

const ciliumEndpoints: KubectlKind = {
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

const policies: KubectlKind = {
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

const age = (value: Milliseconds): string => humanDuration(value);

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
