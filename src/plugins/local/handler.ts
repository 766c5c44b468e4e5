import { Reply, Zones, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import type { Logger } from '../../lib/log.js';
import type { Value } from '../../metrics/metrics.js';
import { Class, Rcode, Type, encodeName, type Name, type Rr } from '../../wire/index.js';

/** One week, in seconds. */
const TTL = 604_800;
const LOCALHOST = 'localhost.';
const ZONES = new Zones([LOCALHOST, '0.in-addr.arpa.', '127.in-addr.arpa.', '255.in-addr.arpa.']);
const LOOPBACK_PTR = '1.0.0.127.in-addr.arpa.';

const IPV4 = Uint8Array.of(127, 0, 0, 1);
const IPV6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const HOST = encodeName(LOCALHOST);
/** Serial 1, no times, and the TTL as the one for negative answers. */
const SOA = (() => {
  const numbers = Buffer.alloc(20);
  numbers.writeUInt32BE(1, 0);
  numbers.writeUInt32BE(TTL, 16);
  return Buffer.concat([HOST, encodeName('root.localhost.'), numbers]);
})();

/** Answers for localhost and the reverse zones of addresses that never leave a host (RFC 6761, RFC 6303). */
export class Local implements Handler {
  readonly name = 'local';
  readonly role = 'answers';
  readonly dependsOn = 'question';

  /** @param prefix whether `localhost.DOMAIN` is answered too */
  constructor(
    private readonly prefix: boolean,
    private readonly requests: Value,
    private readonly log: Pick<Logger, 'debug'>,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (query.class !== Class.IN) return next(query);
    const { name, qname } = query;
    if (name !== LOCALHOST && (name.endsWith(`.${LOCALHOST}`) || (this.prefix && name.startsWith(LOCALHOST)))) {
      const { address } = query.client.remote;
      this.log.debug(`Intercepting localhost query for "${name}" ${query.typeName}, from ${address}`);
      this.requests.inc();
      return answer(recordOf(qname, loopbackType(query.type)), qname);
    }
    const zone = ZONES.match(name);
    if (zone === undefined) return next(query);
    if (name === zone) return answer(recordOf(qname, apexType(query.type, name)), qname);
    if (name === LOOPBACK_PTR)
      return answer(recordOf(qname, query.type === Type.PTR ? Type.PTR : 0), above(query, zone));
    return Reply.of(0, Rcode.NXDOMAIN, { authority: [soa(above(query, zone))] });
  }
}

/** The zone as the client spelt it. */
const above = (query: Query, zone: Name): Name => query.qname.slice(query.qname.length - zone.length);

const loopbackType = (type: number): number => (type === Type.A || type === Type.AAAA ? type : 0);

/** What there is at a zone's own name; addresses only at localhost. */
const apexType = (type: number, name: Name): number =>
  type === Type.SOA || type === Type.NS ? type : name === LOCALHOST ? loopbackType(type) : 0;

const RDATA = new Map<number, Uint8Array>([
  [Type.A, IPV4],
  [Type.AAAA, IPV6],
  [Type.NS, HOST],
  [Type.PTR, HOST],
  [Type.SOA, SOA],
]);

function recordOf(name: Name, type: number): Rr | undefined {
  const rdata = RDATA.get(type);
  return rdata && { name, type, class: Class.IN, ttl: TTL, rdata };
}

const soa = (name: Name): Rr => recordOf(name, Type.SOA)!;

/** The record, or NODATA with the zone's SOA record (RFC 2308 section 2.2). */
const answer = (record: Rr | undefined, zone: Name): Reply =>
  record === undefined
    ? Reply.of(0, Rcode.NOERROR, { authority: [soa(zone)] })
    : Reply.of(0, Rcode.NOERROR, { answer: [record] });
