import type { ProvidesExternalServices } from '../../chain/index.js';
import { parseIp } from '../../lib/cidr.js';
import type { Seconds } from '../../lib/units.js';
import { Type, encodeName, fqdn, type Name, type Rr } from '../../wire/index.js';
import { addressType, portRecords, rr } from './records.js';

/** What a transfer needs to know beside the services. */
export interface TransferOptions {
  readonly zone: Name;
  readonly ttl: Seconds;
  readonly headless: boolean;
}

/**
 * The records of all services that can be reached from outside, as a zone has them. A load balancer that has nothing
 * but a name is an alias; no other records stand beside it (RFC 1034 section 3.6.2).
 */
export function* outsideRecords(
  cluster: ProvidesExternalServices,
  { zone, ttl, headless }: TransferOptions,
): Generator<Rr, void, void> {
  for (const labels of cluster.externalNames(headless)) {
    const targets = cluster.external(labels, headless);
    if (typeof targets === 'string') continue;
    const name = `${labels.join('.')}.${zone === '.' ? '' : zone}`;
    const ofPort = labels[0]!.startsWith('_');
    if (!ofPort) {
      const hosts = [...new Set(targets.map(({ host }) => host))];
      const ips = hosts.flatMap((host) => parseIp(host) ?? []);
      for (const ip of ips) yield rr(name, addressType(ip), ttl, ip);
      if (ips.length === 0) {
        yield rr(name, Type.CNAME, cluster.externalTtl, encodeName(fqdn(hosts[0]!)));
        continue;
      }
    }
    yield* portRecords(name, zone, targets, cluster.externalTtl);
  }
}
