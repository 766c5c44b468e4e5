import type { Reply } from '../chain/index.js';
import {
  Metadata,
  Zones,
  countsHits,
  notesHits,
  providesMetadata,
  type BlockSettings,
  type ConnectionLimits,
  type ClientNetworks,
  type Handler,
  type Lifetime,
  type MetadataSource,
  type Next,
  type NotesHits,
  type Outcome,
  type Query,
  type ServerAddress,
  type CountsHits,
  type HitCounter,
  type HitNoter,
  type View,
  type Waiting,
} from '../chain/index.js';
import type { FilePlace } from '../lib/errors.js';
import type { TsigKeys } from '../tsig/index.js';
import { Class, Type, nextLabel, type Name } from '../wire/index.js';
import { NO_BLOCK } from './failures.js';
import type { InFlight } from './in-flight.js';
import { closer, sharingOf, type Sharing, type SharingVerdict } from './sharing.js';

/** Where a block and its directives stand. */
export interface ChainOrigin {
  readonly zones: readonly Name[];
  readonly place: FilePlace;
  placeOf(handler: Handler): FilePlace | undefined;
}

/** The linked handlers of one server block. */
export class Chain {
  private readonly counting: readonly (Handler & CountsHits)[];
  private readonly noting: readonly (Handler & NotesHits)[];
  private readonly sources: ReadonlyMap<string, MetadataSource>;
  readonly verdict: SharingVerdict;
  private readonly watching: readonly Pick<Handler, 'seesEach'>[];
  /** Whether a handler takes questions of other classes than IN. */
  readonly everyClass: boolean;

  /** @param settings what the block's directives settled: for which queries it serves, and whose labels it collects */
  constructor(
    private readonly linked: Next,
    readonly handlers: readonly Handler[],
    private readonly settings: Pick<BlockSettings, 'view' | 'metadata' | 'limits'> = {},
    readonly origin?: ChainOrigin,
  ) {
    this.verdict = sharingOf(settings.view === undefined ? handlers : [...handlers, settings.view]);
    this.watching = handlers.filter((handler) => handler.seesEach !== undefined);
    this.counting = handlers.filter((handler) => countsHits(handler));
    this.noting = handlers.filter((handler) => notesHits(handler));
    this.sources = new Map(handlers.filter(providesMetadata).flatMap((handler) => Object.entries(handler.metadata())));
    this.everyClass = handlers.some((handler) => handler.everyClass === true);
  }

  /** Who may be given its answers again without asking; undefined when nobody. */
  get sharing(): Sharing | undefined {
    return this.verdict.sharing;
  }

  /** A label of a query as a handler of this block knows it, whether or not the block collects labels. */
  labelOf(query: Query, label: string): string | undefined {
    return this.sources.get(label)?.(query, label);
  }

  get view(): View | undefined {
    return this.settings.view;
  }

  get limits(): ConnectionLimits | undefined {
    return this.settings.limits;
  }

  /** Whether it collects labels. */
  get collects(): boolean {
    return this.settings.metadata !== undefined;
  }

  /** Whether this block serves the query. Labels that the answer needs are collected on the way. */
  serves(query: Query): boolean {
    const { view, metadata } = this.settings;
    const { context } = query;
    context.metadata = metadata?.contains(query.name) ? new Metadata(query, this.sources) : undefined;
    if (view === undefined) return true;
    if (!view.matches(query)) return false;
    context.view = view.name;
    return true;
  }

  ask(query: Query): Outcome | Promise<Outcome> {
    return this.linked(query);
  }

  /** Whether a handler has to see each query like this one that gets this reply. */
  seesEach(query: Query, reply: Reply): boolean {
    return this.watching.some((handler) => handler.seesEach!(query, reply));
  }

  /** How queries like this one that get this reply are counted. */
  hitCounters(query: Query, reply: Reply): HitCounter[] {
    return this.askedFor(reply, this.counting).map((handler) => handler.hitCounter(query, reply));
  }

  /** Who is told of each query like this one that gets this reply. */
  hitNoters(query: Query, reply: Reply): HitNoter[] {
    return this.askedFor(reply, this.noting).flatMap((handler) => handler.hitNoter(query, reply) ?? []);
  }

  /** Those behind the handler that answered are not asked, and so neither count nor note. */
  private askedFor<T extends Handler>(reply: Reply, handlers: readonly T[]): readonly T[] {
    const maker = reply.lease?.maker;
    if (maker === undefined) return handlers;
    const before = this.handlers.slice(0, this.handlers.indexOf(maker as Handler));
    return handlers.filter((handler) => before.includes(handler));
  }
}

/** What the routes of one configuration share. */
export interface RoutesHost {
  readonly inFlight: InFlight;
  /** Ends with the configuration. */
  readonly lifetime: Lifetime;
  /** Whether handlers are to tell of their work at all queries. */
  readonly keepsTrail?: boolean | undefined;
  /** Told of each query that no zone is served for. */
  refused(query: Query): void;
}

