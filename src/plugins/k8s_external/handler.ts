import {
  Reply,
  type Handler,
  type Next,
  type Outcome,
  type ProvidesExternalServices,
  type Query,
  type TransfersZones,
  type ZoneTransfer,
  type Zones,
} from '../../chain/index.js';
import { formatIp, parseIp } from '../../lib/cidr.js';
import type { Seconds } from '../../lib/units.js';
import {
  Class,
  Flag,
  Rcode,
  Type,
  addressOfReverseName,
  encodeName,
  isSubdomain,
  labels,
  type Name,
  type Rr,
} from '../../wire/index.js';
import { addressRecords, rr, serviceRecords, type ExternalRecords } from './records.js';
import { outsideRecords } from './transfer.js';

export interface ExternalOptions {
  readonly zones: Zones;
  /** The label below a zone under which its name server stands. */
  readonly apex: string;
  readonly ttl: Seconds;
  readonly headless: boolean;
  /** Zones in which names that do not exist are asked further on. */
  readonly through: Zones;
}

const HOSTMASTER = 'hostmaster';
const SERVER = 'ns1';
const REFRESH = 7200;
const RETRY = 1800;
const EXPIRE = 86_400;

const join = (...parts: string[]): Name =>
  `${parts
    .filter((part) => part !== '.')
    .join('.')
    .replace(/\.$/, '')}.`;

/** Answers for services of a cluster by the addresses that they have outside of it. */
export class K8sExternal implements Handler, TransfersZones {
  readonly name = 'k8s_external';
  readonly role = 'answers';
  readonly dependsOn = 'question';

  /** @param cluster known when the first query comes @param ask the whole server, for names of load balancers */
  constructor(
    private readonly options: ExternalOptions,
    private readonly cluster: () => ProvidesExternalServices,
    private readonly ask: Next,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { zones, apex } = this.options;
    const { name } = query;
    const zone = query.class === Class.IN ? zones.match(name) : undefined;
    if (zone === undefined) return next(query);
    if (name === zone) return this.apex(query, zone);
    if (isSubdomain(join(apex, zone), name)) return this.belowApex(query, zone);
    return this.service(query, zone, next);
  }

  zoneTransfer(zone: Name, known: number | undefined): ZoneTransfer | undefined {
    if (!this.options.zones.list.includes(zone)) return undefined;
    const serial = this.cluster().externalSerial;
    const soa = this.soa(zone);
    return { serial, records: known !== undefined && known >= serial ? [soa] : this.recordsOf(zone, soa) };
  }

  private *recordsOf(zone: Name, soa: Rr): Generator<Rr, void, void> {
    const { apex, ttl, headless } = this.options;
    const server = join(SERVER, apex, zone);
    yield soa;
    yield rr(zone, Type.NS, ttl, encodeName(server));
    yield* this.serverAddresses(server);
    yield* outsideRecords(this.cluster(), { zone, ttl, headless });
    yield soa;
  }

  private service(query: Query, zone: Name, next: Next): Outcome | Promise<Outcome> {
    const { headless, through, ttl } = this.options;
    const cluster = this.cluster();
    if (query.type === Type.PTR) {
      const ip = addressOfReverseName(query.name);
      if (ip !== undefined) return this.pointer(query, zone, cluster.externalLabels(formatIp(ip)), next);
    }
    const base = zone === '.' ? query.name : query.name.slice(0, -zone.length);
    const found = cluster.external(labels(base), headless);
    if (found === 'no-name') return through.contains(query.name) ? next(query) : this.deny(zone, Rcode.NXDOMAIN);
    if (found === 'no-data') return this.deny(zone, Rcode.NOERROR);
    switch (query.type) {
      case Type.A:
      case Type.AAAA:
        return this.reply(zone, addressRecords(query, found, ttl, cluster.externalTtl, this.ask));
      case Type.SRV:
        return this.reply(zone, serviceRecords(query, zone, found, ttl, cluster.externalTtl, this.ask));
      default:
        return this.deny(zone, Rcode.NOERROR);
    }
  }

  private async reply(zone: Name, made: Promise<ExternalRecords>): Promise<Reply> {
    const { answer, additional, truncated } = await made;
    if (answer.length === 0) return this.deny(zone, Rcode.NOERROR);
    return Reply.of(truncated ? Flag.AA | Flag.TC : Flag.AA, Rcode.NOERROR, { answer, additional });
  }

  private pointer(query: Query, zone: Name, found: readonly string[], next: Next): Outcome | Promise<Outcome> {
    const { zones, through, ttl } = this.options;
    if (found.length === 0) return through.contains(query.name) ? next(query) : this.deny(zone, Rcode.NXDOMAIN);
    const answer = found.map((label) => rr(query.qname, Type.PTR, ttl, encodeName(join(label, zones.list[0]!))));
    return Reply.of(Flag.AA, Rcode.NOERROR, { answer });
  }

  private apex(query: Query, zone: Name): Reply {
    const { apex, ttl } = this.options;
    if (query.type === Type.SOA) return Reply.of(Flag.AA, Rcode.NOERROR, { answer: [this.soa(zone)] });
    if (query.type !== Type.NS) return this.deny(zone, Rcode.NOERROR);
    const server = encodeName(join(SERVER, apex, zone));
    const additional = this.serverAddresses(join(SERVER, apex, query.qname));
    return Reply.of(Flag.AA, Rcode.NOERROR, { answer: [rr(zone, Type.NS, ttl, server)], additional });
  }

  /** `dns` itself has no records, `ns1.dns` those of the server. */
  private belowApex(query: Query, zone: Name): Reply {
    const [first, ...rest] = labels(zone === '.' ? query.name : query.name.slice(0, -zone.length));
    if (rest.length === 0) return this.deny(zone, Rcode.NOERROR);
    if (rest.length > 1 || first !== SERVER) return this.deny(zone, Rcode.NXDOMAIN);
    const answer = this.serverAddresses(query.qname).filter(({ type }) => type === query.type);
    return answer.length === 0 ? this.deny(zone, Rcode.NOERROR) : Reply.of(Flag.AA, Rcode.NOERROR, { answer });
  }

  private serverAddresses(name: Name): Rr[] {
    const { headless, ttl } = this.options;
    return this.cluster()
      .externalServers(headless)
      .map((text) => {
        const ip = parseIp(text)!;
        return rr(name, ip.length === 4 ? Type.A : Type.AAAA, ttl, ip);
      });
  }

  private deny(zone: Name, rcode: number): Reply {
    return Reply.of(Flag.AA, rcode, { authority: [this.soa(zone)] });
  }

  private soa(zone: Name): Rr {
    const { apex, ttl } = this.options;
    const numbers = Buffer.alloc(20);
    [this.cluster().externalSerial, REFRESH, RETRY, EXPIRE, ttl].forEach((value, i) =>
      numbers.writeUInt32BE(value, 4 * i),
    );
    const names = [encodeName(join(SERVER, apex, zone)), encodeName(join(HOSTMASTER, apex, zone))];
    return rr(zone, Type.SOA, ttl, Buffer.concat([...names, numbers]));
  }
}
