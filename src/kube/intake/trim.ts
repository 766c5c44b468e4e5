import { isIPv4 } from 'node:net';
import { canonicalIp } from '../../lib/cidr.js';
import { Interner } from './interner.js';
import type {
  ContainerPort,
  KubeEndpoint,
  EndpointPort,
  EndpointSlice,
  FieldChoice,
  ImportedFrom,
  IpFamily,
  KubeKind,
  KubeObject,
  ObjectLabels,
  Namespace,
  Node,
  Pod,
  PodDns,
  PortProtocol,
  Service,
  ServiceImport,
  ServicePort,
  ServiceType,
} from '../objects/objects.js';
import { describeObject } from '../objects/objects.js';
import { arrayAt, asObject, flagAt, objectAt, portAt, textAt, textMapAt } from '../objects/raw.js';
import type { RawObject } from '../objects/raw.js';
import type { KubeLog } from '../source.js';

/**
 * RFC 1123 label, as Kubernetes wants service and namespace names and endpoint hostnames; at most 63 octets (RFC 1035
 * section 2.3.4).
 */
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** Dotted labels, at most 253 octets: names of all other objects. */
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
/** Longest pod name that can be used as a DNS label. */
const MAX_LABEL = 63;
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const IMPORT_NAME_LABEL = 'multicluster.kubernetes.io/service-name';
const SOURCE_CLUSTER_LABEL = 'multicluster.kubernetes.io/source-cluster';

const NONE: readonly never[] = [];
const IPV4: readonly IpFamily[] = ['IPv4'];
const IPV6: readonly IpFamily[] = ['IPv6'];

/** A list that grew by pushing has room for sixteen more, which is more than most objects hold: the copy has none. */
const fitted = <T>(list: readonly T[]): readonly T[] => (list.length === 0 ? NONE : list.slice());

/**
 * Turns objects as an API or a manifest writes them into the trimmed form. Fields that are missing get their
 * documented default;
 * a bad field is left out with a debug message; an object without a usable name, or a Service of an unknown type,
 * gives undefined.
 * Never throws, whatever it is given.
 */
export class Trimmer {
  private readonly interner = new Interner();

  constructor(
    private readonly fields: FieldChoice,
    private readonly log: KubeLog,
  ) {}

  trim(kind: KubeKind, raw: unknown): KubeObject | undefined {
    const meta = objectAt(raw, 'metadata');
    const name = textAt(meta, 'name');
    const namespaced = kind !== 'Namespace' && kind !== 'Node';
    const namespace = namespaced ? this.interner.text(textAt(meta, 'namespace') || 'default') : '';
    const rule = kind === 'Service' || kind === 'Namespace' || kind === 'ServiceImport' ? LABEL : SUBDOMAIN;
    if (!rule.test(name) || (namespaced && !LABEL.test(namespace))) {
      this.log.debug(
        `${describeObject(kind, namespace, JSON.stringify(name))} left out: ` +
          `${rule.test(name) ? 'its namespace' : 'its name'} is no DNS name`,
      );
      return undefined;
    }
    const place = new Place(this.log, kind, namespace, name);
    switch (kind) {
      case 'Service':
        return this.service(namespace, name, raw, place);
      case 'EndpointSlice':
        return this.slice(namespace, name, raw, place);
      case 'Pod':
        return this.pod(namespace, name, raw, place);
      case 'Namespace':
        return { kind, name, labels: this.labels(meta) } satisfies Namespace;
      case 'Node':
        return this.node(name, raw, place);
      case 'ServiceImport':
        return this.serviceImport(namespace, name, raw, place);
    }
  }

  private service(namespace: string, name: string, raw: unknown, place: Place): Service | undefined {
    const spec = objectAt(raw, 'spec');
    const type = serviceType(spec);
    if (type === undefined) return place.skip(`type ${JSON.stringify(spec['type'])} is unknown`);
    const listed = arrayAt(spec, 'clusterIPs');
    const given = listed.length > 0 ? listed : [spec['clusterIP']];
    const external = type === 'ExternalName';
    const headless = !external && given[0] === 'None';
    const clusterIps = external || headless ? NONE : this.addresses(given, 'cluster address', place);
    return {
      kind: 'Service',
      namespace,
      name,
      type,
      headless,
      clusterIps,
      externalName: external ? textAt(spec, 'externalName') : '',
      ports: this.servicePorts(spec, place),
      publishNotReadyAddresses: flagAt(spec, 'publishNotReadyAddresses') ?? false,
      ipFamilies: this.families(arrayAt(spec, 'ipFamilies'), clusterIps),
      selector: this.fields.selectors ? this.shared(textMapAt(spec, 'selector')) : undefined,
      labels: this.labels(objectAt(raw, 'metadata')),
      externalIps: this.externalIps(raw, place),
      loadBalancerNames: loadBalancerNames(raw),
    };
  }

