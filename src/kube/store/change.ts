import type { Milliseconds } from '../../lib/units.js';
import type { KubeEndpoint, EndpointSlice, KubeKind, KubeObjects, Service } from '../objects/objects.js';
import { isSame } from './same.js';

export type ChangeType = 'added' | 'modified' | 'deleted';

interface Change<Kind extends KubeKind> {
  readonly kind: Kind;
  readonly type: ChangeType;
  /** undefined for an added object. */
  readonly old: KubeObjects[Kind] | undefined;
  /** undefined for a deleted object. */
  readonly new: KubeObjects[Kind] | undefined;
  /**
   * When the event in the cluster happened that this change answers (annotation of the endpoint slice controller);
   * wall clock.
   */
  readonly triggeredAt: Milliseconds | undefined;
}

/** One object came, went or turned different in a field that is kept. Testing `kind` narrows `old` and `new`. */
export type KubeChange = { [Kind in KubeKind]: Change<Kind> }[KubeKind];

/** Something that a service's names answer with has changed: the service itself, or one of its endpoint slices. */
export interface ServiceChange {
  readonly namespace: string;
  readonly name: string;
  /** Cluster and endpoint addresses, old and new, whose reverse names may now answer differently. */
  readonly addresses: readonly string[];
}

/**
 * Cluster addresses of either state. A change of anything but the name and address leaves reverse answers alone, and
 * is named all the same.
 */
export function addressesOfServices(old: Service | undefined, next: Service | undefined): readonly string[] {
  if (!old) return next?.clusterIps ?? [];
  if (!next) return old.clusterIps;
  return [...new Set([...old.clusterIps, ...next.clusterIps])];
}

/** Addresses of the endpoints that one state has and the other has not, or has otherwise. */
export function addressesOfSlices(old: EndpointSlice | undefined, next: EndpointSlice | undefined): readonly string[] {
  if (!old || !next) return addressesOf(old ?? next);
  if (old.addressType === 'FQDN' || next.addressType === 'FQDN') return [...addressesOf(old), ...addressesOf(next)];
  const before = byFirstAddress(old.endpoints);
  const changed = new Set<string>();
  for (const endpoint of next.endpoints) {
    const known = before.get(endpoint.addresses[0]!);
    if (known && isSame(known, endpoint)) before.delete(endpoint.addresses[0]!);
    else for (const address of endpoint.addresses) changed.add(address);
  }
  for (const endpoint of before.values()) for (const address of endpoint.addresses) changed.add(address);
  return [...changed];
}

const NO_ADDRESSES: readonly string[] = [];

/** Names of hosts are no addresses. Not to be altered: of a slice with one endpoint, as most are, it is that one's list. */
export function addressesOf(slice: EndpointSlice | undefined): readonly string[] {
  if (slice === undefined || slice.addressType === 'FQDN') return NO_ADDRESSES;
  const { endpoints } = slice;
  return endpoints.length === 1 ? endpoints[0]!.addresses : endpoints.flatMap((endpoint) => endpoint.addresses);
}

function byFirstAddress(endpoints: readonly KubeEndpoint[]): Map<string, KubeEndpoint> {
  return new Map(endpoints.map((endpoint) => [endpoint.addresses[0]!, endpoint]));
}
