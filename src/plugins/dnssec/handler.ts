import {
  DerivedLease,
  Reply,
  ReplyLease,
  mapReply,
  type Handler,
  type Next,
  type Outcome,
  type PerServer,
  type Query,
  type CountsHits,
  type HitCounter,
  type Zones,
} from '../../chain/index.js';
import { rrsetsOf } from '../../dnssec/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds, Seconds } from '../../lib/units.js';
import {
  Class,
  Flag,
  Rcode,
  Type,
  echoOwners,
  encodeRecords,
  lowerName,
  type Name,
  type Rr,
} from '../../wire/index.js';
import type { BlackLies } from './black-lies.js';
import type { DnssecMetrics } from './metrics.js';
import type { Signatures } from './signatures.js';

/** What a reply says, as far as it decides how it is signed. */
type SigningKind = 'records' | 'denial' | 'delegation';

/** TTL of signatures over keys, in seconds, as in CoreDNS. */
const KEYS_TTL: Seconds = 3600;

/** A signed reply to what is no denial: it is the same for every query that gets the unsigned one. */
interface Signed {
  readonly reply: Reply;
  readonly sets: number;
  readonly renewAt: Milliseconds;
}

/** One reply while it is signed. */
class Signing {
  sets = 0;
  renewAt: Milliseconds = Infinity;

  constructor(
    private readonly signatures: Signatures,
    private readonly metrics: DnssecMetrics,
  ) {}

  /** The RRSIG records over a set of records. */
  over(records: readonly [Rr, ...Rr[]], signer: Name, ttl: Seconds): Rr[] {
    const [{ name, class: recordClass }] = records;
    const { data, renewAt } = this.signatures.over(records, signer, this.metrics);
    this.sets++;
    this.renewAt = Math.min(this.renewAt, renewAt);
    return data.map((rdata) => ({ name, type: Type.RRSIG, class: recordClass, ttl, rdata }));
  }
}

/** Signs the answers of its zones while they go out. */
export class Dnssec implements Handler, CountsHits {
  readonly name = 'dnssec';
  readonly role = 'wraps';
  readonly dependsOn = 'question';
  private readonly known = new WeakMap<Reply, Signed>();

  constructor(
    private readonly zones: Zones,
    private readonly signatures: Signatures,
    private readonly lies: BlackLies,
    private readonly clock: Clock,
    private readonly metrics: PerServer<DnssecMetrics>,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { name } = query;
    const zone = this.zones.match(name);
    if (zone === undefined) return next(query);
    if (query.type === Type.DNSKEY && zone === name) return this.keys(query, zone);
    return query.do ? mapReply(next(query), (reply) => this.signed(query, zone, reply)) : next(query);
  }

  hitCounter(query: Query, reply: Reply): HitCounter {
    if (!query.do || !this.zones.contains(query.name)) return () => undefined;
    const signatures = [...reply.answer, ...reply.authority, ...reply.additional].filter(
      ({ type }) => type === Type.RRSIG,
    ).length;
    const { hits } = this.metrics.get(query.client.server);
    return (plain, edns) => hits.inc((plain + edns) * Math.ceil(signatures / this.signatures.perSet));
  }

  private signed(query: Query, zone: Name, reply: Reply): Reply {
    if (!reply.written) return reply;
    const metrics = this.metrics.get(query.client.server);
    const before = this.known.get(reply);
    if (before !== undefined && before.renewAt > this.clock.now()) {
      metrics.hits.inc(before.sets);
      return before.reply;
    }
    const signing = new Signing(this.signatures, metrics);
    const kind = kindOf(reply);
    const made =
      kind === 'records'
        ? this.signAll(query, reply, signing)
        : kind === 'denial'
          ? deny(query, zone, reply, signing, this.lies)
          : refer(zone, reply, signing, this.lies);
    metrics.entries.set(this.signatures.size);
    if (made === reply) return reply;
    const lease = this.lease(reply.lease, signing);
    const finished = made.withLease(lease);
    const { sets, renewAt } = signing;
    if (kind === 'records') this.known.set(reply, { reply: finished, sets, renewAt });
    return finished;
  }

