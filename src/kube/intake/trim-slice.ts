import { isIPv4 } from 'node:net';
import type { EndpointSlice, ImportedFrom, KubeEndpoint } from '../objects/objects.js';
import { arrayAt, flagAt, objectAt, textAt } from '../objects/raw.js';
import type { RawObject } from '../objects/raw.js';
import { LABEL, SUBDOMAIN, fitted, type FieldReader, type Place } from './field-reader.js';
import { endpointPorts } from './ports.js';

/** Longest pod name that can be used as a DNS label. */
const MAX_LABEL = 63;
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
export const IMPORT_NAME_LABEL = 'multicluster.kubernetes.io/service-name';
const SOURCE_CLUSTER_LABEL = 'multicluster.kubernetes.io/source-cluster';

/** An EndpointSlice; undefined where its addresses are of a kind that cannot be answered. */
export function trimSlice(
  reader: FieldReader,
  namespace: string,
  name: string,
  raw: unknown,
  place: Place,
): EndpointSlice | undefined {
  const addressType = textAt(raw, 'addressType') || 'IPv4';
  if (addressType !== 'IPv4' && addressType !== 'IPv6' && addressType !== 'FQDN')
    return place.skip(`addresses of type ${JSON.stringify(addressType)} cannot be answered`);
  const endpoints: KubeEndpoint[] = [];
  for (const entry of arrayAt(raw, 'endpoints')) {
    const endpoint = endpointOf(reader, entry, addressType, place);
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
    ports: endpointPorts(reader, raw, place),
  };
}

function endpointOf(
  reader: FieldReader,
  raw: unknown,
  type: EndpointSlice['addressType'],
  place: Place,
): KubeEndpoint | undefined {
  const given = arrayAt(raw, 'addresses');
  const addresses = type === 'FQDN' ? hostNames(given, place) : reader.addresses(given, 'endpoint address', place);
  if (addresses.length === 0) return undefined;
  const conditions = objectAt(raw, 'conditions');
  const ready = flagAt(conditions, 'ready') ?? true;
  const hostname = textAt(raw, 'hostname');
  if (hostname !== '' && !LABEL.test(hostname)) place.drop(`hostname ${JSON.stringify(hostname)}`);
  const target = reader.choice.targets ? textAt(objectAt(raw, 'targetRef'), 'name') : '';
  return {
    addresses,
    ready,
    serving: flagAt(conditions, 'serving') ?? ready,
    terminating: flagAt(conditions, 'terminating') ?? false,
    hostname: LABEL.test(hostname) ? hostname : undefined,
    target: targetOf(target),
    node: reader.topology(textAt(raw, 'nodeName')),
    zone: reader.topology(textAt(raw, 'zone')),
  };
}

/** The name of a pod where it can be a label. */
export const targetOf = (name: string): string | undefined =>
  name !== '' && name.length <= MAX_LABEL ? name : undefined;

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
