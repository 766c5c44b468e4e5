import type { KubeChange } from '../../kube/store/change.js';
import type { KubeStore } from '../../kube/store/store.js';
import { parseIp } from '../../lib/cidr.js';
import { reverseName, type Name } from '../../wire/index.js';
import { below } from './name.js';
import type { Zone } from './zone.js';

/**
 * Tells the names that answer otherwise after each change of an object, each with all below it, until the returned
 * function is called. The names of the zone itself, of its name servers and serials are not among them.
 *
 * @param impliedNamespaces whether namespaces are there for as long as something is in them
 */
export function followNames(
  store: KubeStore,
  zones: readonly Zone[],
  impliedNamespaces: boolean,
  changed: (name: Name) => void,
): () => void {
  const inZones = (text: string): void => {
    for (const zone of zones) if (!zone.reverse) changed(below(text, zone.name));
  };
  const reverse = (addresses: readonly string[]): void => {
    if (zones.some((zone) => zone.reverse)) for (const ip of addresses) changed(reverseName(parseIp(ip)!));
  };
  const ends = [
    store.serviceChanges.subscribe(({ namespace, name, addresses }) => {
      inZones(`${name}.${namespace}.svc`);
      reverse(addresses);
    }),
    store.changes.subscribe((change) => hostsOf(change, impliedNamespaces).forEach(inZones)),
  ];
  return () => ends.forEach((end) => end());
}

/** Names before the zone that a change concerns beside those of services. */
function hostsOf(change: KubeChange, impliedNamespaces: boolean): string[] {
  switch (change.kind) {
    case 'Namespace':
      return change.type === 'modified' ? [] : inNamespace((change.new ?? change.old)!.name);
    case 'Service': {
      const { namespace } = (change.new ?? change.old)!;
      return impliedNamespaces && change.type !== 'modified' ? inNamespace(namespace) : [];
    }
    case 'Pod':
      return [change.old, change.new].flatMap((pod) =>
        pod === undefined ? [] : pod.ips.map((ip) => `${ip.replace(/[.:]/g, '-')}.${pod.namespace}.pod`),
      );
    case 'ServiceImport': {
      const { name, namespace } = (change.new ?? change.old)!;
      return [`${name}.${namespace}.svc`];
    }
    case 'EndpointSlice':
      return [change.old, change.new].flatMap((slice) =>
        slice?.imported === undefined ? [] : [`${slice.imported.service}.${slice.namespace}.svc`],
      );
    default:
      return [];
  }
}

const inNamespace = (name: string): string[] => [`${name}.svc`, `${name}.pod`];