  private lease(inner: ReplyLease | undefined, { renewAt }: Signing): ReplyLease | undefined {
    if (inner === undefined) return undefined;
    return new DerivedLease(inner, this.clock.monotonic() + renewAt - this.clock.now());
  }

  /** The keys themselves, which nobody behind this handler knows of. */
  private keys(query: Query, zone: Name): Reply {
    const metrics = this.metrics.get(query.client.server);
    const keys = this.signatures.keys.map(({ ttl, rdata }): Rr => {
      return { name: query.qname, type: Type.DNSKEY, class: Class.IN, ttl, rdata };
    });
    const signing = new Signing(this.signatures, metrics);
    const signatures = query.do ? signing.over(keys as [Rr, ...Rr[]], zone, KEYS_TTL) : [];
    metrics.entries.set(this.signatures.size);
    const lease = this.lease(new ReplyLease(Infinity), signing);
    return Reply.of(Flag.AA, Rcode.NOERROR, { answer: [...keys, ...signatures] }).withLease(lease);
  }

  /** Signs each set of records that lies in one of the zones. */
  private signAll(query: Query, reply: Reply, signing: Signing): Reply {
    const sign = (records: readonly Rr[]): readonly Rr[] => {
      const signatures = rrsetsOf(records).flatMap((set) => {
        const signer = this.zones.match(lowerName(set[0].name));
        return signer === undefined ? [] : signing.over(set, signer, set[0].ttl);
      });
      return signatures.length === 0 ? records : [...records, ...signatures.filter((one) => !has(records, one))];
    };
    const { answer, authority, additional } = reply;
    const sections = { answer: sign(answer), authority: sign(authority), additional: sign(additional) };
    if (signing.sets === 0) return reply;
    const records = encodeRecords(sections);
    // Where the reply takes over the letter case of the question, so do its signatures.
    const echoed = reply.records.owners === undefined ? records : echoOwners(records, query.name);
    const made = Reply.ofRecords(reply.flags, reply.rcode, echoed, undefined, reply.edns);
    return reply.repeats === undefined ? made : made.repeating(reply.repeats);
  }
}

/** Whether the signature is there already: an alias may lead through this server to what is signed before. */
const has = (records: readonly Rr[], { name, rdata }: Rr): boolean =>
  records.some(
    (record) => record.type === Type.RRSIG && record.name === name && Buffer.compare(record.rdata, rdata) === 0,
  );

function kindOf({ rcode, answer, authority }: Reply): SigningKind {
  if (answer.length > 0) return 'records';
  if (rcode === Rcode.NXDOMAIN) return 'denial';
  if (rcode !== Rcode.NOERROR) return 'records';
  if (authority.some(({ type }) => type === Type.SOA)) return 'denial';
  return authority.some(({ type }) => type === Type.NS) ? 'delegation' : 'records';
}

/** A denial is only made of one that says so with the SOA record alone: others have their own, or none that holds. */
function deny(query: Query, zone: Name, reply: Reply, signing: Signing, lies: BlackLies): Reply {
  const [soa, second] = reply.authority;
  if (soa?.type !== Type.SOA || second !== undefined) return reply;
  const { qname, name, type } = query;
  const nsec = lies.denial({ qname, name, type, zone }, soa.ttl);
  const told = [...signing.over([nsec], zone, soa.ttl), nsec];
  const sections =
    type === Type.NSEC
      ? { answer: told, authority: [] }
      : { authority: [soa, ...signing.over([soa], zone, soa.ttl), ...told] };
  return reply.withHeader({ rcode: Rcode.NOERROR }).withSections(sections);
}

function refer(zone: Name, reply: Reply, signing: Signing, lies: BlackLies): Reply {
  const { authority } = reply;
  const { ttl } = authority[0]!;
  const [ds, ...more] = authority.filter(({ type }) => type === Type.DS);
  if (ds !== undefined)
    return reply.withSections({ authority: [...authority, ...signing.over([ds, ...more], zone, ttl)] });
  const cut = authority.find(({ type }) => type === Type.NS)!.name;
  const nsec = lies.unsignedCut(cut, ttl);
  return reply.withSections({ authority: [...authority, ...signing.over([nsec], zone, ttl), nsec] });
}
