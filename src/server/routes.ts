import { Reply, type Next, type Outcome, type Query, type ServerAddress } from '../chain/index.js';
import { Class, Rcode, Type, nextLabel, type Name } from '../wire/index.js';

/** One configuration's life as far as its queries are concerned: it ends only after the last one that waits is answered. */
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

/** Which chain answers for which zone at one listening address. */
export class Routes {
  private readonly chains = new Map<Name, Next>();
  private root: Next | undefined;

  constructor(readonly inFlight: InFlight, private readonly refused: (query: Query) => void) {}

  /** False when the zone already has a chain. */
  add(zone: Name, chain: Next): boolean {
    if (this.chains.has(zone)) return false;
    this.chains.set(zone, chain);
    if (zone === '.') this.root = chain;
    return true;
  }

  get zones(): Name[] {
    return [...this.chains.keys()];
  }

  /** Answers from the chain of the most specific zone; REFUSED without one, and for any class but IN. */
  answer(query: Query): Outcome | Promise<Outcome> {
    if (query.class !== Class.IN) return this.refuse(query);
    const chain = this.root !== undefined && this.chains.size === 1 ? this.root : this.find(query.name, query.type);
    return chain === undefined ? this.refuse(query) : chain(query);
  }

  private find(name: Name, type: number): Next | undefined {
    let found: Next | undefined;
    for (let offset = 0; offset >= 0 && offset < name.length && name !== '.'; offset = nextLabel(name, offset)) {
      const chain = this.chains.get(offset === 0 ? name : name.slice(offset));
      if (chain === undefined) continue;
      // DS belongs to the parent's side of a cut (RFC 4035 section 3.1.4.1): go on to the zone above, if it is served here.
      if (type !== Type.DS) return chain;
      found = chain;
    }
    return found ?? this.root;
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
