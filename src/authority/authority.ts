import { DROP, Reply, Zones, type Handler, type Next, type Outcome, type Query } from '../chain/index.js';
import { Opcode, Rcode, Type, type Name } from '../wire/index.js';
import type { ServedZone } from './served-zone.js';

/** What is done with a message that says that a zone has changed (NOTIFY, RFC 1996). */
export type OnNotify = (query: Query, zone: ServedZone) => Outcome;

const ignore: OnNotify = () => DROP;

/** Answers from the zones that it holds, by longest match; zones come and go. */
export class Authority implements Handler {
  readonly dependsOn = 'question';
  private readonly served = new Map<Name, ServedZone>();
  private zones = new Zones([]);
  /** Whether a handler stands behind this one; until it is told, one does. */
  private followed = true;

  /**
   * @param name the directive's
   * @param ask the whole server, for aliases that lead out of a zone
   * @param through zones in which names without records are asked further on
   */
  constructor(
    readonly name: string,
    private readonly ask: Next,
    private readonly through: Zones = new Zones([]),
    private readonly onNotify: OnNotify = ignore,
  ) {}

  get origins(): readonly Name[] {
    return [...this.served.keys()];
  }

  get(origin: Name): ServedZone | undefined {
    return this.served.get(origin);
  }

  add(zone: ServedZone): void {
    this.served.set(zone.origin, zone);
    this.zones = new Zones(this.origins);
  }

  /** Answers for the zone no more. */
  remove(origin: Name): void {
    this.served.get(origin)?.withdraw();
    this.served.delete(origin);
    this.zones = new Zones(this.origins);
  }

  /** Tells what stands in the chain. Other names are refused where nothing could answer them. */
  linked(handlers: readonly Handler[]): void {
    this.followed = handlers.at(-1) !== this;
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const origin = this.zones.match(query.name);
    if (origin === undefined) return this.followed ? next(query) : REFUSED;
    const zone = this.served.get(origin)!;
    if (query.opcode === Opcode.NOTIFY) return this.onNotify(query, zone);
    if (query.type === Type.AXFR || query.type === Type.IXFR) return REFUSED;
    return zone.answer(query, this.ask, next, this.through.contains(query.name));
  }
}

const REFUSED = Reply.failure(Rcode.REFUSED);
