import {
  DROP,
  Reply,
  Zones,
  notifiesServers,
  type Handler,
  type HasCountedZones,
  type Next,
  type Outcome,
  type Query,
  type TransfersZones,
  type ZoneTransfer,
} from '../chain/index.js';
import { Opcode, Rcode, Type, type Name, ExtendedErrorCode, explained } from '../wire/index.js';
import { Journal } from './journal.js';
import type { ServedZone } from './served-zone.js';

/** What is done with a message that says that a zone has changed (NOTIFY, RFC 1996). */
export type OnNotify = (query: Query, zone: ServedZone) => Outcome;

export interface AuthorityOptions {
  /** Names outside these are passed on, whatever zones there are; all may be answered without it. */
  readonly within?: Zones;
  /** Zones in which names without records are asked further on; none without it. */
  readonly through?: Zones;
  /** Whether queries are counted under the names of its zones, which come and go. */
  readonly counted?: boolean;
  /** Without it a NOTIFY is left unanswered. */
  readonly onNotify?: OnNotify;
}

const NO_ZONES = new Zones([]);

/** Answers from the zones that it holds, by longest match; zones come and go. */
export class Authority implements Handler, TransfersZones, HasCountedZones {
  readonly dependsOn = 'question';
  private readonly served = new Map<Name, ServedZone>();
  private zones = NO_ZONES;
  /** Whether a handler stands behind this one; until it is told, one does. */
  private followed = true;
  /** Whether other servers get the zones. */
  private journaled = false;
  private readonly through: Zones;

  /**
   * @param name the directive's
   * @param ask the whole server, for aliases that lead out of a zone
   */
  constructor(
    readonly name: string,
    private readonly ask: Next,
    private readonly options: AuthorityOptions = {},
  ) {
    this.through = options.through ?? NO_ZONES;
  }

  get origins(): readonly Name[] {
    return [...this.served.keys()];
  }

  get countedZones(): Zones | undefined {
    return this.options.counted === true ? this.zones : undefined;
  }

  get(origin: Name): ServedZone | undefined {
    return this.served.get(origin);
  }

  add(zone: ServedZone): void {
    // What a zone above it said of its names holds no more.
    const above = this.zones.match(zone.origin);
    if (above !== undefined) this.served.get(above)?.withdraw();
    this.keepChanges(zone);
    this.served.set(zone.origin, zone);
    this.zones = new Zones(this.origins);
  }

  /** Answers for the zone no more. */
  remove(origin: Name): void {
    const zone = this.served.get(origin);
    zone?.withdraw();
    zone?.journal?.end();
    this.served.delete(origin);
    this.zones = new Zones(this.origins);
  }

  /** Tells what stands in the chain. Other names are refused where nothing could answer them. */
  linked(handlers: readonly Handler[]): void {
    this.followed = handlers.at(-1) !== this;
    this.journaled = handlers.some((handler) => notifiesServers(handler));
    for (const zone of this.served.values()) this.keepChanges(zone);
  }

  private keepChanges(zone: ServedZone): void {
    if (this.journaled) zone.journal ??= new Journal();
  }

  handle(query: Query, next: Next): Outcome | Promise<Outcome> {
    const { name, type } = query;
    if (this.options.within?.contains(name) === false) return next(query);
    const origin = this.zones.match(name);
    if (origin === undefined) return this.followed ? next(query) : NOT_OURS;
    const zone = this.served.get(origin)!;
    if (query.opcode === Opcode.NOTIFY) return this.options.onNotify?.(query, zone) ?? DROP;
    if (type === Type.AXFR || type === Type.IXFR) return NO_TRANSFER;
    return zone.answer(query, this.ask, next, this.through.contains(name));
  }

  zoneTransfer(zone: Name, serial: number | undefined): ZoneTransfer | 'unready' | undefined {
    return this.served.get(zone)?.transfer(serial);
  }
}

const NOT_OURS = Reply.failure(Rcode.REFUSED).withEdns(
  explained(ExtendedErrorCode.NotAuthoritative, 'the name is in no zone that is served here'),
);
const NO_TRANSFER = Reply.failure(Rcode.REFUSED).withEdns(
  explained(ExtendedErrorCode.Prohibited, 'this zone is not given away'),
);
