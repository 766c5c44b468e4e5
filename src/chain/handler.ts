import type { Name } from '../wire/index.js';
import type { Query } from './query.js';
import type { Outcome } from './outcome.js';
import type { Reply } from './reply.js';

/** Asks the handlers after this one. */
export type Next = (query: Query) => Outcome | Promise<Outcome>;

/**
 * What a handler's outcome depends on:
 * - `question`: nothing but the question: its name in lower case, type and class, DO, CD, AD and the version of IP;
 * - `client`: the client's address too;
 * - `query`: anything else: the query has to reach the handler each time.
 */
export type DependsOn = 'question' | 'client' | 'query';

/** Lengths of prefixes, in bits: clients of one network get the same answers. */
export interface ClientNetworks {
  /** 0 to 32. */
  readonly ipv4: number;
  /** 0 to 128. */
  readonly ipv6: number;
}

/** Every address by itself: what is taken where a handler says `client` and no more. */
export const EACH_CLIENT: ClientNetworks = { ipv4: 32, ipv6: 128 };

/**
 * What a handler does with queries: `answers` them, or some of them; `wraps` what others answer, and so stands as the
 * writer of the reply in `coredns_dns_responses_total`; `observes`: hands on what others answer as it is.
 */
export type Role = 'answers' | 'wraps' | 'observes';

/**
 * One link of a server block's chain. It returns its reply, or what `next` returned, changed or not. A plain value
 * where nothing has to be waited for, a promise only where something has. It throws only for faults of its own: those
 * count as panics.
 */
export interface Handler {
  /** The directive's name. */
  readonly name: string;
  /**
   * A shared answer is given again without asking the chain while it is valid. Without this property a handler is asked
   * every time (`query`), and answers of its whole block are never shared.
   */
  readonly dependsOn?: DependsOn;
  /** With `dependsOn: 'client'`: which clients get the same answers; each by itself when left out. */
  readonly clientNetworks?: ClientNetworks;
  /**
   * Whether it has to see each query like this one that gets this reply: then the reply is not shared, though others of
   * its block are. Never when left out; with `dependsOn: 'query'` it is not asked.
   */
  seesEach?(query: Query, reply: Reply): boolean;
  /** `answers` when left out. */
  readonly role?: Role;
  /** It writes down or counts what clients ask, and has no say in the answer: what no client asks passes it by. */
  readonly keepsRecord?: boolean;
  /** Its replies have to be waited for, as those of an upstream. */
  readonly waits?: boolean;
  /**
   * Whether it has a use for questions of other classes than IN. Its listening address takes them then, for all
   * blocks that are served there; elsewhere they are refused.
   */
  readonly everyClass?: boolean;
  handle(query: Query, next: Next): Outcome | Promise<Outcome>;
}

/** A handler that knows the search paths of clients (asked by the `autopath` plugin). */
export interface ProvidesSearchPaths {
  /**
   * The domains that the query's client puts behind a name, in order and in lower case, without those that it has from
   * its host; undefined for a client that is not known.
   */
  searchPath(query: Query): readonly Name[] | undefined;
}

export const hasSearchPaths = (handler: Handler): handler is Handler & ProvidesSearchPaths =>
  typeof (handler as Partial<ProvidesSearchPaths>).searchPath === 'function';

/** What the resolver of one client does with names, as its resolv.conf says. */
export interface SearchList {
  /** All of its domains in order, in lower case, at least one; '.' for the name as it stands. */
  readonly domains: readonly Name[];
  /** Dots from which on a name is asked as it stands first. */
  readonly ndots: number;
}

/** A handler that knows the whole search lists of clients (asked by the `autopath` plugin). */
export interface ProvidesSearchLists {
  /**
   * The search list of the query's client; undefined where it is not certain, or where its first domain is not that of
   * a namespace of the cluster.
   */
  searchList(query: Query): SearchList | undefined;
}

export const hasSearchLists = (handler: Handler): handler is Handler & ProvidesSearchLists =>
  typeof (handler as Partial<ProvidesSearchLists>).searchList === 'function';

/** A handler that can say whether it is ready to serve (asked by the `ready` plugin). */
export interface Readiness {
  ready(): boolean;
}

export const hasReadiness = (handler: Handler): handler is Handler & Readiness =>
  typeof (handler as Partial<Readiness>).ready === 'function';
