import {
  Lifetime,
  linkChain,
  type Handler,
  type HttpRoute,
  type Outcome,
  type Query,
  type Reply,
  type ServerAddress,
} from '../chain/index.js';
import {
  CorefileError,
  SCHEMES,
  draftCorefile,
  type Corefile,
  type CorefileSource,
  type FaultList,
  type Scheme,
  type ServerKey,
} from '../corefile/index.js';
import type { FilePlace } from '../lib/errors.js';
import { hostPort } from '../lib/cidr.js';
import { LISTENER_KINDS } from './listener-kinds.js';
import { BlockContext, Hooks, type Common } from './block.js';
import type { ConfigurationHost } from './configuration-host.js';
import { checkBlock, type Directives } from './external-plugins.js';
import { setUpAll } from './set-up-all.js';
import { InFlight } from './in-flight.js';
import { Chain, Routes, type RoutesHost } from './routes.js';
import { describeSharing } from './sharing.js';

/** A Corefile set up: chains linked, hooks and HTTP routes known, no socket opened yet. */
export class Configuration {
  readonly hooks = new Hooks();
  readonly inFlight = new InFlight();
  /** Ends when the configuration does. */
  readonly lifetime = new Lifetime();
  readonly httpRoutes: HttpRoute[] = [];
  /** By listening address, in the order in which the Corefile names them. */
  readonly served = new Map<ServerAddress, Routes>();
  readonly blocks: readonly BlockContext[];
  private readonly places = new Map<Handler, FilePlace>();

  private readonly routesHost: RoutesHost;

  /**
   * Reads a Corefile, loads its plugins and sets all of it up. Rejects with a CorefileError for all in the text that
   * cannot be used, and with a PluginError for a plugin that cannot be loaded.
   */
  static async load(source: CorefileSource, host: ConfigurationHost): Promise<Configuration> {
    const draft = draftCorefile(source, host.load);
    const directives = await host.plugins.load(draft);
    const { corefile, faults } = draft.take(directives.order.map(({ name }) => name));
    const configuration = new Configuration(corefile, directives, host, faults);
    try {
      const handlers = configuration.blocks.map((block) => configuration.setUp(block));
      // What is served where cannot be told before.
      faults.throwAny();
      configuration.blocks.forEach((block, i) => configuration.serve(block, handlers[i]!));
      faults.throwAny();
      return configuration;
    } catch (error) {
      await configuration.end('the configuration does not come to serve');
      throw error;
    }
  }

  private constructor(
    readonly corefile: Corefile,
    private readonly directives: Directives,
    private readonly host: ConfigurationHost,
    private readonly faults: FaultList,
  ) {
    const { inFlight, lifetime } = this;
    const { keepsTrail } = host;
    this.routesHost = { inFlight, lifetime, keepsTrail, refused: (query) => host.refused(query) };
    for (const warning of this.corefile.warnings) host.runtime.log.warning(warning);
    const common: Common = {
      host,
      hooks: this.hooks,
      routes: this.httpRoutes,
      shared: new Map(),
      lifetime: this.lifetime,
      digest: host.plugins.digest(corefile.digest(), corefile.plugins),
      ask: (query) => this.ask(query),
    };
    this.blocks = this.corefile.blocks.map((block) => new BlockContext(block, common));
  }

  /** Whether some block asked for debugging. */
  get debug(): boolean {
    return this.blocks.some((block) => block.settings.debug);
  }

  get stacktrace(): boolean {
    return this.blocks.some((block) => block.settings.stacktrace || block.settings.debug);
  }

  /** Ends what its plugins have begun; all its queries are answered, or it never came to serve. */
  async end(reason: string): Promise<void> {
    this.lifetime.end(new DOMException(reason, 'AbortError'));
    for (const hook of this.hooks.stop) {
      try {
        await hook();
      } catch (error) {
        this.host.runtime.log.error(`stopping: ${(error as Error).message}`);
      }
    }
  }

  private ask(query: Query): Outcome | Promise<Outcome> {
    return this.routesOf(query).answer(query);
  }

  private routesOf(query: Query): Routes {
    const { server } = query.client;
    return this.served.get(server.standsFor ?? server) ?? [...this.served.values()][0]!;
  }

  private setUp(block: BlockContext): Handler[] {
    const handlers = this.directives.order.flatMap((plugin) => {
      const [first, ...more] = block.source.directives.filter((directive) => directive.name === plugin.name);
      if (first === undefined) return [];
      const made = setUpAll(plugin, [first, ...more], block, this.faults);
      for (const handler of made) this.places.set(handler, { file: first.file, line: first.line });
      return made;
    });
    return handlers;
  }

  private serve(block: BlockContext, handlers: readonly Handler[]): void {
    const { faults } = this;
    faults.attempt(() => checkBlock(this.directives, block.source, handlers));
    block.link(handlers);
    // A block without handlers answers nothing: REFUSED, as for a zone that is not served.
    const ask =
      handlers.length === 0 ? (query: Query): Reply => this.routesOf(query).refuse(query) : linkChain(handlers);
    const chain = new Chain(ask, handlers, block.settings, {
      zones: block.zones,
      place: { file: block.source.file, line: block.source.line },
      placeOf: (handler) => this.places.get(handler),
    });
    if (block.settings.debug) this.host.runtime.log.debug(describeSharing(block.zones, chain.verdict));
    const hosts = block.settings.listen.length === 0 ? [''] : block.settings.listen;
    const addresses = new Set<ServerAddress>();
    for (const key of block.source.keys) {
      if (!faults.attempt(() => this.checkScheme(key, block))) continue;
      for (const host of hosts) {
        const address = this.host.address(key.scheme, host, key.port ?? this.portOf(key.scheme));
        addresses.add(address);
        const routes = this.served.get(address) ?? new Routes(this.routesHost);
        this.served.set(address, routes);
        routes.tls ??= block.settings.tls;
        routes.proxies ??= block.settings.proxies;
        routes.sessions ??= block.settings.sessions;
        routes.transports = { ...block.settings.transports, ...routes.transports };
        if (block.settings.tsig !== undefined) routes.addKeys(block.settings.tsig);
        if (!routes.add(key.zone, chain)) faults.add(alreadyServed(key, address.port, host));
      }
    }
    block.serveAt([...addresses]);
  }

  private portOf(scheme: Scheme): number {
    return scheme === 'dns' ? this.host.defaultPort : SCHEMES[scheme];
  }

  /** Refuses what nothing listens for, and what would go in the clear though the key says that it does not. */
  private checkScheme({ scheme, text, file, line }: ServerKey, block: BlockContext): true {
    const kind = LISTENER_KINDS[scheme];
    const fail = (what: string): never => {
      throw new CorefileError(file, line, `server block key '${text}': ${what}`);
    };
    const { tls } = block.settings;
    if (kind.encrypted && tls === undefined) fail(`${scheme}:// needs a certificate; add 'tls CERT KEY' to this block`);
    const objection = tls && kind.objection?.(tls);
    if (objection !== undefined) fail(objection);
    return true;
  }
}

const alreadyServed = ({ scheme, zone, file, line }: ServerKey, port: number, host: string): CorefileError =>
  new CorefileError(
    file,
    line,
    `cannot serve ${scheme}://${zone}:${port}${host === '' ? '' : ` on ${host}`} - it is already defined`,
  );

/** Listening address as in metrics and messages. */
export const labelOf = (scheme: Scheme, address: string, port: number): string =>
  `${scheme}://${hostPort(address, port)}`;
