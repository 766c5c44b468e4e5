import type { Node } from '../../../datapath/cluster/node.js';
import type { EndpointSlice } from '../../../kube/objects/objects.js';
import { arrayAt, asObject, objectAt, textAt } from '../../../kube/objects/raw.js';
import type { RawObject } from '../../../kube/objects/raw.js';
import { formatCidr } from '../../../lib/cidr.js';
import { resolveConfig } from '../../../datapath/config.js';
import { configView } from '../../../observe/cilium/status.js';
import type { ApiObject } from '../../cluster/cluster-api.js';
import { labelsOf } from '../../cluster/cluster-api.js';
import { isCordoned } from '../../pods/scheduler.js';
import type { Lab } from '../../lab.js';
import { customResourceDefinitions } from './custom-resources.js';
import { eventObjects } from './events.js';
import { metadataOf, nameIn, namespaceIn, timeOf, uidOf } from './metadata.js';
import { ownersOf, replicaSets, workloadSpec, workloadStatus } from './workload-objects.js';
import { byText } from '../../../lib/order.js';

/** An object as the API server gives it out: with what it adds to what was applied. */
export function served(object: ApiObject, lab: Lab): RawObject {
  const { kind, namespace, name, created, raw } = object;
  const own = objectAt(raw, 'metadata');
  const metadata = {
    ...own,
    ...metadataOf({
      apiVersion: textAt(raw, 'apiVersion'),
      kind,
      namespace,
      name,
      created,
      version: lab.api.versionOf(object),
    }),
  };
  if (kind === 'Service') return { ...raw, metadata, ...serviceDefaults(raw) };
  if (kind === 'Deployment' || kind === 'DaemonSet')
    return {
      ...raw,
      metadata,
      spec: workloadSpec(kind, objectAt(raw, 'spec')),
      status: workloadStatus(object, lab),
    };
  if (kind === 'Pod') return { ...raw, metadata: { ...metadata, ...ownersOf(raw, lab) } };
  if (kind === 'Namespace')
    return { ...raw, metadata, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } };
  if (kind === 'Node') return { ...raw, metadata, ...nodeFacts(name, lab) };
  return { ...raw, metadata };
}

function serviceDefaults(raw: RawObject): RawObject {
  const spec = objectAt(raw, 'spec');
  const type = textAt(spec, 'type') || 'ClusterIP';
  const ip = textAt(spec, 'clusterIP');
  const ports = arrayAt(spec, 'ports')
    .map(asObject)
    .map((port) => ({ protocol: 'TCP', targetPort: port['port'], ...port }));
  const addressed =
    type === 'ExternalName'
      ? {}
      : {
          clusterIPs: [ip],
          internalTrafficPolicy: 'Cluster',
          ipFamilies: [ip.includes(':') ? 'IPv6' : 'IPv4'],
          ipFamilyPolicy: 'SingleStack',
          ...(type !== 'ClusterIP' && { externalTrafficPolicy: 'Cluster' }),
        };
  return {
    spec: { ...addressed, sessionAffinity: 'None', ...spec, type, ...(ports.length > 0 && { ports }) },
    status: { loadBalancer: {} },
  };
}

/** What the node's machine says of itself; the lists show the same. */
export const NODE_INFO = {
  kubeletVersion: 'v1.33.2',
  osImage: 'Ubuntu 24.04.2 LTS',
  kernelVersion: '6.8.0-53-generic',
  containerRuntimeVersion: 'containerd://1.7.27',
  operatingSystem: 'linux',
  architecture: 'amd64',
} as const;

function nodeFacts(name: string, lab: Lab): RawObject {
  const node = lab.world.node(name);
  const { podCidr } = lab.topology.nodes.find((candidate) => candidate.name === name)!;
  const at = timeOf(lab.api.get('Node', '', name)!.created);
  const condition = (type: string, status: string, reason: string, message: string): RawObject => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: at,
    lastTransitionTime: at,
  });
  return {
    spec: {
      ...(podCidr !== undefined && { podCIDR: podCidr, podCIDRs: [podCidr] }),
      ...(isCordoned(lab.api.get('Node', '', name)) && {
        taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: at }],
        unschedulable: true,
      }),
    },
    status: {
      addresses: [
        { type: 'InternalIP', address: node.internalIp },
        ...node.externalIps.map((address) => ({ type: 'ExternalIP', address })),
        { type: 'Hostname', address: name },
      ],
      conditions: [
        condition('NetworkUnavailable', 'False', 'CiliumIsUp', 'Cilium is running on this node'),
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
      ],
      nodeInfo: NODE_INFO,
    },
  };
}

const SLICE_LABEL = 'kubernetes.io/service-name';

/** Endpoint slices: those that were applied, and those of the endpoint controller. */
function slices(lab: Lab): RawObject[] {
  return [...lab.store.all('EndpointSlice')].map((slice) => {
    const applied = lab.api.get('EndpointSlice', slice.namespace, slice.name);
    return applied ? served(applied, lab) : sliceOf(slice, lab);
  });
}

function sliceOf({ namespace, name, service, addressType, endpoints, ports }: EndpointSlice, lab: Lab): RawObject {
  const owner = lab.api.get('Service', namespace, service);
  const labels = {
    ...labelsOf(owner?.raw),
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    [SLICE_LABEL]: service,
  };
  return {
    addressType,
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    endpoints: endpoints.map(({ addresses, ready, serving, terminating, node, target }) => ({
      addresses,
      conditions: { ready, serving, terminating },
      ...(node !== undefined && { nodeName: node }),
      ...(target !== undefined && { targetRef: { kind: 'Pod', name: target, namespace } }),
    })),
    metadata: metadataOf({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace,
      name,
      created: owner?.created ?? 0,
      version: owner ? lab.api.versionOf(owner) : 1,
      labels,
    }),
    ports: ports.map(({ name: portName, port, protocol }) => ({ name: portName, port, protocol })),
  };
}

