import type { MetadataSource, Query, Zones } from '../../chain/index.js';
import type { Pod } from '../../kube/objects/objects.js';
import type { KubeStore } from '../../kube/store/store.js';
import { formatIp } from '../../lib/cidr.js';
import { sourceIp } from '../../lib/networks.js';
import type { Name } from '../../wire/index.js';
import { before, below, parseRequest, type Request } from './name.js';

/** The pod that a query comes from; undefined where no pod that is known has its address. */
export function podOf(query: Query, store: KubeStore): Pod | undefined {
  const ip = sourceIp(query.client.remote.address);
  return ip && store.podsByIp(formatIp(ip))[0];
}

/** What the resolv.conf of a pod in this namespace has as its search path, as far as the cluster makes it. */
export const clusterDomains = (namespace: string, zone: Name): readonly Name[] => [
  below(`${namespace}.svc`, zone),
  below('svc', zone),
  zone,
];

const NO_REQUEST: Partial<Request> = {};

/** What a name in one of the zones asks for; undefined outside them. */
function requestOf(query: Query, zones: Zones, zonal: boolean): Partial<Request> | 'invalid' | undefined {
  const zone = zones.match(query.name);
  if (zone === undefined) return undefined;
  if (query.name === zone) return NO_REQUEST;
  const request = parseRequest(before(query.name, zone), zonal ? 'zonal' : 'plain');
  if (request === 'between') return NO_REQUEST;
  return request ?? 'invalid';
}

/** What the plugin tells others of a query: what its name means in the cluster, and which pod asks. */
export function queryLabels(zones: Zones, store: KubeStore, zonal: boolean): Readonly<Record<string, MetadataSource>> {
  const from =
    (part: (request: Partial<Request>) => string | undefined): MetadataSource =>
    (query) => {
      const request = requestOf(query, zones, zonal);
      return request === undefined || request === 'invalid' ? undefined : (part(request) ?? '');
    };
  const part = (name: 'port' | 'protocol' | 'endpoint' | 'service' | 'namespace' | 'kind'): MetadataSource =>
    from((request) => request[name]);
  return {
    'kubernetes/client-namespace': (query) => podOf(query, store)?.namespace,
    'kubernetes/client-pod-name': (query) => podOf(query, store)?.name,
    'kubernetes/endpoint': part('endpoint'),
    'kubernetes/kind': part('kind'),
    'kubernetes/namespace': part('namespace'),
    'kubernetes/parse-error': (query) =>
      requestOf(query, zones, zonal) === 'invalid' ? 'invalid query name' : undefined,
    'kubernetes/port-name': part('port'),
    'kubernetes/protocol': part('protocol'),
    'kubernetes/service': part('service'),
    ...(zonal && { 'kubernetes/zone': from((request) => request.zonal?.zone) }),
  };
}
