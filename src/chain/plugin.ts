import type { Directive } from '../corefile/index.js';
import type { Channel } from '../lib/channel.js';
import type { Clock } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Random } from '../lib/random.js';
import type { Milliseconds, Octets } from '../lib/units.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Network } from '../net/network.js';
import type { TsigKeys } from '../tsig/index.js';
import type { Name } from '../wire/index.js';
import type { HandedOver } from './handed-over.js';
import type { ClientNetworks, DependsOn, Handler, Next } from './handler.js';
import type { HttpRoute } from './http.js';
import type { Lifetime } from './lifetime.js';
import type { Query } from './query.js';
import type { ServerAddress } from './server-address.js';
import type { SessionHost } from './sessions.js';
import type { TlsListening } from './tls-listening.js';
import type { Zones } from './zones.js';

/** What the server process gives to everything in it. */
export interface Runtime {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Of this package: `0.1.0`. */
  readonly version: string;
  /** Name of this host, without a domain where it has none. */
  readonly hostname: string;
  /** The process's environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a text file; throws a NodeJS.ErrnoException. Relative paths start at the working directory. */
  readFile(path: string): string;
  /** The same for files that need not be text. */
  readBytes(path: string): Buffer;
  /**
   * Paths of the files in a directory and those below it, in lexical order; none where it cannot be read. A directory
   * behind a symbolic link counts as a file, unless it is the one that is asked for.
   */
  listFiles(directory: string): readonly string[];
  /**
   * What tells whether a file has changed; undefined when there is none at `path`. Throws a NodeJS.ErrnoException for
   * what cannot be looked at.
   */
  fileInfo(path: string): FileInfo | undefined;
  /**
   * Puts a file in place of the one at `path`, which others see as a whole, before or after. Throws a
   * NodeJS.ErrnoException.
   *
   * @param mode who may read and write it, such as 0o600; as the process's other files without it
   */
  replaceFile(path: string, content: Uint8Array, mode?: number): void;
  /** Told while what is kept has to become less; undefined where there is memory for whatever is asked for. */
  readonly memory?: { readonly ceiling: Octets; readonly shrinking: Channel<void> } | undefined;
  /** What the process before this one kept; undefined where there was none. */
  readonly handedOver?: HandedOver | undefined;
}

export interface FileInfo {
  /** Time of the last change of its content, since 1970-01-01 UTC. */
  readonly mtime: Milliseconds;
  readonly size: Octets;
}

/** What other parts of the server may read from a block after its directives were set up. */
export interface BlockSettings {
  /** Addresses from `bind`, in order; empty for all. */
  listen: string[];
  /** Directory of relative paths, from `root`; undefined for the working directory. */
  root?: string;
  debug: boolean;
  /** Whether a panic's stack goes to the log (`errors` option `stacktrace`). */
  stacktrace: boolean;
  /** Which queries the block serves, where it is one of several for a zone (`view`); all when undefined. */
  view?: View;
  /** The names for whose queries the labels of all handlers are to be had (`metadata`); none when undefined. */
  metadata?: Zones;
  /** Set by `tls`; listeners with encryption cannot do without. */
  tls?: TlsListening;
  /** Set by `tsig`: secrets that messages to the block's listening addresses may be signed with. */
  tsig?: TsigKeys;
  /** What the block says of connections to its listening addresses (`timeouts`). */
  limits?: ConnectionLimits;
  /** Set by `proxyproto`: connections and datagrams may come through proxies that say for whom. */
  proxies?: ProxyRules;
  /** What the block says of one kind of listener (`https`, `grpc_server`, `quic`). */
  transports?: Readonly<Partial<Record<'https' | 'grpc' | 'quic', TransportLimits>>>;
  /** Set by `push`: takes DNS Stateful Operations, which are not implemented elsewhere. */
  sessions?: SessionHost;
}

/** Whose word is taken for who asks (`proxyproto`). */
export interface ProxyRules {
  /**
   * What to do with headers from an address: `use` them, `ignore` what they say, `reject` whoever sends them, or `skip`
   * looking for them.
   */
  policyFor(address: string): 'use' | 'ignore' | 'reject' | 'skip';
  /** How long the header of one datagram holds for others from its sender; undefined where it does not. */
  readonly sessions: { readonly time: Milliseconds; readonly most: number } | undefined;
}

/** Bounds that a kind of listener has at each address; its own defaults hold for those left out. */
export interface TransportLimits {
  /** Open connections, at least 1; Infinity for any number. */
  readonly connections?: number;
  /** Queries under way on one connection, at least 1; Infinity for any number. */
  readonly streams?: number;
  /** Queries under way on all connections together, at least 1. */
  readonly queries?: number;
}

