/** The object kinds that are kept. Everything else an API or a manifest holds is passed over. */
export type KubeKind = 'Service' | 'EndpointSlice' | 'Pod' | 'Namespace' | 'Node' | 'ServiceImport';

export const KUBE_KINDS: readonly KubeKind[] = [
  'Namespace',
  'Service',
  'EndpointSlice',
  'Pod',
  'Node',
  'ServiceImport',
];

export type ObjectLabels = Readonly<Record<string, string>>;
export type PortProtocol = 'TCP' | 'UDP' | 'SCTP';
export type IpFamily = 'IPv4' | 'IPv6';
export type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';

export interface ServicePort {
  /** Empty for the only, unnamed port of a service. */
  readonly name: string;
  /** 1 to 65535. */
  readonly port: number;
  readonly protocol: PortProtocol;
  /** A number, or the name of a container port. undefined means `port`. */
  readonly targetPort: number | string | undefined;
  readonly nodePort: number | undefined;
}

/** A service, trimmed. All addresses are in their canonical spelling. */
export interface Service {
  readonly kind: 'Service';
  readonly namespace: string;
  readonly name: string;
  readonly type: ServiceType;
  /** `clusterIP: None`. Never true for an ExternalName service. */
  readonly headless: boolean;
  /** Empty when headless, not yet allocated, or of type ExternalName. The first is of the service's primary family. */
  readonly clusterIps: readonly string[];
  /** As written, without a trailing dot added. Empty unless the type is ExternalName. */
  readonly externalName: string;
  readonly ports: readonly ServicePort[];
  readonly publishNotReadyAddresses: boolean;
  /** As asked for, or what the cluster addresses show; empty when neither says. */
  readonly ipFamilies: readonly IpFamily[];
  /** undefined when not kept (see {@link FieldChoice}), or when the service has none. */
  readonly selector: ObjectLabels | undefined;
  readonly labels: ObjectLabels | undefined;
  /** Addresses outside the cluster's range that nodes also accept for it: `externalIPs` and load balancer addresses. */
  readonly externalIps: readonly string[];
  /** Names of load balancers that have no address of their own. */
  readonly loadBalancerNames: readonly string[];
}

export interface KubeEndpoint {
  /** At least one; all of them stand for the same endpoint. Host names in a slice of type FQDN. */
  readonly addresses: readonly string[];
  /** Unknown counts as ready (EndpointSlice API, `conditions.ready`). */
  readonly ready: boolean;
  /** Ready, regardless of terminating. Unknown counts as `ready`. */
  readonly serving: boolean;
  readonly terminating: boolean;
  /** A DNS label. undefined when the endpoint has no name of its own. */
  readonly hostname: string | undefined;
  /**
   * Name of the pod behind it, at most 63 octets so that it can serve as a DNS label; undefined when unknown, longer
   * or not kept.
   */
  readonly target: string | undefined;
  readonly node: string | undefined;
  readonly zone: string | undefined;
}

export interface EndpointPort {
  readonly name: string;
  /** undefined means "all ports". */
  readonly port: number | undefined;
  readonly protocol: PortProtocol;
}

export interface EndpointSlice {
  readonly kind: 'EndpointSlice';
  readonly namespace: string;
  readonly name: string;
  /** Name of the service it belongs to (label `kubernetes.io/service-name`); empty when it belongs to none. */
  readonly service: string;
  readonly addressType: IpFamily | 'FQDN';
  /** Set for endpoints of a service of several clusters (Multi-Cluster Services API). */
  readonly imported: ImportedFrom | undefined;
  readonly endpoints: readonly KubeEndpoint[];
  readonly ports: readonly EndpointPort[];
}

export interface ImportedFrom {
  /** Name of the service import in the slice's namespace. */
  readonly service: string;
  /** The cluster that the endpoints are in; empty where nothing says so. */
  readonly cluster: string;
}

/** A service of several clusters (https://github.com/kubernetes/enhancements, KEP-1645). */
export interface ServiceImport {
  readonly kind: 'ServiceImport';
  readonly namespace: string;
  readonly name: string;
  readonly headless: boolean;
  /** Addresses of the set of clusters; empty when headless. */
  readonly ips: readonly string[];
  readonly ports: readonly ServicePort[];
}

export interface ContainerPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: PortProtocol;
}

/** What the kubelet makes a pod's resolv.conf from (Kubernetes API, PodSpec). */
export interface PodDns {
  /** `ClusterFirst` where nothing is said. */
  readonly policy: string;
  /** Domains of `dnsConfig`, as written. */
  readonly searches: readonly string[];
  /** Options of `dnsConfig`; without a value where there is none. */
  readonly options: readonly { readonly name: string; readonly value?: string }[];
}

export interface Pod {
  readonly kind: 'Pod';
  readonly namespace: string;
  readonly name: string;
  /** Primary address first; empty before the pod has one. */
  readonly ips: readonly string[];
  readonly phase: string;
  readonly ready: boolean;
  /** Deletion was asked for. */
  readonly terminating: boolean;
  readonly hostNetwork: boolean;
  readonly node: string | undefined;
  readonly labels: ObjectLabels | undefined;
  readonly hostname: string | undefined;
  readonly subdomain: string | undefined;
  /** Of all containers, in order; empty when not kept. */
  readonly ports: readonly ContainerPort[];
  /** undefined when not kept. */
  readonly dns: PodDns | undefined;
}

export interface Namespace {
  readonly kind: 'Namespace';
  readonly name: string;
  readonly labels: ObjectLabels | undefined;
}

export interface Node {
  readonly kind: 'Node';
  readonly name: string;
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
  readonly podCidrs: readonly string[];
  readonly labels: ObjectLabels | undefined;
}

export interface KubeObjects {
  Service: Service;
  EndpointSlice: EndpointSlice;
  Pod: Pod;
  Namespace: Namespace;
  Node: Node;
  ServiceImport: ServiceImport;
}

export type KubeObject = KubeObjects[KubeKind];

/** Which parts are kept beyond what every lookup needs. Each costs memory once per object. */
export interface FieldChoice {
  readonly labels: boolean;
  /** Service selectors, node ports and outside addresses. */
  readonly selectors: boolean;
  /** Pod names behind endpoints. */
  readonly targets: boolean;
  /** Node and zone of endpoints, node of pods. */
  readonly topology: boolean;
  readonly containerPorts: boolean;
  /** DNS policy and configuration of pods. */
  readonly podDns: boolean;
}

/** What DNS answers need. `endpoint_pod_names` adds `targets`, client metadata adds `labels`. */
export const DNS_FIELDS: FieldChoice = {
  labels: false,
  selectors: false,
  targets: false,
  topology: false,
  containerPorts: false,
  podDns: false,
};
/** What the datapath model and the lab need: everything there is. */
export const ALL_FIELDS: FieldChoice = {
  labels: true,
  selectors: true,
  targets: true,
  topology: true,
  containerPorts: true,
  podDns: true,
};

/** The namespace of an object; empty for kinds that stand above namespaces. */
export function namespaceOf(object: KubeObject): string {
  return object.kind === 'Namespace' || object.kind === 'Node' ? '' : object.namespace;
}

/** `Service default/web`, `Node k8s-w1`: how messages name an object. */
export function describeObject(kind: string, namespace: string, name: string): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}
