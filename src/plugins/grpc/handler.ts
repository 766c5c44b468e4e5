import {
  Reply,
  upstreamMessage,
  type Handler,
  type Next,
  type Outcome,
  type Query,
  type Zones,
} from '../../chain/index.js';
import { matchesQuery, questionEndOf } from '../../exchange/index.js';
import type { Clock } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { Rcode, expandReply, isSubdomain, type Name, ExtendedErrorCode, explained } from '../../wire/index.js';
import type { GrpcMetrics } from './metrics.js';
import type { GrpcProxy } from './proxy.js';

/** A query is given up after this time. */
const TIMEOUT: Milliseconds = 5000;
/** One upstream is given up, for the next, after this time. */
const ATTEMPT: Milliseconds = 2000;

export interface GrpcParts {
  readonly from: Name;
  readonly except: readonly Name[];
  readonly proxies: readonly GrpcProxy[];
  /** The upstreams in the order in which they are to be tried for one query. */
  readonly order: (proxies: readonly GrpcProxy[]) => readonly GrpcProxy[];
  /** Names whose denial, or failure, the next plugin may do better with; undefined for none. */
  readonly fallthrough: Zones | undefined;
  readonly clock: Clock;
  readonly metrics: GrpcMetrics;
}

/** Asks upstreams over gRPC, one after the other until one answers. */
export class Grpc implements Handler {
  readonly name = 'grpc';
  readonly dependsOn = 'question';
  readonly waits = true;

  constructor(private readonly parts: GrpcParts) {}

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { from, except } = this.parts;
    const { name } = query;
    if (!isSubdomain(from, name) || (name !== from && except.some((zone) => isSubdomain(zone, name))))
      return next(query);
    return this.lookUp(query, next);
  }

  stop(): void {
    for (const proxy of this.parts.proxies) proxy.stop();
  }

  private async lookUp(query: Query, next: Next): Promise<Outcome> {
    const { proxies, order, clock, fallthrough } = this.parts;
    const message = upstreamMessage(query);
    const end = clock.monotonic() + TIMEOUT;
    let failure = new Error('no healthy gRPC proxies');
    for (const proxy of order(proxies)) {
      const left = Math.min(ATTEMPT, end - clock.monotonic());
      if (left <= 0 || query.context.over(clock.monotonic())) break;
      try {
        const reply = await this.ask(proxy, message, left, query);
        return reply.rcode === Rcode.NXDOMAIN && fallthrough?.contains(query.name) ? await next(query) : reply;
      } catch (error) {
        failure = error as Error;
      }
    }
    return fallthrough?.contains(query.name)
      ? next(query)
      : Reply.failure(Rcode.SERVFAIL, failure).withEdns(UNREACHABLE);
  }

  private async ask(proxy: GrpcProxy, message: Buffer, time: Milliseconds, { context }: Query): Promise<Reply> {
    const { clock, metrics } = this.parts;
    const counted = metrics.upstream(proxy.label);
    const abort = new AbortController();
    const begun = clock.monotonic();
    const timer = clock.setTimeout(
      () => abort.abort(new Error(`rpc error: ${proxy.label} does not answer in time`)),
      time,
    );
    counted.requests.inc();
    try {
      const bytes = await proxy.ask(message, AbortSignal.any([abort.signal, context.signal]));
      counted.duration.observe((clock.monotonic() - begun) / 1000);
      if (!matchesQuery(message, bytes)) return MISMATCH;
      const { flags, rcode, records, edns } = expandReply(bytes, questionEndOf(bytes));
      counted.responded(rcode);
      return Reply.ofRecords(flags, rcode, records, undefined, edns);
    } catch (error) {
      throw abort.signal.aborted ? (abort.signal.reason as Error) : error;
    } finally {
      timer.cancel();
    }
  }
}

const UNREACHABLE = explained(ExtendedErrorCode.NoReachableAuthority, 'no answer from any upstream');
const MISMATCH = Reply.empty(Rcode.FORMERR).withEdns(
  explained(ExtendedErrorCode.InvalidData, 'the upstream answered another question'),
);
