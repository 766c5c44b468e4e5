import type { KubeStore } from '../../kube/store/store.js';
import type { ObjectFinder, LookupOptions } from './object-finder.js';

/**
 * Names of an address below the zone: of the service that has it, else of every ready endpoint that does, one for
 * each service. None for an address
 * of neither, or of a namespace that is not answered for.
 */
export function namesOfAddress(
  ip: string,
  store: KubeStore,
  lookup: ObjectFinder,
  { namespaces, endpoints }: LookupOptions,
): string[] {
  // As CoreDNS: where namespaces are listed, the others' addresses have no names; where they are chosen by labels,
  // they have.
  const told = (namespace: string): boolean => namespaces === undefined || lookup.exposed(namespace);
  const service = store.servicesByIp(ip).find(({ namespace }) => told(namespace));
  if (service !== undefined) return [`${service.name}.${service.namespace}.svc`];
  const names = new Set<string>();
  if (endpoints) {
    for (const slice of store.slicesByIp(ip)) {
      if (!told(slice.namespace)) continue;
      for (const endpoint of slice.endpoints) {
        if (endpoint.ready && endpoint.addresses.includes(ip))
          names.add(`${lookup.hostname(endpoint, ip)}.${slice.service}.${slice.namespace}.svc`);
      }
    }
  }
  return [...names];
}
