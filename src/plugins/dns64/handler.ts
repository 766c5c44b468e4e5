import {
  Reply,
  lookUp,
  type Found,
  type Handler,
  type Next,
  type Outcome,
  type PerServer,
  type Query,
} from '../../chain/index.js';
import type { Cidr } from '../../lib/cidr.js';
import type { Seconds } from '../../lib/units.js';
import type { Value } from '../../metrics/metrics.js';
import { Class, Flag, Rcode, Type, type Rr, ExtendedErrorCode, explained } from '../../wire/index.js';
import { embed } from './address.js';

/** TTL of an address that is made where the AAAA answer has no SOA record (RFC 6147 section 5.1.7). */
const MAX_TTL_WITHOUT_SOA: Seconds = 600;

export interface Dns64Options {
  /** 32 to 96 bits, in whole bytes. */
  readonly prefix: Cidr;
  /** Whether names that have AAAA records get addresses made of their A records nevertheless. */
  readonly translateAll: boolean;
  /** Whether queries that come over IPv4 are concerned too. */
  readonly overIpv4: boolean;
}

/** Makes AAAA records of A records, for networks that reach IPv4 through NAT64 (RFC 6147). */
export class Dns64 implements Handler {
  readonly name = 'dns64';
  readonly role = 'wraps';
  readonly dependsOn = 'question';

  /** @param ask asks the server itself, for the A records */
  constructor(
    private readonly options: Dns64Options,
    private readonly ask: Next,
    private readonly translated: PerServer<Value>,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const outcome = next(query);
    if (query.type !== Type.AAAA || query.class !== Class.IN) return outcome;
    if (query.family === 4 && !this.options.overIpv4) return outcome;
    return outcome instanceof Promise
      ? outcome.then((settled) => this.complete(query, settled))
      : this.complete(query, outcome);
  }

  private complete(query: Query, outcome: Outcome): Outcome | Promise<Outcome> {
    if (!(outcome instanceof Reply) || !this.wants(outcome)) return outcome;
    const found = lookUp(this.ask, query, query.qname, Type.A);
    return found instanceof Promise
      ? found.then((settled) => this.synthesize(query, outcome, settled))
      : this.synthesize(query, outcome, found);
  }

  /** Errors other than that there is no such name count as an empty answer (RFC 6147 sections 5.1.2 and 5.1.3). */
  private wants(reply: Reply): boolean {
    if (!reply.written) return false;
    if (reply.rcode === Rcode.NXDOMAIN && reply.authority.some(({ type }) => type === Type.SOA)) return false;
    return this.options.translateAll || !reply.answer.some(({ type }) => type === Type.AAAA);
  }

  private synthesize(query: Query, original: Reply, found: Found | undefined): Reply {
    if (found === undefined) return NO_ADDRESSES;
    this.translated.get(query.client.server).inc();
    const most = original.authority.findLast(({ type }) => type === Type.SOA)?.ttl ?? MAX_TTL_WITHOUT_SOA;
    const answer = found.answer.map((record) => (record.type === Type.A ? this.translate(record, most) : record));
    const { authority, additional, edns } = found;
    return Reply.of(found.truncated ? Flag.TC : 0, Rcode.NOERROR, { answer, authority, additional }, edns);
  }

  private translate(record: Rr, most: Seconds): Rr {
    return {
      ...record,
      type: Type.AAAA,
      ttl: Math.min(record.ttl, most),
      rdata: embed(this.options.prefix, record.rdata),
    };
  }
}

const NO_ADDRESSES = Reply.failure(Rcode.SERVFAIL, new Error('no answer to the question for A records')).withEdns(
  explained(ExtendedErrorCode.Other, 'no answer to the question for A records'),
);
