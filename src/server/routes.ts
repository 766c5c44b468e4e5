import {
  Reply,
  Zones,
  hasTally,
  seesEveryQuery,
  type Handler,
  type Next,
  type Outcome,
  type Query,
  type ServerAddress,
  type Tallies,
  type Tally,
} from '../chain/index.js';
import { Class, Rcode, Type, nextLabel, type Name } from '../wire/index.js';

/**
 * One configuration's life as far as its queries are concerned: it ends only after the last one that waits is
 * answered.
 */
export class InFlight {
  private count = 0;
  private idle: (() => void)[] = [];

  get size(): number {
    return this.count;
  }

  enter(): void {
    this.count++;
  }

  leave(): void {
    this.count--;
    if (this.count === 0) {
      for (const wake of this.idle) wake();
      this.idle = [];
    }
  }

  /** Resolves when nothing is in flight. */
  settled(): Promise<void> {
    return this.count === 0 ? Promise.resolve() : new Promise((resolve) => this.idle.push(resolve));
  }
}

/** The linked handlers of one server block. */
export class Chain {
  /** Handlers that count queries; undefined when one has to be asked each time. */
  private readonly counting: readonly Tallies[] | undefined;

  constructor(
    readonly ask: Next,
    handlers: readonly Handler[],
  ) {
    this.counting = handlers.some(seesEveryQuery) ? undefined : handlers.filter((handler) => hasTally(handler));
  }

  /** Whether a reply with a standing may be given again without asking. */
  get mayBePassedBy(): boolean {
    return this.counting !== undefined;
  }

  /** How queries like this one that get this reply are counted. */
  tallies(query: Query, reply: Reply): Tally[] {
    return (this.counting ?? []).map((handler) => handler.tally(query, reply));
  }
}

/** Which chain answers for which zone at one listening address. */
export class Routes {
  private readonly chains = new Map<Name, Chain>();
  private served = new Zones([]);
  private only: Chain | undefined;

  constructor(
    readonly inFlight: InFlight,
    private readonly refused: (query: Query) => void,
  ) {}

  /** False when the zone already has a chain. */
  add(zone: Name, chain: Chain): boolean {
    if (this.chains.has(zone)) return false;
    this.chains.set(zone, chain);
    this.served = new Zones(this.zones);
    this.only = zone === '.' && this.chains.size === 1 ? chain : undefined;
    return true;
  }

  get zones(): Name[] {
    return [...this.chains.keys()];
  }

  /** Answers from the chain of the most specific zone; REFUSED without one, and for any class but IN. */
  answer(query: Query): Outcome | Promise<Outcome> {
    const chain = this.chainOf(query);
    return chain === undefined ? this.refuse(query) : chain.ask(query);
  }

  /** The chain that answers the query; undefined when none does. */
  chainOf(query: Query): Chain | undefined {
    return query.class === Class.IN ? (this.only ?? this.find(query.name, query.type)) : undefined;
  }

  private find(name: Name, type: number): Chain | undefined {
    const zone = this.served.match(name);
    if (zone === undefined) return undefined;
    return this.chains.get(type === Type.DS ? this.parentSide(name, zone) : zone);
  }

  /**
   * DS belongs to the parent's side of a cut (RFC 4035 section 3.1.4.1): the zone furthest up that is served here,
   * the root only if there is no other.
   */
  private parentSide(name: Name, zone: Name): Name {
    let found = zone;
    for (let offset = 0; offset >= 0 && name !== '.'; offset = nextLabel(name, offset)) {
      const above = name.slice(offset);
      if (this.chains.has(above)) found = above;
    }
    return found;
  }

  /** REFUSED, counted as a query for no zone. */
  refuse(query: Query): Reply {
    this.refused(query);
    return Reply.failure(Rcode.REFUSED);
  }
}

/** A listening address and the routes it has at the moment: the one place that a reload changes. */
export interface Served {
  readonly server: ServerAddress;
  routes: Routes;
}
