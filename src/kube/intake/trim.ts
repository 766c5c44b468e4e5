import type {
  ContainerPort,
  FieldChoice,
  IpFamily,
  KubeKind,
  KubeObject,
  Namespace,
  Node,
  Pod,
  PodDns,
  Service,
  ServiceImport,
  ServiceType,
} from '../objects/objects.js';
import { describeObject } from '../objects/objects.js';
import { arrayAt, asObject, flagAt, objectAt, portAt, textAt, textMapAt } from '../objects/raw.js';
import type { RawObject } from '../objects/raw.js';
import type { KubeLog } from '../source.js';
import { FieldReader, LABEL, NONE, Place, SUBDOMAIN, fitted } from './field-reader.js';
import { protocolAt, servicePorts } from './ports.js';
import { trimSlice } from './trim-slice.js';

const IPV4: readonly IpFamily[] = ['IPv4'];
const IPV6: readonly IpFamily[] = ['IPv6'];

/**
 * Turns objects as an API or a manifest writes them into the trimmed form. Fields that are missing get their
 * documented default;
 * a bad field is left out with a debug message; an object without a usable name, or a Service of an unknown type,
 * gives undefined.
 * Never throws, whatever it is given.
 */
export class Trimmer {
  private readonly reader: FieldReader;

  constructor(
    fields: FieldChoice,
    private readonly log: KubeLog,
  ) {
    this.reader = new FieldReader(fields);
  }

  trim(kind: KubeKind, raw: unknown): KubeObject | undefined {
    const meta = objectAt(raw, 'metadata');
    const name = textAt(meta, 'name');
    const namespaced = kind !== 'Namespace' && kind !== 'Node';
    const namespace = namespaced ? this.reader.interner.text(textAt(meta, 'namespace') || 'default') : '';
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
        return trimSlice(this.reader, namespace, name, raw, place);
      case 'Pod':
        return this.pod(namespace, name, raw, place);
      case 'Namespace':
        return { kind, name, labels: this.reader.labels(meta) } satisfies Namespace;
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
    const clusterIps = external || headless ? NONE : this.reader.addresses(given, 'cluster address', place);
    return {
      kind: 'Service',
      namespace,
      name,
      type,
      headless,
      clusterIps,
      externalName: external ? textAt(spec, 'externalName') : '',
      ports: servicePorts(this.reader, spec, place),
      publishNotReadyAddresses: flagAt(spec, 'publishNotReadyAddresses') ?? false,
      ipFamilies: this.families(arrayAt(spec, 'ipFamilies'), clusterIps),
      selector: this.reader.choice.selectors ? this.reader.shared(textMapAt(spec, 'selector')) : undefined,
      labels: this.reader.labels(objectAt(raw, 'metadata')),
      externalIps: this.externalIps(raw, place),
      loadBalancerNames: loadBalancerNames(raw),
    };
  }

  private serviceImport(namespace: string, name: string, raw: unknown, place: Place): ServiceImport {
    const spec = objectAt(raw, 'spec');
    const headless = textAt(spec, 'type') === 'Headless';
    const ips = headless ? NONE : this.reader.addresses(arrayAt(spec, 'ips'), 'cluster set address', place);
    return { kind: 'ServiceImport', namespace, name, headless, ips, ports: servicePorts(this.reader, spec, place) };
  }

  private externalIps(raw: unknown, place: Place): readonly string[] {
    const given = arrayAt(objectAt(raw, 'spec'), 'externalIPs');
    const ingress = ingressOf(raw);
    if (given.length + ingress.length === 0) return NONE;
    return this.reader.addresses(
      [...given, ...ingress.map((entry) => asObject(entry)['ip'])],
      'outside address',
      place,
    );
  }

  private families(asked: readonly unknown[], clusterIps: readonly string[]): readonly IpFamily[] {
    const known = asked.filter((family): family is IpFamily => family === 'IPv4' || family === 'IPv6');
    const families = known.length > 0 ? known : clusterIps.map((ip): IpFamily => (ip.includes(':') ? 'IPv6' : 'IPv4'));
    if (families.length === 1) return families[0] === 'IPv4' ? IPV4 : IPV6;
    return families.length === 0 ? NONE : this.reader.interner.value(families);
  }

  private pod(namespace: string, name: string, raw: unknown, place: Place): Pod {
    const spec = objectAt(raw, 'spec');
    const status = objectAt(raw, 'status');
    const listed = arrayAt(status, 'podIPs').map((entry) => asObject(entry)['ip']);
    return {
      kind: 'Pod',
      namespace,
      name,
      ips: this.reader.addresses(listed.length > 0 ? listed : [status['podIP']], 'pod address', place),
      phase: this.reader.interner.text(textAt(status, 'phase') || 'Pending'),
      ready: arrayAt(status, 'conditions').some(
        (condition) => textAt(condition, 'type') === 'Ready' && textAt(condition, 'status') === 'True',
      ),
      terminating: (asObject(objectAt(raw, 'metadata'))['deletionTimestamp'] ?? null) !== null,
      hostNetwork: flagAt(spec, 'hostNetwork') ?? false,
      node: this.reader.topology(textAt(spec, 'nodeName')),
      labels: this.reader.labels(objectAt(raw, 'metadata')),
      hostname: textAt(spec, 'hostname') || undefined,
      subdomain: textAt(spec, 'subdomain') || undefined,
      ports: this.reader.choice.containerPorts ? this.containerPorts(spec, place) : NONE,
      dns: this.reader.choice.podDns ? this.reader.interner.value(podDns(spec)) : undefined,
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
    return ports.length === 0 ? NONE : this.reader.interner.value(ports);
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
      labels: this.reader.labels(objectAt(raw, 'metadata')),
    };
  }
}

function serviceType(spec: RawObject): ServiceType | undefined {
  const type = spec['type'] ?? 'ClusterIP';
  return type === 'ClusterIP' || type === 'NodePort' || type === 'LoadBalancer' || type === 'ExternalName'
    ? type
    : undefined;
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
