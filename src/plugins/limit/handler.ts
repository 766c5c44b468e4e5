import { DROP, Reply, type Handler, type Next, type Outcome, type Query, type Zones } from '../../chain/index.js';
import type { Logger } from '../../lib/log.js';
import { sourceIp, type Networks } from '../../lib/networks.js';
import type { Milliseconds } from '../../lib/units.js';
import { ExtendedErrorCode, Flag, Rcode, ednsWith, extendedError } from '../../wire/index.js';
import { Buckets, type Rate } from './buckets.js';
import type { LimitMetrics } from './metrics.js';

/** What becomes of a query beyond a limit. */
export const LIMIT_ACTIONS = ['refuse', 'truncate', 'drop'] as const;
export type LimitAction = (typeof LIMIT_ACTIONS)[number];

export interface LimitOptions {
  readonly zones: Zones;
  readonly perClient: Rate | undefined;
  readonly perZone: Rate | undefined;
  readonly exempt: Networks;
  readonly action: LimitAction;
  /** Count and tell, but let all pass. */
  readonly dryRun: boolean;
}

/** Clients that are known at a time: who sends from more addresses than that is none of the heavy ones by address. */
const MOST_CLIENTS = 16_384;
const MOST_ZONES = 1024;
/** A line of log at most so often: a flood is no reason for another one. */
const RETELL: Milliseconds = 1000;

/** Bounds how many queries a client, and the clients of a zone together, may ask. */
export class Limit implements Handler {
  readonly name = 'limit';
  readonly role = 'answers';
  /** Every query counts, so none is answered elsewhere. */
  readonly dependsOn = 'query';
  private readonly clients: Buckets | undefined;
  private readonly zones: Buckets | undefined;
  private told: Milliseconds = -Infinity;

  constructor(
    private readonly options: LimitOptions,
    private readonly metrics: LimitMetrics,
    private readonly log: Pick<Logger, 'warning'>,
  ) {
    const { perClient, perZone } = options;
    this.clients = perClient && new Buckets(perClient, MOST_CLIENTS);
    this.zones = perZone && new Buckets(perZone, MOST_ZONES);
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { zones, exempt, dryRun } = this.options;
    const zone = zones.match(query.name);
    if (zone === undefined || query.context.inspects) return next(query);
    const source = sourceIp(query.client.remote.address);
    if (source !== undefined && exempt.contains(source)) return next(query);
    const client = source === undefined ? 'unknown' : keyOf(source);
    const { received } = query;
    // A client beyond its limit takes nothing of what the others of the zone may ask.
    if (this.clients?.take(client, received) === false) this.exceeded('client', query, client);
    else if (this.zones?.take(zone, received) === false) this.exceeded('zone', query, zone);
    else return next(query);
    return dryRun ? next(query) : this.answer(query);
  }

  private exceeded(limit: 'client' | 'zone', query: Query, key: string): void {
    const { dryRun, action } = this.options;
    this.metrics.exceeded(query.client.server, limit, dryRun ? 'none' : action);
    if (query.received - this.told < RETELL) return;
    this.told = query.received;
    this.log.warning(`${limit} ${key} asks more than it may: ${dryRun ? 'dry run, it passes' : DONE[action]}`);
  }

  private answer(query: Query): Outcome {
    const { action } = this.options;
    if (action === 'drop') return DROP;
    // Who gets TC asks again over TCP, which a forged address cannot.
    return action === 'truncate' && query.transport === 'udp' ? TRUNCATED : REFUSED;
  }
}

const DONE: Readonly<Record<LimitAction, string>> = {
  refuse: 'refused',
  truncate: 'sent to TCP',
  drop: 'dropped',
};

const TRUNCATED = Reply.empty(Rcode.NOERROR, Flag.TC);
/** Who sent an OPT record is told why (RFC 8914 section 4.19). */
const REFUSED = Reply.empty(Rcode.REFUSED).withEdns(
  ednsWith(extendedError(ExtendedErrorCode.Prohibited, 'too many queries')),
);

/** An IPv4 address, or the first 64 bits of an IPv6 one: a host may have any address of its network. */
const keyOf = (source: Uint8Array): string =>
  source.length === 4 ? source.join('.') : `${Buffer.from(source.subarray(0, 8)).toString('hex')}/64`;
