import type { KubeEndpoint, EndpointSlice, PortProtocol, Service } from '../../kube/objects/objects.js';
import type { KubeStore } from '../../kube/store/store.js';
import { canonicalIp, ipFamily } from '../../lib/cidr.js';
import { fqdn, isName, type Name } from '../../wire/index.js';
import type { NameForms, Request, ZonalRequest } from './name.js';

type AddressedService = Pick<Service, 'name' | 'namespace' | 'ports' | 'clusterIps'>;
import type { KubernetesOptions } from './options.js';

/** One address that a name stands for, at one port. */
export interface RecordTarget {
  /** Canonical spelling. */
  readonly ip: string;
  /** undefined where no port is declared: there is nothing to tell in an SRV record. */
  readonly port: number | undefined;
  /** Name of the address below the zone, without a dot at the end: `web.default.svc`. */
  readonly host: string;
}

/** What a name is: addresses and other names of endpoints, an alias, a name without addresses of its own, or none. */
export type Finding = EndpointsFound | { readonly alias: Name } | 'no-data' | 'no-name';

export interface EndpointsFound {
  readonly targets: readonly RecordTarget[];
  /** From slices of type FQDN, each as often as there are ports, as with CoreDNS. */
  readonly names?: readonly Name[];
}

export type LookupOptions = Pick<
  KubernetesOptions,
  'namespaces' | 'namespaceLabels' | 'pods' | 'endpointPodNames' | 'endpoints' | 'ignoreEmpty' | 'zonal'
> & {
  /** A namespace also exists where something stands in it, as in files that somebody wrote by hand. */
  readonly impliedNamespaces: boolean;
};

const NO_SLICES: readonly EndpointSlice[] = [];

/** Finds what the objects of a store say about names. Keeps nothing. */
export class ObjectFinder {
  constructor(
    private readonly store: KubeStore,
    private readonly options: LookupOptions,
  ) {}

  /** Whether a namespace exists and is one of those that are answered for. */
  exposed(namespace: string): boolean {
    const { namespaces, namespaceLabels, impliedNamespaces } = this.options;
    if (namespaces !== undefined && !namespaces.has(namespace)) return false;
    if (this.store.namespace(namespace) !== undefined) return true;
    return (
      impliedNamespaces &&
      namespaceLabels === undefined &&
      (!this.store.in('Service', namespace).next().done || !this.store.in('Pod', namespace).next().done)
    );
  }

  /** @param forms of the zone that the name is in */
  find(request: Request, forms: NameForms): Finding {
    if (!this.exposed(request.namespace)) return 'no-name';
    if (request.kind === 'pod') return this.pod(request);
    if (request.service === '') return 'no-data';
    return forms === 'multicluster' ? this.imported(request) : this.service(request);
  }

  /** Slices of a service; none with `noendpoints`. */
  slicesOf(namespace: string, service: string): readonly EndpointSlice[] {
    return this.options.endpoints ? this.store.slicesOf(namespace, service) : NO_SLICES;
  }

  /**
   * Name of an endpoint's address within its service: its hostname, the pod's name where that was asked for, else the
   * address with dashes. A label does
   * not end in a dash (RFC 952), so an IPv6 address that ends in two colons gets a zero.
   */
  hostname(endpoint: KubeEndpoint, ip: string): string {
    if (endpoint.hostname !== undefined) return endpoint.hostname;
    if (this.options.endpointPodNames && endpoint.target !== undefined) return endpoint.target;
    const dashed = ip.replace(/[.:]/g, '-');
    return dashed.endsWith('-') ? `${dashed}0` : dashed;
  }

  private pod({ namespace, service: label }: Request): Finding {
    if (this.options.pods === 'disabled') return 'no-name';
    if (label === '') return 'no-data';
    const dotted = /^[^-]*(?:-[^-]+){3}$/.test(label);
    const ip = canonicalIp(label.replaceAll('-', dotted ? '.' : ':'));
    if (ip === undefined) return 'no-name';
    if (this.options.pods === 'verified' && !this.store.podsByIp(ip).some((pod) => pod.namespace === namespace))
      return 'no-name';
    return { targets: [{ ip, port: 0, host: `${label}.${namespace}.pod` }] };
  }

  private service(request: Request): Finding {
    const service = this.store.service(request.namespace, request.service);
    if (service === undefined) return 'no-name';
    if (request.zonal !== undefined && !service.headless) return 'no-name';
    if (service.type === 'ExternalName') return aliasOf(service, request);
    const slices = this.slicesOf(service.namespace, service.name);
    if (
      this.options.ignoreEmpty &&
      !service.headless &&
      !slices.some((slice) => slice.endpoints.some((endpoint) => endpoint.ready))
    )
      return 'no-name';
    if (request.zonal !== undefined) return this.inZone(service, slices, request, request.zonal);
    const found =
      service.headless || request.endpoint !== ''
        ? this.endpoints(service, slices, request)
        : clusterAddresses(service, request);
    return found ?? 'no-name';
  }

