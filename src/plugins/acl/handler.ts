import {
  DROP,
  Reply,
  type Handler,
  type Next,
  type Outcome,
  type Query,
  type CountsHits,
  type HitCounter,
} from '../../chain/index.js';
import type { Logger } from '../../lib/log.js';
import { sourceIp } from '../../lib/networks.js';
import { Rcode, ExtendedErrorCode, extendedError } from '../../wire/index.js';
import type { AclMetrics } from './metrics.js';
import { policyFor, type AclPolicy, type AclRule } from './rule.js';

/** Lets queries pass or not, by the address that they come from, their type and their zone. */
export class Acl implements Handler, CountsHits {
  readonly name = 'acl';
  readonly role = 'answers';
  readonly dependsOn = 'client';

  constructor(
    private readonly rules: readonly AclRule[],
    private readonly metrics: AclMetrics,
    private readonly log: Pick<Logger, 'error'>,
  ) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    for (const { zones, policies } of this.rules) {
      const zone = zones.match(query.name);
      if (zone === undefined) continue;
      const policy = this.judge(policies, query);
      if (policy === undefined) continue;
      const { action } = policy;
      if (action === 'allow') break;
      tell(query, policy);
      this.metrics.refuse(action, query, zone);
      return action === 'drop' ? DROP : answerTo(action);
    }
    this.metrics.allow(query.client.server);
    return next(query);
  }

  /** Only queries that may pass have an answer that is given again. */
  hitCounter(query: Query): HitCounter {
    const { metrics } = this;
    const { server } = query.client;
    return (plain, edns) => metrics.allow(server, plain + edns);
  }

  private judge(policies: AclRule['policies'], query: Query): AclPolicy | undefined {
    const { address } = query.client.remote;
    const source = sourceIp(address);
    if (source !== undefined) return policyFor(policies, query.type, source);
    this.log.error(`Blocking request. Unable to parse source address: ${address}`);
    return UNREADABLE;
  }
}

const UNREADABLE: AclPolicy = {
  action: 'block',
  types: undefined,
  sources: undefined,
  text: 'an address that cannot be read',
  place: undefined,
};

const tell = (query: Query, { text, place }: AclPolicy): void =>
  query.context.trail?.note({ kind: 'reason', plugin: 'acl', reason: 'blocked', text, place });

/** The option that says why goes out where the client knows EDNS. */
const refusal = (rcode: number, reason: number): Reply =>
  Reply.empty(rcode).withEdns({
    udpSize: 4096,
    version: 0,
    do: true,
    options: [extendedError(reason)],
  });
const BLOCK = refusal(Rcode.REFUSED, ExtendedErrorCode.Blocked);
const FILTER = refusal(Rcode.NOERROR, ExtendedErrorCode.Filtered);
const answerTo = (action: 'block' | 'filter'): Reply => (action === 'block' ? BLOCK : FILTER);