  private serviceImport(namespace: string, name: string, raw: unknown, place: Place): ServiceImport {
    const spec = objectAt(raw, 'spec');
    const headless = textAt(spec, 'type') === 'Headless';
    const ips = headless ? NONE : this.addresses(arrayAt(spec, 'ips'), 'cluster set address', place);
    return { kind: 'ServiceImport', namespace, name, headless, ips, ports: this.servicePorts(spec, place) };
  }

  private externalIps(raw: unknown, place: Place): readonly string[] {
    const given = arrayAt(objectAt(raw, 'spec'), 'externalIPs');
    const ingress = ingressOf(raw);
    if (given.length + ingress.length === 0) return NONE;
    return this.addresses([...given, ...ingress.map((entry) => asObject(entry)['ip'])], 'outside address', place);
  }

  private families(asked: readonly unknown[], clusterIps: readonly string[]): readonly IpFamily[] {
    const known = asked.filter((family): family is IpFamily => family === 'IPv4' || family === 'IPv6');
    const families = known.length > 0 ? known : clusterIps.map((ip): IpFamily => (ip.includes(':') ? 'IPv6' : 'IPv4'));
    if (families.length === 1) return families[0] === 'IPv4' ? IPV4 : IPV6;
    return families.length === 0 ? NONE : this.interner.value(families);
  }

  private servicePorts(spec: RawObject, place: Place): readonly ServicePort[] {
    const ports: ServicePort[] = [];
    for (const raw of arrayAt(spec, 'ports')) {
      const port = portAt(raw, 'port');
      const protocol = protocolAt(raw);
      if (port === undefined || protocol === undefined) {
        place.drop(`port ${JSON.stringify(raw)}`);
        continue;
      }
      const nodePort = this.fields.selectors ? portAt(raw, 'nodePort') : undefined;
      const targetPort = this.fields.selectors
        ? (portAt(raw, 'targetPort') ?? (textAt(raw, 'targetPort') || undefined))
        : undefined;
      ports.push({ name: textAt(raw, 'name'), port, protocol, targetPort, nodePort });
    }
    return ports.length === 0 ? NONE : this.interner.keyed(portsKey('service', ports), () => ports);
  }

  private slice(namespace: string, name: string, raw: unknown, place: Place): EndpointSlice | undefined {
    const addressType = textAt(raw, 'addressType') || 'IPv4';
    if (addressType !== 'IPv4' && addressType !== 'IPv6' && addressType !== 'FQDN')
      return place.skip(`addresses of type ${JSON.stringify(addressType)} cannot be answered`);
    const endpoints: KubeEndpoint[] = [];
    for (const entry of arrayAt(raw, 'endpoints')) {
      const endpoint = this.endpoint(entry, addressType, place);
      if (endpoint) endpoints.push(endpoint);
    }
    // Not interned: 10,000 names of services live on in the services themselves, and the pool is for the few that
    // repeat.
    const labels = objectAt(objectAt(raw, 'metadata'), 'labels');
    const service = textAt(labels, SERVICE_NAME_LABEL);
    return {
      kind: 'EndpointSlice',
      namespace,
      name,
      service,
      addressType,
      imported: importedFrom(labels),
      endpoints: fitted(endpoints),
      ports: this.endpointPorts(raw, place),
    };
  }

