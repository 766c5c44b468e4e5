import type { EndpointPort, PortProtocol, ServicePort } from '../objects/objects.js';
import { arrayAt, asObject, portAt, textAt } from '../objects/raw.js';
import { NONE, type FieldReader, type Place } from './field-reader.js';

/** Told what is left out, and why. */
type Dropped = Pick<Place, 'drop'>;

/** The `ports` of a service or service import, as its `spec` has them. */
export function servicePorts(reader: FieldReader, spec: unknown, place: Dropped): readonly ServicePort[] {
  const ports: ServicePort[] = [];
  for (const raw of arrayAt(spec, 'ports')) {
    const port = portAt(raw, 'port');
    const protocol = protocolAt(raw);
    if (port === undefined || protocol === undefined) {
      place.drop(`port ${JSON.stringify(raw)}`);
      continue;
    }
    const nodePort = reader.choice.selectors ? portAt(raw, 'nodePort') : undefined;
    const targetPort = reader.choice.selectors
      ? (portAt(raw, 'targetPort') ?? (textAt(raw, 'targetPort') || undefined))
      : undefined;
    ports.push({ name: textAt(raw, 'name'), port, protocol, targetPort, nodePort });
  }
  return ports.length === 0 ? NONE : reader.interner.keyed(portsKey('service', ports), () => ports);
}

/** The `ports` of a slice. */
export function endpointPorts(reader: FieldReader, slice: unknown, place: Dropped): readonly EndpointPort[] {
  const ports: EndpointPort[] = [];
  for (const entry of arrayAt(slice, 'ports')) {
    const port = portAt(entry, 'port');
    const protocol = protocolAt(entry);
    // A missing or null port means every port; any other non-port is a mistake.
    if (protocol === undefined || (port === undefined && (asObject(entry)['port'] ?? null) !== null))
      place.drop(`port ${JSON.stringify(entry)}`);
    else ports.push({ name: textAt(entry, 'name'), port, protocol });
  }
  return ports.length === 0 ? NONE : reader.interner.keyed(portsKey('endpoint', ports), () => ports);
}

/** Alike for lists of ports that are alike, and only for these: names are whatever somebody wrote. */
function portsKey(sort: string, ports: readonly (ServicePort | EndpointPort)[]): string {
  let key = sort;
  for (const port of ports) {
    key += ` ${port.protocol}/${port.port} ${port.name.length}:${port.name}`;
    if (!('targetPort' in port)) continue;
    const { targetPort, nodePort } = port;
    key +=
      typeof targetPort === 'string' ? ` ${nodePort} ${targetPort.length}:${targetPort}` : ` ${nodePort} ${targetPort}`;
  }
  return key;
}

/** TCP where nothing is said; undefined for what is unknown. */
export function protocolAt(raw: unknown): PortProtocol | undefined {
  const protocol = asObject(raw)['protocol'] ?? 'TCP';
  return protocol === 'TCP' || protocol === 'UDP' || protocol === 'SCTP' ? protocol : undefined;
}
