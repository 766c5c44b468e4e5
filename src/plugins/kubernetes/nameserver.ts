import type { Block } from '../../chain/index.js';
import type { KubeStore } from '../../kube/store/store.js';
import { canonicalIp } from '../../lib/cidr.js';
import type { Seconds } from '../../lib/units.js';
import { Type, encodeName, type Name } from '../../wire/index.js';
import type { ObjectFinder, RecordTarget } from './object-finder.js';
import { below } from './name.js';
import { record, type Records, addressRecords } from './records.js';

const LOOPBACK = /^(127\.|::1$)/;
const LINK_LOCAL = /^fe[89ab]/;

/** A server by its address and its name before the zone. */
export type NameServer = Pick<RecordTarget, 'ip' | 'host'>;

/** The addresses, other than loopback and link-local ones, at which a block is served. */
export function ownAddresses(block: Block): string[] {
  const bound = block.addresses().map(({ address }) => address);
  const every = bound.some((address) => address === '' || address === '0.0.0.0' || address === '::');
  const all = every ? block.runtime.network.interfaces().map(({ address }) => address) : bound;
  return [...new Set(all)]
    .map((address) => canonicalIp(address.replace(/%.*$/, '')))
    .filter((ip): ip is string => ip !== undefined && !LOOPBACK.test(ip) && !LINK_LOCAL.test(ip));
}

/**
 * The zone's name servers: the services that lead to this server, by their cluster addresses or, where they are
 * headless, by their endpoints. Without such
 * a service, this server by its own addresses under `ns.dns`.
 */
export function nameServers(own: readonly string[], store: KubeStore, lookup: ObjectFinder): NameServer[] {
  const slices = own.flatMap((ip) =>
    store
      .slicesByIp(ip)
      .filter((slice) => slice.endpoints.some((endpoint) => endpoint.ready && endpoint.addresses.includes(ip))),
  );
  if (slices.length === 0) return own.map((ip) => ({ ip, host: 'ns.dns' }));
  return slices.flatMap((slice) => {
    const service = store.service(slice.namespace, slice.service);
    if (service === undefined) return [];
    const host = `${service.name}.${service.namespace}.svc`;
    if (!service.headless) return service.clusterIps.map((ip) => ({ ip, host }));
    return slice.endpoints
      .filter(({ ready }) => ready)
      .flatMap((endpoint) =>
        endpoint.addresses.map((ip) => ({ ip, host: `${lookup.hostname(endpoint, ip)}.${host}` })),
      );
  });
}

/** NS records of the zone, with the addresses of the servers. */
export function nameServerRecords(name: Name, zone: Name, servers: readonly NameServer[], ttl: Seconds): Records {
  const hosts = [...new Set(servers.map(({ host }) => host))];
  return {
    answer: hosts.map((host) => record(name, Type.NS, ttl, encodeName(below(host, zone)))),
    additional: hosts.flatMap((host) => {
      const targets = servers.filter((server) => server.host === host);
      return [Type.A, Type.AAAA].flatMap((type) => addressRecords(below(host, zone), type, targets, ttl));
    }),
  };
}