/** Bounds of a client's connection; the server's own hold for those left out. */
export interface ConnectionLimits {
  /** A message must be complete this long after its first byte. */
  readonly read?: Milliseconds;
  /** A client that takes nothing of its answers is closed after this time. */
  readonly write?: Milliseconds;
  /** A connection without queries under way is closed after this time. */
  readonly idle?: Milliseconds;
  /** A connection is closed after so many queries, once they are answered; Infinity for any number. */
  readonly queries?: number;
}

/** Decides which queries a server block serves. */
export interface View {
  /** The `view` label of metrics. */
  readonly name: string;
  /** What `matches` looks at; `query` when left out. */
  readonly dependsOn?: DependsOn;
  readonly clientNetworks?: ClientNetworks;
  matches(query: Query): boolean;
}

/** The Corefile that a configuration was made from. */
export interface RunningCorefile {
  readonly name: string;
  /** SHA512 of its tokens, in hexadecimal. */
  readonly digest: string;
  /**
   * The digest of what stands in the file now, imports included. Throws a CorefileError for text that cannot be used
   * or holds no server block, and a
   * NodeJS.ErrnoException for a file that cannot be read.
   */
  readDigest(): string;
}

/** The server block that a directive stands in, as its setup sees it. */
export interface Block {
  /** The zones of the block's keys. */
  readonly zones: readonly Name[];
  readonly runtime: Runtime;
  readonly settings: BlockSettings;
  /** A logger that puts `plugin/NAME: ` before each line. */
  logger(plugin: string): Logger;
  /**
   * The zones that `names` stand for (CIDR blocks become reverse zones), or the block's own zones when there are
   * none. Fails at the directive.
   */
  zonesOf(names: readonly string[], directive: Directive): Zones;
  /**
   * Answers HTTP requests from the start until this configuration is replaced. Several routes may share an address;
   * the first one for a path wins.
   */
  serveHttp(route: HttpRoute): void;
  /** Runs before the first query is taken. A failure keeps this configuration from starting. */
  onStart(hook: () => void | Promise<void>): void;
  /** Runs when all sockets are open and queries are taken. */
  onServing(hook: () => void): void;
  /** Runs when this configuration ends, by reload or shutdown, after its queries are answered. */
  onStop(hook: () => void | Promise<void>): void;
  /** Runs at the end of the process only, before the sockets are closed: queries are still answered meanwhile. */
  onShutdown(hook: () => void | Promise<void>): void;
  /** The block's handlers in chain order. Only after all blocks are set up, so from hooks and queries on. */
  handlers(): readonly Handler[];
  /** The addresses the block is served at. From `onStart` on. */
  addresses(): readonly ServerAddress[];
  /** Asks the whole server, as if the query had come in at its own listening address. */
  ask: Next;
  /** What several blocks or plugins of one configuration share: made once per key. */
  shared<T>(key: string, create: () => T): T;
  /** Ends this configuration and starts a new one from the Corefile, or goes on as before where that fails. */
  requestReload(): Promise<boolean>;
  /** Ends the process in order after a fault that makes serving harmful, with a line that says why. */
  fatal(reason: string): void;
  /** Ends when the configuration does, also for one that does not come to serve. */
  readonly lifetime: Lifetime;
  /** The Corefile that is running. */
  readonly corefile: RunningCorefile;
}

/** A directive: how its text becomes handlers. Setup runs at load and reload, never per query. */
export interface PluginDefinition {
  readonly name: string;
  /**
   * Called once per server block with all occurrences of the directive in it, in order. Returns the handlers to put
   * into the chain, none for a
   * directive that only changes settings. Throws a CorefileError for bad text.
   */
  setup(directives: readonly [Directive, ...Directive[]], block: Block): Handler | readonly Handler[] | undefined;
}

export const definePlugin = (name: string, setup: PluginDefinition['setup']): PluginDefinition => ({ name, setup });

/**
 * The only occurrence of a directive that may stand in a server block once. Throws a CorefileError at the second one.
 */
export function onlyOne(directives: readonly [Directive, ...Directive[]]): Directive {
  const [first, second] = directives;
  return second === undefined
    ? first
    : second.fail(
        `got it a second time in this server block, allowed: once; the first stands at ${first.file}:${first.line}`,
      );
}

/** One value per listening address, made on first use: for counters that carry the `server` label. */
export class PerServer<T> {
  private readonly values: T[] = [];

  constructor(private readonly create: (server: ServerAddress) => T) {}

  get(server: ServerAddress): T {
    return (this.values[server.index] ??= this.create(server));
  }
}