  private endpoint(raw: unknown, type: EndpointSlice['addressType'], place: Place): KubeEndpoint | undefined {
    const given = arrayAt(raw, 'addresses');
    const addresses = type === 'FQDN' ? hostNames(given, place) : this.addresses(given, 'endpoint address', place);
    if (addresses.length === 0) return undefined;
    const conditions = objectAt(raw, 'conditions');
    const ready = flagAt(conditions, 'ready') ?? true;
    const hostname = textAt(raw, 'hostname');
    if (hostname !== '' && !LABEL.test(hostname)) place.drop(`hostname ${JSON.stringify(hostname)}`);
    const target = this.fields.targets ? textAt(objectAt(raw, 'targetRef'), 'name') : '';
    return {
      addresses,
      ready,
      serving: flagAt(conditions, 'serving') ?? ready,
      terminating: flagAt(conditions, 'terminating') ?? false,
      hostname: LABEL.test(hostname) ? hostname : undefined,
      target: target !== '' && target.length <= MAX_LABEL ? target : undefined,
      node: this.topology(textAt(raw, 'nodeName')),
      zone: this.topology(textAt(raw, 'zone')),
    };
  }

  private endpointPorts(raw: unknown, place: Place): readonly EndpointPort[] {
    const ports: EndpointPort[] = [];
    for (const entry of arrayAt(raw, 'ports')) {
      const port = portAt(entry, 'port');
      const protocol = protocolAt(entry);
      // A missing or null port means every port; any other non-port is a mistake.
      if (protocol === undefined || (port === undefined && (asObject(entry)['port'] ?? null) !== null))
        place.drop(`port ${JSON.stringify(entry)}`);
      else ports.push({ name: textAt(entry, 'name'), port, protocol });
    }
    return ports.length === 0 ? NONE : this.interner.keyed(portsKey('endpoint', ports), () => ports);
  }

  private pod(namespace: string, name: string, raw: unknown, place: Place): Pod {
    const spec = objectAt(raw, 'spec');
    const status = objectAt(raw, 'status');
    const listed = arrayAt(status, 'podIPs').map((entry) => asObject(entry)['ip']);
    return {
      kind: 'Pod',
      namespace,
      name,
      ips: this.addresses(listed.length > 0 ? listed : [status['podIP']], 'pod address', place),
      phase: this.interner.text(textAt(status, 'phase') || 'Pending'),
      ready: arrayAt(status, 'conditions').some(
        (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
      ),
      terminating: (asObject(objectAt(raw, 'metadata'))['deletionTimestamp'] ?? null) !== null,
      hostNetwork: flagAt(spec, 'hostNetwork') ?? false,
      node: this.topology(textAt(spec, 'nodeName')),
      labels: this.labels(objectAt(raw, 'metadata')),
      hostname: textAt(spec, 'hostname') || undefined,
      subdomain: textAt(spec, 'subdomain') || undefined,
      ports: this.fields.containerPorts ? this.containerPorts(spec, place) : NONE,
      dns: this.fields.podDns ? this.interner.value(podDns(spec)) : undefined,
    };
  }

  private containerPorts(spec: RawObject, place: Place): readonly ContainerPort[] {
    const ports: ContainerPort[] = [];
    for (const entry of arrayAt(spec, 'containers').flatMap((container) => arrayAt(container, 'ports'))) {
      const port = portAt(entry, 'containerPort');
      const protocol = protocolAt(entry);
      if (port === undefined || protocol === undefined) place.drop(`container port ${JSON.stringify(entry)}`);
      else ports.push({ name: textAt(entry, 'name'), port, protocol });
    }
    return ports.length === 0 ? NONE : this.interner.value(ports);
  }

  private node(name: string, raw: unknown, place: Place): Node {
    const spec = objectAt(raw, 'spec');
    const addresses: Node['addresses'][number][] = [];
    for (const entry of arrayAt(objectAt(raw, 'status'), 'addresses')) {
      const [type, address] = [textAt(entry, 'type'), textAt(entry, 'address')];
      if (type === '' || address === '') place.drop(`address ${JSON.stringify(entry)}`);
      else addresses.push({ type, address });
    }
    const listed = arrayAt(spec, 'podCIDRs');
    const podCidrs = (listed.length > 0 ? listed : [spec['podCIDR']]).filter(
      (cidr): cidr is string => typeof cidr === 'string' && cidr !== '',
    );
    return {
      kind: 'Node',
      name,
      addresses: fitted(addresses),
      podCidrs,
      labels: this.labels(objectAt(raw, 'metadata')),
    };
  }

  private addresses(given: readonly unknown[], what: string, place: Place): readonly string[] {
    const addresses: string[] = [];
    for (const text of given) {
      // net.isIPv4 takes only the spelling that is canonical already.
      const ip = typeof text !== 'string' ? undefined : isIPv4(text) ? text : canonicalIp(text);
      if (ip !== undefined) addresses.push(ip);
      else if (text !== undefined && text !== null && text !== '') place.drop(`${what} ${JSON.stringify(text)}`);
    }
    return fitted(addresses);
  }

  private topology(text: string): string | undefined {
    return text === '' || !this.fields.topology ? undefined : this.interner.text(text);
  }

  private labels(meta: RawObject): ObjectLabels | undefined {
    return this.fields.labels ? this.shared(textMapAt(meta, 'labels')) : undefined;
  }

  private shared(labels: ObjectLabels | undefined): ObjectLabels | undefined {
    return labels && this.interner.value(labels);
  }
}

/** The object a message is about; its text is only built when something is wrong. */
class Place {
  constructor(
    private readonly log: KubeLog,
    private readonly kind: KubeKind,
    private readonly namespace: string,
    private readonly name: string,
  ) {}

