import type { ExternalFinding, ExternalTarget } from '../../chain/index.js';
import type { EndpointSlice, Service } from '../../kube/objects/objects.js';
import type { KubeStore } from '../../kube/store/store.js';
import type { ObjectFinder } from './object-finder.js';

/** What the labels before a service ask for; empty where they ask for nothing. */
interface Wish {
  readonly endpoint: string;
  readonly port: string;
  readonly protocol: string;
}

const ANYTHING: Wish = { endpoint: '', port: '', protocol: '' };
const bare = (label: string): string => label.replace(/^_/, '');

/** Finds what the services of a cluster are outside of it. Keeps nothing. */
export class ExternalLookup {
  constructor(
    private readonly store: KubeStore,
    private readonly lookup: ObjectFinder,
    /** Those that are answered for; undefined for all. */
    private readonly namespaces: ReadonlySet<string> | undefined,
  ) {}

  find(labels: readonly string[], headless: boolean): ExternalFinding {
    const [namespace = '', name, ...before] = labels.toReversed();
    if (!this.lookup.exposed(namespace)) return 'no-name';
    if (name === undefined) return 'no-data';
    const wish = wishOf(before);
    const service = wish && this.store.service(namespace, name);
    if (service === undefined) return 'no-name';
    const addresses = outside(service);
    const targets =
      headless && addresses.length === 0 && (service.headless || wish!.endpoint !== '')
        ? this.endpoints(service, wish!)
        : addresses.flatMap((host) => portsOf(service, wish!).map((port) => ({ host, port, label: labelOf(service) })));
    return targets.length === 0 ? 'no-name' : targets;
  }

  /** The labels of all names with targets: services, their named ports, and the endpoints of headless ones. */
  names(headless: boolean): readonly (readonly string[])[] {
    const names: string[][] = [];
    for (const { namespace, name, ports } of this.store.all('Service')) {
      const targets = this.find([name, namespace], headless);
      if (typeof targets === 'string') continue;
      names.push([name, namespace]);
      for (const port of ports.filter((each) => each.name !== ''))
        names.push([`_${port.name}`, `_${port.protocol}`, name, namespace].map((label) => label.toLowerCase()));
      const endpoints = new Set(targets.map(({ label }) => label).filter((label) => label !== `${name}.${namespace}`));
      for (const label of endpoints) names.push([label.slice(0, -`.${name}.${namespace}`.length), name, namespace]);
    }
    return names;
  }

  labels(ip: string): readonly string[] {
    return this.store
      .servicesByOutsideIp(ip)
      .filter(({ namespace }) => this.namespaces === undefined || this.lookup.exposed(namespace))
      .map(labelOf);
  }

  /** The services that lead to this server, by their outside addresses; this server's own where there is none. */
  servers(own: readonly string[], headless: boolean): readonly string[] {
    const slices = own.flatMap((ip) => this.store.slicesByIp(ip).filter((slice) => leadsTo(slice, ip)));
    if (slices.length === 0) return own;
    return slices.flatMap((slice) => {
      const service = this.store.service(slice.namespace, slice.service);
      if (service === undefined) return [];
      return headless && service.headless ? readyAddresses(slice) : service.externalIps;
    });
  }

  private endpoints(service: Service, { endpoint: wanted, port, protocol }: Wish): ExternalTarget[] {
    const targets: ExternalTarget[] = [];
    for (const slice of this.lookup.slicesOf(service.namespace, service.name)) {
      const ports = slice.ports.length === 0 ? [{ name: '', protocol: '', port: undefined }] : slice.ports;
      const asked = ports.filter((each) => fits(port, each.name) && fits(protocol, each.protocol));
      for (const endpoint of slice.endpoints.filter(({ ready }) => ready))
        for (const host of endpoint.addresses) {
          const hostname = this.lookup.hostname(endpoint, host);
          if (wanted !== '' && wanted !== hostname.toLowerCase()) continue;
          const label = `${hostname}.${labelOf(service)}`;
          targets.push(...asked.map((each) => ({ host, port: each.port, label })));
        }
    }
    return targets;
  }
}

/** @param before the labels before the service, the nearest first; undefined for more than a name has */
function wishOf(before: readonly string[]): Wish | undefined {
  const [first, second, tooMany] = before;
  if (tooMany !== undefined) return undefined;
  if (first === undefined) return ANYTHING;
  return second === undefined
    ? { ...ANYTHING, endpoint: bare(first) }
    : { ...ANYTHING, protocol: bare(first), port: bare(second) };
}

const outside = ({ externalIps, loadBalancerNames }: Service): readonly string[] =>
  loadBalancerNames.length === 0 ? externalIps : [...externalIps, ...loadBalancerNames];

const labelOf = ({ name, namespace }: Service): string => `${name}.${namespace}`;
const fits = (wanted: string, name: string): boolean => wanted === '' || wanted === name.toLowerCase();

const portsOf = ({ ports }: Service, { port, protocol }: Wish): number[] =>
  ports.filter((each) => fits(port, each.name) && fits(protocol, each.protocol)).map((each) => each.port);

const readyAddresses = ({ endpoints }: EndpointSlice): string[] =>
  endpoints.filter(({ ready }) => ready).flatMap(({ addresses }) => addresses);

const leadsTo = (slice: EndpointSlice, ip: string): boolean => readyAddresses(slice).includes(ip);
