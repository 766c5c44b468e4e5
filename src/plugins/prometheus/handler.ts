import {
  type Handler,
  type Next,
  type Outcome,
  replyOf,
  type PerServer,
  type Query,
  type Reply,
  type CountsHits,
  type HitCounter,
  type MetricsWriter,
  type ZonedSeries,
} from '../../chain/index.js';
import type { Clock } from '../../lib/clock.js';
import { Rcode } from '../../wire/index.js';

/** Counts each query with its reply and the time it took. */
export class Prometheus implements Handler, CountsHits {
  readonly name = 'prometheus';
  readonly role = 'observes';
  readonly keepsRecord = true;
  readonly dependsOn = 'question';

  constructor(
    private readonly series: PerServer<ZonedSeries>,
    private readonly clock: Clock,
  ) {}

  /** Queries answered without the chain took as long as the least that is told apart. */
  hitCounter(query: Query, reply: Reply): HitCounter {
    return this.series
      .get(query.client.server)
      .of(query)
      .hitCounter(query, reply.rcode, reply.sizeFor(query), 'atOnce');
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const outcome = next(query);
    if (outcome instanceof Promise) {
      return outcome.then((settled) => {
        this.count(query, settled, 'waited');
        return settled;
      });
    }
    this.count(query, outcome, 'atOnce');
    return outcome;
  }

  private count(query: Query, outcome: Outcome, writer: MetricsWriter): void {
    const seconds = (this.clock.monotonic() - query.received) / 1000;
    const series = this.series.get(query.client.server).of(query);
    const reply = replyOf(outcome);
    if (reply === undefined) series.count(query, seconds, Rcode.NOERROR, 0, 'nobody');
    else if (reply.written) series.count(query, seconds, reply.rcode, reply.sizeFor(query), writer);
    else series.count(query, seconds, reply.rcode, 0, 'nobody');
  }
}
