import type { ClientNetworks, DependsOn, HttpAnswer, HttpRequest, Role } from '../chain/index.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { ChangedQuestion, HandlerResult, PluginQuery, PluginReply } from './messages.js';
import type { OptionSchema, OptionValues } from './options.js';
import type { PluginTable, TableOptions } from './table-options.js';

/** The version of the interface between server and plugins that this is. */
export const PLUGIN_API = 1;

/** A value, or a promise of any kind for it. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Asks the handlers after this one, with the same query or with another question. */
export type PluginNext = (question?: ChangedQuestion) => Awaitable<PluginReply>;

/**
 * Answers a query, or hands it on with `next`. What it throws, or answers with that is no reply, is SERVFAIL, counts in
 * `coredns_panics_total` and gives one line of log. A promise that is not settled in 10 s is SERVFAIL too.
 */
export type HandleFunction = (query: PluginQuery, next: PluginNext) => Awaitable<HandlerResult>;

/** What setup returns where there is more to say than how queries are handled. */
export interface PluginHandler {
  readonly handle: HandleFunction;
  /** Whether it is ready to serve, for the `ready` plugin; also asked are the block's tables, without this. */
  readonly ready?: () => boolean;
  /** As of the plugin, where it depends on the options; what the plugin says holds where nothing is said. */
  readonly dependsOn?: DependsOn;
  readonly clientNetworks?: ClientNetworks;
  /**
   * For a handler that counts: told how many more queries like this one got a shared answer. Asked once for each answer
   * that is shared.
   */
  readonly hitCounter?: (query: PluginQuery) => (times: number) => void;
  /** Labels that others may read, by the part behind `plugin/`: computed when first asked for. */
  readonly labels?: Readonly<Record<string, (query: PluginQuery) => string>>;
}

/** A counter or gauge, for one combination of label values. */
export interface MetricValue {
  /** By 1 where nothing is said. */
  inc(by?: number): void;
  /** Gauges only. */
  set(value: number): void;
}

/**
 * Makes metrics under `coredns_PLUGIN_`. Asked again for the same name, it gives the same one: counts go on over a
 * reload. Keep what it returns, as looking it up is not for the way of a query.
 */
export interface PluginMetrics {
  /** A value that only grows. `name` goes without the prefix `coredns_NAME_`. The same name and labels give the same. */
  counter(name: string, help: string, labels?: Readonly<Record<string, string>>): MetricValue;
  /** A value that goes up and down. */
  gauge(name: string, help: string, labels?: Readonly<Record<string, string>>): MetricValue;
}

/** A path over HTTP that a plugin answers for. */
export interface PluginRoute {
  /** `IP:PORT`, `[IPV6]:PORT`, `localhost:PORT`, or `:PORT` for all addresses. Plugins may share one. */
  readonly address: string;
  /** Without query: `/names`. The first route for a path of an address has it. */
  readonly path: string;
  /** Longest body of a request, in bytes; 65,536 where nothing is said. A longer one is refused with 413. */
  readonly maxBody?: Octets;
  /** What it throws is status 500 and one line of log. */
  readonly answer: (request: HttpRequest) => Awaitable<HttpAnswer>;
}

/** The server block that a plugin's directive stands in. Everything made with it ends with the configuration. */
export interface PluginBlock {
  /** The block's zones: lower case, without the closing dot; `.` is the root. */
  readonly zones: readonly string[];
  /** Lines for the operator, with `plugin/NAME: ` before each. Not for each query. */
  readonly log: Logger;
  readonly metrics: PluginMetrics;
  /** Fires when the configuration ends, by reload or shutdown. Hand it to whatever takes time: `fetch`, streams. */
  readonly signal: AbortSignal;
  /** Environment variables of the process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Time, which tests move by hand. */
  readonly clock: {
    /** Since 1970-01-01 UTC; may jump. */
    now(): Milliseconds;
    /** Since an arbitrary start; never goes back. */
    monotonic(): Milliseconds;
  };
  /** Whether a name is in one of `zones`, the block's own where none are given. */
  contains(name: string, zones?: readonly string[]): boolean;
  /** Text of a file; relative paths count from the working directory. Throws as `fs.readFileSync` does. */
  readFile(path: string): string;
  /** Calls `fn` once; not any more when the configuration has ended. The returned function takes it back. */
  setTimeout(fn: () => void, delay: Milliseconds): () => void;
  /** Calls `fn` again and again, until the configuration ends or the returned function is called. */
  setInterval(fn: () => void, period: Milliseconds): () => void;
  /** Runs before the first query is taken. A failure keeps this configuration from starting. */
  onStart(hook: () => Awaitable<void>): void;
  /** Runs when the configuration ends, after its queries are answered. */
  onStop(hook: () => Awaitable<void>): void;
  /** A table from elsewhere to answer from. See `TableOptions`. */
  table<Value>(options: TableOptions<Value>): PluginTable<Value>;
  /** Answers HTTP requests from the start until the configuration ends. In setup only. */
  serveHttp(route: PluginRoute): void;
  /** Asks the whole server on behalf of `query`, such as for the target of an alias. Undefined where it is silent. */
  ask(query: PluginQuery, question: ChangedQuestion): Promise<PluginReply | undefined>;
  /** Throws an error at an option's line of the Corefile, or at the directive's where none is named. */
  fail(text: string, option?: string): never;
}

/** Where a plugin stands in the chain: right before or right after the handlers of a directive. */
export type PluginPlace = { readonly before: string } | { readonly after: string };

/** A plugin: one object, the default export of a module. */
export interface Plugin<S extends OptionSchema = OptionSchema> {
  /** The directive's name: lower-case letters, digits, `-` and `_`, beginning with a letter. */
  readonly name: string;
  /** The version of the interface that it is written for: 1. */
  readonly api: typeof PLUGIN_API;
  /** One sentence for the manual page and the list of plugins. */
  readonly about?: string;
  /** Where it stands where the Corefile does not say; before `cache` where nothing does. */
  readonly at?: PluginPlace;
  /** Directives that have to stand in the same server block. */
  readonly needs?: readonly string[];
  /**
   * What its answers depend on. `question`: nothing but the question and its tables; `client`: the client's address
   * too; `query`, where it says nothing: it is asked every time, and answers of its block are not shared.
   */
  readonly dependsOn?: DependsOn;
  /** With `dependsOn: 'client'`: which clients get the same answers; each address by itself where it says nothing. */
  readonly clientNetworks?: ClientNetworks;
  /** `answers` queries, `wraps` what others answer, or `observes`; `answers` where it says nothing. */
  readonly role?: Role;
  /** What may stand in the Corefile; without it the directive stands alone. */
  readonly options?: S;
  /** A Corefile for the manual page: the inside of a server block. */
  readonly example?: string;
  /**
   * Called once for each server block that has the directive. Returns what handles its queries, or nothing for one
   * that handles none. A promise is waited for before queries are taken. What it throws refuses the configuration.
   */
  setup(block: PluginBlock, options: OptionValues<S>): Awaitable<HandleFunction | PluginHandler | undefined | void>;
}

/** Returns its argument, with the types of its options worked out. */
export const definePlugin = <const S extends OptionSchema>(plugin: Plugin<S>): Plugin<S> => plugin;