/** The older form of the slices of each service. */
function endpoints(lab: Lab): RawObject[] {
  return lab.api.list('Service').flatMap((service) => {
    const { namespace, name, created } = service;
    const own = lab.store.slicesOf(namespace, name);
    if (own.length === 0) return [];
    const subsets = own.map(({ endpoints: list, ports }) => {
      const addresses = (ready: boolean): RawObject[] =>
        list
          .filter((one) => one.ready === ready)
          .flatMap((one) => one.addresses.map((ip) => ({ ip, ...(one.node !== undefined && { nodeName: one.node }) })));
      const [up, down] = [addresses(true), addresses(false)];
      return {
        ...(up.length > 0 && { addresses: up }),
        ...(down.length > 0 && { notReadyAddresses: down }),
        ports: ports.map((port) => ({
          ...(port.name !== '' && { name: port.name }),
          port: port.port,
          protocol: port.protocol,
        })),
      };
    });
    return [
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: metadataOf({
          apiVersion: 'v1',
          kind: 'Endpoints',
          namespace,
          name,
          created,
          version: lab.api.versionOf(service),
          labels: labelsOf(service.raw),
        }),
        subsets,
      },
    ];
  });
}

function ciliumNode(node: Node, lab: Lab): RawObject {
  const created = lab.api.get('Node', '', node.name)!.created;
  const own = node.ciliumNode!;
  const used = Object.fromEntries(
    [...node.endpoints.values()].map((pod) => [pod.ip, { owner: `${pod.spec.namespace}/${pod.spec.name}` }]),
  );
  return {
    apiVersion: 'cilium.io/v2',
    kind: 'CiliumNode',
    metadata: metadataOf({ apiVersion: 'cilium.io/v2', kind: 'CiliumNode', name: node.name, created, version: 1 }),
    spec: {
      addresses: [
        { ip: node.internalIp, type: 'InternalIP' },
        { ip: own.routerIp, type: 'CiliumInternalIP' },
      ],
      bootid: uidOf('boot', '', node.name, created),
      health: {},
      ingress: {},
      ipam: { podCIDRs: node.podBlocks.map(formatCidr), pools: {} },
    },
    status: { 'alibaba-cloud': {}, azure: {}, eni: {}, ipam: { 'operator-status': {}, used } },
  };
}

function ciliumEndpoints(lab: Lab): RawObject[] {
  return [...lab.world.cluster.pods.values()].flatMap(({ endpoint, spec, node }) => {
    if (!endpoint) return [];
    const { id, identity, labels, ip } = endpoint;
    const created = lab.api.get('Pod', spec.namespace, spec.name)?.created ?? 0;
    return [
      {
        apiVersion: 'cilium.io/v2',
        kind: 'CiliumEndpoint',
        metadata: metadataOf({
          apiVersion: 'cilium.io/v2',
          kind: 'CiliumEndpoint',
          namespace: spec.namespace,
          name: spec.name,
          created,
          version: 1,
          labels: spec.labels ?? {},
        }),
        status: {
          id,
          identity: { id: identity, labels },
          networking: { addressing: [ip.includes(':') ? { ipv6: ip } : { ipv4: ip }], node: node.internalIp },
          state: 'ready',
        },
      },
    ];
  });
}

/** The settings of Cilium, as its chart writes them. */
function ciliumConfigMaps(lab: Lab): RawObject[] {
  const { created } = lab.api.list('Node')[0]!;
  const map = (name: string, data: RawObject): RawObject => ({
    apiVersion: 'v1',
    data,
    kind: 'ConfigMap',
    metadata: metadataOf({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-system', name, created, version: 1 }),
  });
  const settings = Object.fromEntries(
    configView(resolveConfig(lab.pending.settings), lab.pending.ipam).map((line) => [
      line.split(/\s/)[0]!,
      line.replace(/^\S+\s+/, ''),
    ]),
  );
  const { ipMasqAgent } = lab.pending.settings;
  return [
    map('cilium-config', settings),
    ...(ipMasqAgent ? [map('ip-masq-agent', { config: JSON.stringify(ipMasqAgent) })] : []),
  ];
}

const nodesWithCilium = (lab: Lab): Node[] =>
  [...lab.world.cluster.nodes.values()].filter((node) => node.ciliumNode !== undefined);

const MODELLED: Readonly<Record<string, (lab: Lab) => RawObject[]>> = {
  EndpointSlice: slices,
  Endpoints: endpoints,
  Event: (lab) => [...lab.api.list('Event').map((object) => served(object, lab)), ...eventObjects(lab)],
  ReplicaSet: replicaSets,
  CiliumNode: (lab) => nodesWithCilium(lab).map((node) => ciliumNode(node, lab)),
  CiliumEndpoint: ciliumEndpoints,
  CustomResourceDefinition: customResourceDefinitions,
  ConfigMap: (lab) => [...lab.api.list('ConfigMap').map((object) => served(object, lab)), ...ciliumConfigMaps(lab)],
};

/** Objects of a kind, including those that the model makes, as the API server gives them out; by namespace and name. */
export function objectsOf(kind: string, lab: Lab): readonly RawObject[] {
  const list = Object.hasOwn(MODELLED, kind)
    ? MODELLED[kind]!(lab)
    : lab.api.list(kind).map((object) => served(object, lab));
  const key = (object: RawObject): string => `${namespaceIn(object)}/${nameIn(object)}`;
  return [...list].sort((a, b) => byText(key(a), key(b)));
}
