import {
  Zones,
  type Block,
  type BlockSettings,
  type Handler,
  type HttpRoute,
  type Lifetime,
  type Next,
  type Outcome,
  type Query,
  type Runtime,
  type ServerAddress,
} from '../chain/index.js';
import type { Directive, ServerBlock } from '../corefile/index.js';
import { prefixed, type Logger } from '../lib/log.js';
import type { Name } from '../wire/index.js';
import type { ConfigurationHost } from './configuration-host.js';

type Hook = () => void | Promise<void>;

/** Hooks of one configuration, all blocks together, in order of setup. */
export class Hooks {
  readonly start: Hook[] = [];
  readonly serving: (() => void)[] = [];
  readonly stop: Hook[] = [];
  readonly shutdown: Hook[] = [];
}

/** What the blocks of one configuration have in common. */
export interface Common {
  readonly host: ConfigurationHost;
  readonly hooks: Hooks;
  readonly routes: HttpRoute[];
  readonly lifetime: Lifetime;
  readonly shared: Map<string, unknown>;
  readonly digest: string;
  ask(query: Query): Outcome | Promise<Outcome>;
}

/** A server block while and after it is set up. */
export class BlockContext implements Block {
  readonly zones: readonly Name[];
  readonly settings: BlockSettings = { listen: [], debug: false, stacktrace: false };
  readonly ask: Next;
  private chain: readonly Handler[] = [];
  private served: readonly ServerAddress[] = [];

  constructor(
    readonly source: ServerBlock,
    private readonly common: Common,
  ) {
    this.zones = [...new Set(source.keys.map((key) => key.zone))];
    this.ask = (query) => common.ask(query);
  }

  get runtime(): Runtime {
    return this.common.host.runtime;
  }

  get lifetime(): Lifetime {
    return this.common.lifetime;
  }

  get corefile(): Block['corefile'] {
    const { common } = this;
    return { name: common.host.corefileName, digest: common.digest, readDigest: () => common.host.readDigest() };
  }

  logger(plugin: string): Logger {
    return prefixed(this.runtime.log, `plugin/${plugin}: `);
  }

  zonesOf(names: readonly string[], directive: Directive): Zones {
    return new Zones(names.length === 0 ? this.zones : directive.zones(names));
  }

  serveHttp(route: HttpRoute): void {
    this.common.routes.push(route);
  }

  onStart(hook: Hook): void {
    this.common.hooks.start.push(hook);
  }

  onServing(hook: () => void): void {
    this.common.hooks.serving.push(hook);
  }

  onStop(hook: Hook): void {
    this.common.hooks.stop.push(hook);
  }

  onShutdown(hook: Hook): void {
    this.common.hooks.shutdown.push(hook);
  }

  handlers(): readonly Handler[] {
    return this.chain;
  }

  addresses(): readonly ServerAddress[] {
    return this.served;
  }

  shared<T>(key: string, create: () => T): T {
    const { shared } = this.common;
    if (!shared.has(key)) shared.set(key, create());
    return shared.get(key) as T;
  }

  requestReload(): Promise<boolean> {
    return this.common.host.reload();
  }

  fatal(reason: string): void {
    this.common.host.fatal(reason);
  }

  /** Puts the handlers in place, once all directives of the block are set up. */
  link(handlers: readonly Handler[]): void {
    this.chain = handlers;
  }

  /** Puts the listening addresses in place, once those of all blocks are known. */
  serveAt(addresses: readonly ServerAddress[]): void {
    this.served = addresses;
  }
}
