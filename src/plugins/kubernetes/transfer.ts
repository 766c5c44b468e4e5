import type { EndpointSlice, Service } from '../../kube/objects/objects.js';
import type { KubeStore } from '../../kube/store/store.js';
import { parseIp } from '../../lib/cidr.js';
import type { Seconds } from '../../lib/units.js';
import { Type, encodeName, type Name, type Rr } from '../../wire/index.js';
import { below, parseRequest } from './name.js';
import { nameServerRecords, type NameServer } from './nameserver.js';
import type { ObjectFinder } from './object-finder.js';
import { addressType, record, srvData } from './records.js';
import type { Zone } from './zone.js';

/** Weight of the only address behind a port. */
const WHOLE = 100;

/** Where records come from, and how long they may be kept. */
interface TransferOrigin {
  readonly store: KubeStore;
  readonly finder: ObjectFinder;
  readonly ttl: Seconds;
}

/** All records of a zone as they are transferred, its SOA record first and last. */
export function* zoneRecords(
  zone: Zone,
  soa: Rr,
  servers: readonly NameServer[],
  origin: TransferOrigin,
): Generator<Rr> {
  const { answer, additional } = nameServerRecords(zone.name, zone.name, servers, origin.ttl);
  yield soa;
  yield* answer;
  yield* additional;
  if (!zone.reverse && zone.forms !== 'multicluster') yield* serviceRecords(zone.name, origin);
  yield soa;
}

/**
 * The records of a cluster's services as a zone has them, but for SOA and name servers: what CoreDNS transfers, which
 * leaves out pods and reverse zones. The objects are those of the moment when the first record is taken.
 */
function* serviceRecords(zone: Name, { store, finder, ttl }: TransferOrigin): Generator<Rr> {
  const services = [...store.all('Service')]
    .filter(({ namespace }) => finder.exposed(namespace))
    .map((service) => ({
      service,
      // Endpoints that are known by a name only have no address to tell.
      slices: service.headless
        ? finder.slicesOf(service.namespace, service.name).filter(({ addressType }) => addressType !== 'FQDN')
        : [],
    }))
    .sort(({ service: a }, { service: b }) => order(a.name, b.name) || order(a.namespace, b.namespace));
  for (const { service, slices } of services) {
    const made = new ServiceRecords(service, zone, ttl);
    if (service.type === 'ExternalName') yield* made.alias(finder);
    else if (service.headless) yield* made.endpoints(slices, finder);
    else yield* made.cluster();
  }
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

class ServiceRecords {
  private readonly host: string;

  constructor(
    private readonly service: Service,
    private readonly zone: Name,
    private readonly ttl: Seconds,
  ) {
    this.host = `${service.name}.${service.namespace}.svc`;
  }

  *alias(finder: ObjectFinder): Generator<Rr> {
    const request = parseRequest(this.host, 'plain');
    const found = typeof request === 'object' ? finder.find(request, 'plain') : undefined;
    if (typeof found === 'object' && 'alias' in found)
      yield record(below(this.host, this.zone), Type.CNAME, this.ttl, encodeName(found.alias));
  }

  *cluster(): Generator<Rr> {
    const { clusterIps, ports } = this.service;
    if (clusterIps.length === 0) return;
    for (const ip of clusterIps) yield this.address(this.host, ip);
    for (const { name, protocol, port } of ports) {
      yield this.port(this.host, port, this.host, WHOLE);
      if (name !== '') yield this.port(this.portName(name, protocol), port, this.host, WHOLE);
    }
  }

  *endpoints(slices: readonly EndpointSlice[], finder: ObjectFinder): Generator<Rr> {
    for (const { endpoints, ports } of slices) {
      const addresses = endpoints
        .filter(({ ready }) => ready)
        .flatMap((endpoint) => endpoint.addresses.map((ip) => ({ ip, hostname: finder.hostname(endpoint, ip) })));
      const weight = Math.max(1, Math.floor(WHOLE / addresses.length));
      for (const { ip, hostname } of addresses) {
        const target = `${hostname}.${this.host}`;
        yield this.address(this.host, ip);
        yield this.address(target, ip);
        for (const { name, protocol, port } of ports)
          if (name !== '' && port !== undefined) yield this.port(this.portName(name, protocol), port, target, weight);
      }
    }
  }

  private portName(name: string, protocol: string): string {
    return `_${name}._${protocol}.${this.host}`.toLowerCase();
  }

  private address(host: string, ip: string): Rr {
    return record(below(host, this.zone), addressType(ip), this.ttl, parseIp(ip)!);
  }

  private port(owner: string, port: number, target: string, weight: number): Rr {
    const data = srvData(weight, port, below(target, this.zone));
    return record(below(owner, this.zone), Type.SRV, this.ttl, data);
  }
}