  /** A service of several clusters: its own addresses, or those of its endpoints in all of them. */
  private imported(request: Request): Finding {
    const { namespace, service: name, endpoint } = request;
    const service = this.store.get('ServiceImport', namespace, name);
    if (service === undefined) return 'no-name';
    const slices = this.store.slicesOfImport(namespace, name);
    const empty = !slices.some((slice) => slice.endpoints.some(({ ready }) => ready));
    if (this.options.ignoreEmpty && !service.headless && empty) return 'no-name';
    if (!service.headless && endpoint === '')
      return clusterAddresses({ name, namespace, ports: service.ports, clusterIps: service.ips }, request) ?? 'no-name';
    const all = slices.flatMap((slice) => {
      const { cluster } = slice.imported!;
      if (endpoint !== '' && cluster.toLowerCase() !== request.cluster) return [];
      return this.endpoints({ name, namespace }, [slice], request, `${cluster}.`) ?? [];
    });
    const names = all.flatMap((found) => found.names ?? []);
    const targets = all.flatMap((found) => found.targets);
    if (names.length === 0 && targets.length === 0) return 'no-name';
    return names.length === 0 ? { targets } : { targets, names };
  }

  /** The name exists whatever the zone: who has mistyped it, or asks for one that was drained, gets no data. */
  private inZone(
    service: Service,
    slices: readonly EndpointSlice[],
    request: Request,
    { zone, prefer }: ZonalRequest,
  ): Finding {
    const local = slices.map((slice) => ({
      ...slice,
      endpoints: slice.endpoints.filter((endpoint) => endpoint.zone?.toLowerCase() === zone),
    }));
    const found =
      this.endpoints(service, local, request) ?? (prefer ? this.endpoints(service, slices, request) : undefined);
    return found ?? 'no-data';
  }

  /** @param within what stands between the endpoint's name and the service's, with a dot behind it */
  private endpoints(
    service: Pick<Service, 'name' | 'namespace'>,
    slices: readonly EndpointSlice[],
    request: Request,
    within = '',
  ): EndpointsFound | undefined {
    const targets: RecordTarget[] = [];
    const names: Name[] = [];
    for (const slice of slices) {
      const ports = slice.ports.length === 0 ? NO_PORTS : slice.ports;
      for (const endpoint of slice.endpoints) {
        if (!endpoint.ready) continue;
        for (const ip of endpoint.addresses) {
          const hostname = this.hostname(endpoint, ip);
          if (request.endpoint !== '' && request.endpoint !== hostname) continue;
          const host = `${hostname}.${within}${service.name}.${service.namespace}.svc`;
          for (const port of ports) {
            if (!asked(request, port)) continue;
            if (slice.addressType === 'FQDN') names.push(fqdn(ip));
            else targets.push({ ip, port: port.port, host });
          }
        }
      }
    }
    if (names.length > 0) return { targets, names };
    return targets.length === 0 ? undefined : { targets };
  }
}

interface Port {
  readonly name: string;
  readonly protocol: PortProtocol | '';
  readonly port: number | undefined;
}

/** Stands in where no ports are declared, so that the addresses are answered all the same. */
const NO_PORTS: readonly Port[] = [{ name: '', protocol: '', port: undefined }];

const asked = (request: Request, port: Port): boolean =>
  (request.port === '' || request.port === port.name.toLowerCase()) &&
  (request.protocol === '' || request.protocol === port.protocol.toLowerCase());

function clusterAddresses(service: AddressedService, request: Request): EndpointsFound | undefined {
  const ports = (service.ports.length === 0 ? NO_PORTS : service.ports).filter((port) => asked(request, port));
  if (ports.length === 0) return undefined;
  const host = `${service.name}.${service.namespace}.svc`;
  return { targets: ports.flatMap(({ port }) => service.clusterIps.map((ip) => ({ ip, port, host }))) };
}

/** An alias has neither ports nor endpoints. One that leads to an address, or to no name at all, is none. */
function aliasOf({ externalName }: Service, request: Request): Finding {
  if (request.endpoint !== '' || request.port !== '' || request.protocol !== '') return 'no-name';
  const alias = fqdn(externalName);
  return externalName === '' || ipFamily(externalName) !== 0 || !isName(alias) ? 'no-name' : { alias };
}
