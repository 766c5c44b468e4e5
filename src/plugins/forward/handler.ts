import { Reply, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import { Rcode, isSubdomain, type Name } from '../../wire/index.js';
import { Flight, Flights, hashOf, hashOfQuestion } from './flight.js';
import { Lookup, type LookupSettings } from './lookup.js';
import { upstreamMessage } from './upstream-message.js';

/**
 * Sends queries to upstreams and returns their replies. Queries that ask upstreams the same travel once while one of
 * them is under way, whatever else their clients sent.
 */
export class Forward implements Handler {
  readonly name = 'forward';
  readonly dependsOn = 'question';
  readonly waits = true;
  readonly everyClass = true;
  private readonly udpFlights = new Flights();
  private readonly tcpFlights = new Flights();
  private concurrent = 0;
  private readonly idle: (() => void)[] = [];
  private readonly all: boolean;
  private readonly overLimit: Reply;
  /** Nobody knows which names have the same hash. */
  private readonly seed: number;

  constructor(
    private readonly from: Name,
    private readonly settings: LookupSettings,
  ) {
    const { except, maxConcurrent } = settings.options;
    this.seed = settings.random.uint32() | 0;
    this.all = from === '.' && except.length === 0;
    this.overLimit = Reply.failure(Rcode.REFUSED, new Error(`concurrent queries exceeded maximum ${maxConcurrent}`));
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    if (!this.all && !this.matches(query.name)) return next(query);
    const { options, metrics } = this.settings;
    if (options.maxConcurrent > 0 && this.concurrent >= options.maxConcurrent) {
      metrics.rejected.inc();
      return this.overLimit;
    }
    return this.join(query, next);
  }

  /** Stops all traffic as soon as the queries under way are answered. */
  async stop(): Promise<void> {
    if (this.concurrent > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    for (const proxy of this.settings.proxies) proxy.stop();
  }

  private matches(name: Name): boolean {
    const {
      from,
      settings: {
        options: { except },
      },
    } = this;
    if (!isSubdomain(from, name)) return false;
    return name === from || !except.some((zone) => isSubdomain(zone, name));
  }

  private join(query: Query, next: Next): Promise<Outcome> {
    const message = upstreamMessage(query);
    const { questionEnd } = query;
    this.concurrent++;
    if (query.context.separate) return this.start(new Flight(query, message, 0, 0, this.onLanded), next);
    const flights = this.flightsOf(query);
    const question = hashOfQuestion(message, questionEnd, this.seed);
    const hash = hashOf(message, questionEnd, question);
    const known = flights.find(message, questionEnd, hash);
    if (known !== undefined) {
      known.askers++;
      return query.context.metadata === undefined ? known.outcome : this.labelled(query, known);
    }
    const flight = new Flight(query, message, hash, question, this.onLanded);
    flights.add(flight);
    return this.start(flight, next);
  }

  /** The upstream that answers the other query answers this one too. */
  private async labelled(query: Query, { query: other, outcome }: Flight): Promise<Outcome> {
    const settled = await outcome;
    const upstream = other.context.metadata?.get('forward/upstream');
    if (upstream !== undefined) query.context.metadata?.set('forward/upstream', upstream);
    return settled;
  }

  private start(flight: Flight, next: Next): Promise<Outcome> {
    new Lookup(this.settings, flight, next).start();
    return flight.outcome;
  }

  private readonly onLanded = (flight: Flight): void => {
    this.flightsOf(flight.query).remove(flight);
    this.concurrent -= flight.askers;
    if (this.concurrent === 0) for (const wake of this.idle.splice(0)) wake();
  };

  private flightsOf(query: Query): Flights {
    return query.transport === 'udp' ? this.udpFlights : this.tcpFlights;
  }
}