/** Which chain answers for which zone at one listening address. */
export class Routes {
  private readonly chains = new Map<Name, Chain[]>();
  private served = new Zones([]);
  private only: Chain | undefined;
  private choosesByQuestion = true;
  readonly inFlight: InFlight;
  readonly lifetime: Lifetime;
  /** What a query without a connection waits for. */
  readonly waiting: Waiting;
  /** What listeners with encryption show; of the first block that says it. */
  tls: BlockSettings['tls'];
  /** Whose word is taken for who asks; of the first block that says it. */
  proxies: BlockSettings['proxies'];
  /** Who takes DNS Stateful Operations; of the first block that says it. */
  sessions: BlockSettings['sessions'];
  /** What is said of kinds of listeners; of the first block that says something of a kind. */
  transports: NonNullable<BlockSettings['transports']> = {};
  /** Secrets that messages may be signed with; undefined where no block has `tsig`. */
  tsigKeys: TsigKeys | undefined;
  private everyClass = false;
  private ofConnections: ConnectionLimits = {};

  constructor(private readonly host: RoutesHost) {
    this.inFlight = host.inFlight;
    this.lifetime = host.lifetime;
    this.waiting = { configuration: host.lifetime, keepsTrail: host.keepsTrail === true };
  }

  /** Adds a chain behind those that the zone has. False when one of them serves every query already. */
  add(zone: Name, chain: Chain): boolean {
    const chains = this.chains.get(zone) ?? [];
    if (chains.some(({ view }) => view === undefined)) return false;
    chains.push(chain);
    this.chains.set(zone, chains);
    this.everyClass ||= chain.everyClass;
    this.ofConnections = { ...this.ofConnections, ...chain.limits };
    this.served = new Zones(this.zones);
    const { view } = chain;
    this.choosesByQuestion &&= view === undefined || sharingOf([view]).sharing !== undefined;
    this.only = zone === '.' && this.chains.size === 1 && chains.length === 1 && isPlain(chain) ? chain : undefined;
    return true;
  }

  /** Lets messages be signed with these keys too; what is added later counts, as in CoreDNS. */
  addKeys(keys: TsigKeys): void {
    this.tsigKeys = new Map([...(this.tsigKeys ?? []), ...keys]);
  }

  /** What the blocks say of connections; the last one that says something counts. */
  get limits(): ConnectionLimits {
    return this.ofConnections;
  }

  get zones(): Name[] {
    return [...this.chains.keys()];
  }

  /** The smallest networks of clients that answers are kept apart by; undefined when they are not. */
  get networks(): ClientNetworks | undefined {
    const apart = this.all.flatMap(({ sharing }) => sharing?.networks ?? []);
    return apart.length === 0 ? undefined : apart.reduce(closer);
  }

  /**
   * Whether answers of a chain may be given again without asking. Not where some block's choice of queries depends on
   * more than question and client: which block is to answer would not be asked any more.
   */
  shares(chain: Chain): boolean {
    return chain.sharing !== undefined && this.choosesByQuestion;
  }

  /** As `Chain.labelOf`, from the first block that knows it. */
  labelOf(query: Query, label: string): string | undefined {
    for (const chain of this.all) {
      const value = chain.labelOf(query, label);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  private get all(): Chain[] {
    return [...this.chains.values()].flat();
  }

  /**
   * Answers from the chain of the most specific zone; REFUSED without one, and for any class but IN unless a handler
   * at this address takes others.
   */
  answer(query: Query): Outcome | Promise<Outcome> {
    const chain = this.chainOf(query);
    return chain === undefined ? this.refuse(query) : chain.ask(query);
  }

  /** The chain that answers the query; undefined when none does. */
  chainOf(query: Query): Chain | undefined {
    if (query.class !== Class.IN && !this.everyClass) return undefined;
    return this.only ?? this.find(query);
  }

  private find(query: Query): Chain | undefined {
    const { name } = query;
    let zone = this.served.match(name);
    if (zone !== undefined && query.type === Type.DS) zone = this.parentSide(name, zone);
    for (; zone !== undefined; zone = this.above(zone)) {
      const chain = this.chains.get(zone)!.find((candidate) => candidate.serves(query));
      if (chain !== undefined) return chain;
    }
    return undefined;
  }

  /** The next zone further up that is served here. */
  private above(zone: Name): Name | undefined {
    if (zone === '.') return undefined;
    const cut = nextLabel(zone, 0);
    return this.served.match(cut < 0 ? '.' : zone.slice(cut));
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
    this.host.refused(query);
    return NO_BLOCK;
  }
}

/** A listening address and the routes it has at the moment: the one place that a reload changes. */
export interface Served {
  readonly server: ServerAddress;
  routes: Routes;
}

/** Serves every query without a look at it. */
const isPlain = ({ view, collects }: Chain): boolean => view === undefined && !collects;