  drop(what: string): void {
    this.log.debug(`${describeObject(this.kind, this.namespace, this.name)}: invalid ${what} left out`);
  }

  skip(why: string): undefined {
    this.log.debug(`${describeObject(this.kind, this.namespace, this.name)} left out: ${why}`);
    return undefined;
  }
}

function importedFrom(labels: RawObject): ImportedFrom | undefined {
  const service = textAt(labels, IMPORT_NAME_LABEL);
  return service === '' ? undefined : { service, cluster: textAt(labels, SOURCE_CLUSTER_LABEL) };
}

/** Names of hosts, which may not look like addresses. */
function hostNames(given: readonly unknown[], place: Place): readonly string[] {
  const names = given.filter((text): text is string => {
    const usable = typeof text === 'string' && SUBDOMAIN.test(text) && !isIPv4(text);
    if (!usable) place.drop(`endpoint address ${JSON.stringify(text)}`);
    return usable;
  });
  return fitted(names);
}

function serviceType(spec: RawObject): ServiceType | undefined {
  const type = spec['type'] ?? 'ClusterIP';
  return type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer' || type === 'ExternalName'
    ? type
    : undefined;
}

/** Alike for lists of ports that are alike, and only for these: names are whatever somebody wrote. */
function portsKey(sort: string, ports: readonly (ServicePort | EndpointPort)[]): string {
  let key = sort;
  for (const port of ports) {
    key += ` ${port.protocol}/${port.port} ${port.name.length}:${port.name}`;
    if (!('targetPort' in port)) continue;
    const { targetPort, nodePort } = port;
    key +=
      typeof targetPort === 'string' ? ` ${nodePort} ${targetPort.length}:${targetPort}` : ` ${nodePort} ${targetPort}`;
  }
  return key;
}

function protocolAt(raw: unknown): PortProtocol | undefined {
  const protocol = asObject(raw)['protocol'] ?? 'TCP';
  return protocol === 'TCP' || protocol === 'UDP' || protocol === 'SCTP' ? protocol : undefined;
}

function podDns(spec: RawObject): PodDns {
  const config = objectAt(spec, 'dnsConfig');
  const searches = arrayAt(config, 'searches').filter((domain): domain is string => typeof domain === 'string');
  const options = arrayAt(config, 'options').map((option) => {
    const value = textAt(option, 'value');
    return { name: textAt(option, 'name'), ...(value !== '' && { value }) };
  });
  return { policy: textAt(spec, 'dnsPolicy') || 'ClusterFirst', searches, options };
}

const ingressOf = (raw: unknown): readonly unknown[] =>
  arrayAt(objectAt(objectAt(raw, 'status'), 'loadBalancer'), 'ingress');

function loadBalancerNames(raw: unknown): readonly string[] {
  const ingress = ingressOf(raw);
  if (ingress.length === 0) return NONE;
  const names = ingress
    .filter((entry) => textAt(entry, 'ip') === '')
    .map((entry) => textAt(entry, 'hostname'))
    .filter((name) => name !== '');
  return names.length === 0 ? NONE : names;
}
