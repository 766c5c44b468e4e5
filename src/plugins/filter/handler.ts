import {
  DerivedLease,
  Reply,
  mapReply,
  type ClientNetworks,
  type CountsHits,
  type DependsOn,
  type Handler,
  type HitCounter,
  type Next,
  type Outcome,
  type PerServer,
  type Query,
} from '../../chain/index.js';
import type { Value } from '../../metrics/metrics.js';
import { Class, Flag, Rcode, Type, encodeRecords, type Name } from '../../wire/index.js';
import { IPV4_HINT, IPV6_HINT, withoutHint } from './hints.js';
import { zoneFor, type AddressType, type FilterRule } from './rule.js';
import { denialOf } from './denial.js';

/** The lease of a reply that was made here, by which it is counted. */
class SuppressedLease extends DerivedLease {}

export interface FilterOptions {
  readonly rules: readonly FilterRule[];
  /** Which clients get the same answers; undefined for all. */
  readonly networks: ClientNetworks | undefined;
  /** Whether a rule that depends on this host's routes holds at the moment. */
  readonly holds: (rule: FilterRule) => boolean;
  readonly suppressed: Readonly<Record<AddressType, PerServer<Value>>>;
}

/**
 * Keeps addresses of one family from clients that have no use for them. Whether a name has others is asked of the rest
 * of the chain, in place of the question itself: the clients that are meant ask for both.
 */
export class Filter implements Handler, CountsHits {
  readonly name = 'filter';
  readonly role = 'wraps';
  readonly dependsOn: DependsOn;
  readonly clientNetworks: ClientNetworks | undefined;

  constructor(private readonly options: FilterOptions) {
    this.dependsOn = options.networks === undefined ? 'question' : 'client';
    this.clientNetworks = options.networks;
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { type } = query;
    if (query.class !== Class.IN || query.opcode !== 0) return next(query);
    if (type === Type.HTTPS || type === Type.SVCB) return this.withoutHints(query, next);
    if (type !== Type.A && type !== Type.AAAA) return next(query);
    for (const rule of this.options.rules) {
      const zone = rule.type === type && this.options.holds(rule) ? zoneFor(rule, query) : undefined;
      if (zone !== undefined) return this.suppress(query, next, rule, zone);
    }
    return next(query);
  }

  hitCounter(query: Query, reply: Reply): HitCounter {
    if (!(reply.lease instanceof SuppressedLease)) return () => undefined;
    const value = this.options.suppressed[query.type as AddressType].get(query.client.server);
    return (plain, edns) => value.inc(plain + edns);
  }

  private suppress(query: Query, next: Next, rule: FilterRule, zone: Name): Outcome | Promise<Outcome> {
    const other = query.withQuestion(query.qname, otherOf(rule.type));
    const judge = (outcome: Outcome): Outcome | Promise<Outcome> => {
      const reply = outcome instanceof Reply ? this.replacement(other, outcome, rule, zone) : undefined;
      if (reply === undefined) return next(query);
      this.options.suppressed[rule.type].get(query.client.server).inc();
      return reply;
    };
    const outcome = next(other);
    return outcome instanceof Promise ? outcome.then(judge) : judge(outcome);
  }

  /** What is said in place of the addresses; undefined where they are to be told. */
  private replacement(other: Query, reply: Reply, rule: FilterRule, zone: Name): Reply | undefined {
    if (!reply.written || reply.rcode !== Rcode.NOERROR || reply.truncated || !mayChange(other, reply))
      return undefined;
    const has = reply.answer.some(({ type }) => type === other.type);
    if (!has && !rule.always) return undefined;
    const lease = reply.lease && new SuppressedLease(reply.lease);
    if (!has) return reply.withLease(lease);
    return Reply.ofRecords(
      reply.flags & ~Flag.AD,
      Rcode.NOERROR,
      encodeRecords(denialOf(reply.messageFor(other).answer, zone)),
      reply.ttl,
      undefined,
      lease,
    );
  }

  private withoutHints(query: Query, next: Next): Outcome | Promise<Outcome> {
    const rules = this.options.rules.filter((rule) => this.options.holds(rule) && zoneFor(rule, query) !== undefined);
    if (rules.length === 0) return next(query);
    return mapReply(next(query), (reply) => {
      if (!reply.written || reply.answerCount === 0 || !mayChange(query, reply)) return reply;
      const made = rules.reduce(
        (changed, { type }) =>
          changed.mapRecords((record) =>
            record.type === query.type ? withoutHint(record, type === Type.A ? IPV4_HINT : IPV6_HINT) : record,
          ),
        reply,
      );
      return made === reply ? reply : made.withLease(reply.lease && new DerivedLease(reply.lease));
    });
  }
}

const otherOf = (type: AddressType): AddressType => (type === Type.A ? Type.AAAA : Type.A);

/** Data of one's own is kept, and so is what a validating client would find changed. */
function mayChange(query: Query, reply: Reply): boolean {
  if ((reply.flags & Flag.AA) !== 0) return false;
  return !query.do || !reply.answer.some(({ type }) => type === Type.RRSIG);
}
