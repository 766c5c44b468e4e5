import { fnv1a } from '../../lib/fnv1a.js';
import type {
  ContainerPort,
  KubeEndpoint,
  EndpointPort,
  EndpointSlice,
  IpFamily,
  Pod,
  Service,
} from '../objects/objects.js';
import { byText } from '../../lib/order.js';

/** Endpoints per slice, the default of the endpoint slice controller. */
const MAX_ENDPOINTS = 100;
/** Letters and digits that cannot form words, as Kubernetes uses them at the end of generated names. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX = 5;
/** Pods in these phases have given their addresses back. */
const DONE: ReadonlySet<string> = new Set(['Succeeded', 'Failed']);

/**
 * The slices a cluster would hold for a service and the pods its selector picks: per address family, and per set of
 * ports when pods
 * name their ports differently, at most 100 endpoints each, ordered by pod name. Names are the same for the same
 * input. Pods without an
 * address of the family, and pods whose work is over, have no endpoint; a pod that is not ready has one that says so.
 * `zoneOf` gives the zone of a node.
 */
export function formedSlices(
  service: Service,
  pods: readonly Pod[],
  zoneOf: (node: string) => string | undefined,
): EndpointSlice[] {
  const members = pods.filter((pod) => !DONE.has(pod.phase)).sort((a, b) => byText(a.name, b.name));
  return familiesOf(service).flatMap((family) => slicesOfFamily(service, members, family, zoneOf));
}

function familiesOf(service: Service): readonly IpFamily[] {
  return service.ipFamilies.length > 0 ? service.ipFamilies : ['IPv4'];
}

function slicesOfFamily(
  service: Service,
  pods: readonly Pod[],
  addressType: IpFamily,
  zoneOf: (node: string) => string | undefined,
): EndpointSlice[] {
  const groups = new Map<string, { readonly ports: readonly EndpointPort[]; readonly endpoints: KubeEndpoint[] }>();
  for (const pod of pods) {
    const ip = pod.ips.find((address) => address.includes(':') === (addressType === 'IPv6'));
    if (ip === undefined) continue;
    const ports = portsOf(service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(service, pod, ip, zoneOf));
  }
  const slices: EndpointSlice[] = [];
  for (const [key, { ports, endpoints }] of groups) {
    for (let first = 0; first < endpoints.length; first += MAX_ENDPOINTS) {
      const name = `${service.name}-${suffix(`${addressType}/${key}/${first}`)}`;
      slices.push({
        kind: 'EndpointSlice',
        namespace: service.namespace,
        name,
        service: service.name,
        addressType,
        imported: undefined,
        endpoints: endpoints.slice(first, first + MAX_ENDPOINTS),
        ports,
      });
    }
  }
  return slices;
}

function endpointOf(
  service: Service,
  pod: Pod,
  ip: string,
  zoneOf: (node: string) => string | undefined,
): KubeEndpoint {
  const named = pod.hostname !== undefined && pod.subdomain === service.name;
  return {
    addresses: [ip],
    ready: service.publishNotReadyAddresses || (pod.ready && !pod.terminating),
    serving: pod.ready,
    terminating: pod.terminating,
    hostname: named ? pod.hostname : undefined,
    target: pod.name.length <= 63 ? pod.name : undefined,
    node: pod.node,
    zone: pod.node === undefined ? undefined : zoneOf(pod.node),
  };
}

/** A port whose target a pod does not name is left out for that pod. */
function portsOf(service: Service, pod: Pod): EndpointPort[] {
  return service.ports.flatMap(({ name, port, protocol, targetPort }): EndpointPort[] => {
    const target =
      typeof targetPort === 'string'
        ? pod.ports.find((own: ContainerPort) => own.name === targetPort && own.protocol === protocol)?.port
        : (targetPort ?? port);
    return target === undefined ? [] : [{ name, port: target, protocol }];
  });
}

/** Five characters from the text by the FNV-1a hash: alike for alike texts, so that a restart gives the same names. */
function suffix(text: string): string {
  let hash = fnv1a(text);
  let letters = '';
  for (let i = 0; i < SUFFIX; i++) {
    letters += ALPHABET[hash % ALPHABET.length];
    hash = Math.floor(hash / ALPHABET.length);
  }
  return letters;
}
