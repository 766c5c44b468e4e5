import { Reply, type Handler, type Next, type Outcome, type Query } from '../../chain/index.js';
import { Rcode, Type, isSubdomain, type Name } from '../../wire/index.js';
import { Lookup, type LookupSettings } from './lookup.js';

/** A question under way, with those who asked the same meanwhile. */
interface Flight {
  readonly outcome: Promise<Outcome>;
  askers: number;
}

/** Sends queries to upstreams and returns their replies. Queries that are equal octet by octet, id aside, travel once while one of them is under way. */
export class Forward implements Handler {
  readonly name = 'forward';
  private readonly udpFlights = new Map<string, Flight>();
  private readonly tcpFlights = new Map<string, Flight>();
  private concurrent = 0;
  private readonly idle: (() => void)[] = [];
  private readonly all: boolean;
  private readonly overLimit: Reply;

  constructor(private readonly from: Name, private readonly settings: LookupSettings) {
    const { except, maxConcurrent } = settings.options;
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
    this.concurrent++;
    return this.join(query, next);
  }

  /** Stops all traffic as soon as the queries under way are answered. */
  async stop(): Promise<void> {
    if (this.concurrent > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    for (const proxy of this.settings.proxies) proxy.stop();
  }

  private matches(name: Name): boolean {
    const { from, settings: { options: { except } } } = this;
    if (!isSubdomain(from, name)) return false;
    return name === from || !except.some((zone) => isSubdomain(zone, name));
  }

  private join(query: Query, next: Next): Promise<Outcome> {
    // The probe of `loop` counts how often its question, the only one of type HINFO, comes round; it would come to rest here.
    if (query.type === Type.HINFO) return new Promise((resolve) => void new Lookup(this.settings, query, next, (outcome) => this.landed(outcome, 1, resolve)));
    const flights = query.transport === 'udp' ? this.udpFlights : this.tcpFlights;
    const key = query.bytes.toString('latin1', 2);
    const known = flights.get(key);
    if (known !== undefined) {
      known.askers++;
      return known.outcome;
    }
    // The look-up may be over before the promise is made, when there is nobody to ask.
    let landed = false;
    const outcome = new Promise<Outcome>((resolve) => {
      void new Lookup(this.settings, query, next, (result) => {
        landed = true;
        const flight = flights.get(key);
        flights.delete(key);
        this.landed(result, flight?.askers ?? 1, resolve);
      });
    });
    if (!landed) flights.set(key, { outcome, askers: 1 });
    return outcome;
  }

  private landed(outcome: Outcome | Promise<Outcome>, askers: number, resolve: (outcome: Outcome | Promise<Outcome>) => void): void {
    this.concurrent -= askers;
    if (this.concurrent === 0) for (const wake of this.idle.splice(0)) wake();
    resolve(outcome);
  }
}
