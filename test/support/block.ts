import {
  Lifetime,
  Reply,
  Zones,
  linkChain,
  type Block,
  type BlockSettings,
  type Handler,
  type HttpRequest,
  type HttpRoute,
  type Next,
  type Outcome,
  type PluginDefinition,
  type Query,
  type Runtime,
  type ServerAddress,
} from '../../src/chain/index.js';
import { parseCorefile, zonesFromText, type Directive } from '../../src/corefile/index.js';
import { ManualClock } from '../../src/lib/clock.js';
import { prefixed, type Logger } from '../../src/lib/log.js';
import { seededRandom } from '../../src/lib/random.js';
import { Metrics } from '../../src/metrics/metrics.js';
import type { Network } from '../../src/net/network.js';
import { SERVER } from './dns.js';

/** A logger that keeps its lines as `[LEVEL] text`. */
export class TestLog implements Logger {
  readonly lines: string[] = [];
  debug = (line: string): void => void this.lines.push(`[DEBUG] ${line}`);
  info = (line: string): void => void this.lines.push(`[INFO] ${line}`);
  warning = (line: string): void => void this.lines.push(`[WARNING] ${line}`);
  error = (line: string): void => void this.lines.push(`[ERROR] ${line}`);
}

const unreachable: Network = {
  bindUdp: () => Promise.reject(new Error('no network in this test')),
  connectUdp: () => Promise.reject(new Error('no network in this test')),
  listenTcp: () => Promise.reject(new Error('no network in this test')),
  connectTcp: () => Promise.reject(new Error('no network in this test')),
  interfaces: () => [{ device: 'lo', address: '127.0.0.1', loopback: true }],
};

/** An HTTP request that says nothing beside its path and what is given. */
export const httpRequest = (given: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  url: '/',
  query: new URLSearchParams(given.url?.split('?')[1]),
  headers: {},
  client: { address: '127.0.0.1', port: 4000 },
  signal: new AbortController().signal,
  body: () => Promise.resolve(Buffer.alloc(0)),
  ...given,
});

export interface TestBlockOptions {
  zones?: string[];
  network?: Network;
  /** Files that may be read, by path. */
  files?: Record<string, string | Buffer>;
  /** When they were changed, by path, in milliseconds since 1970; 0 where nothing is said. */
  mtimes?: Record<string, number>;
  env?: Record<string, string>;
  /** What `block.ask` answers. */
  ask?: Next;
}

/** A server block without a server: hooks and routes are kept to be run by hand. */
export class TestBlock implements Block {
  readonly clock = new ManualClock();
  readonly log = new TestLog();
  readonly metrics = new Metrics();
  readonly runtime: Runtime;
  readonly zones: readonly string[];
  readonly lifetime = new Lifetime();
  readonly settings: BlockSettings = { listen: [], debug: false, stacktrace: false };
  readonly routes: HttpRoute[] = [];
  readonly hooks = {
    start: [] as (() => void | Promise<void>)[],
    serving: [] as (() => void)[],
    stop: [] as (() => void | Promise<void>)[],
    shutdown: [] as (() => void | Promise<void>)[],
  };
  /** What a look at the Corefile finds: put another digest or an error there. */
  corefileNow: string | Error = '0'.repeat(128);
  readonly corefile = {
    name: 'Corefile',
    digest: '0'.repeat(128),
    readDigest: (): string => {
      if (this.corefileNow instanceof Error) throw this.corefileNow;
      return this.corefileNow;
    },
  };
  /** What `requestReload` comes to. */
  reloadWorks = true;
  readonly reloads: string[] = [];
  readonly fatals: string[] = [];
  ask: Next;
  /** What `addresses` gives. */
  served: readonly ServerAddress[] = [SERVER];
  chain: readonly Handler[] = [];
  private readonly common = new Map<string, unknown>();

  constructor(options: TestBlockOptions = {}) {
    this.zones = options.zones ?? ['.'];
    this.ask = options.ask ?? ((): Outcome => Reply.empty(5));
    const file = (path: string): string | Buffer => {
      const content = options.files?.[path];
      if (content === undefined)
        throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' });
      return content;
    };
    this.runtime = {
      network: options.network ?? unreachable,
      clock: this.clock,
      random: seededRandom(1),
      log: this.log,
      metrics: this.metrics,
      version: '0.0.0',
      hostname: 'box',
      env: options.env ?? {},
      readFile: (path) => file(path).toString(),
      readBytes: (path) => Buffer.from(file(path)),
      listFiles: (directory) =>
        Object.keys(options.files ?? {})
          .filter((path) => path.startsWith(`${directory}/`))
          .sort(),
      replaceFile: (path, content) => {
        if (options.files === undefined || path.startsWith('/read-only/'))
          throw Object.assign(new Error(`EROFS: read-only file system, open '${path}'`), { code: 'EROFS' });
        options.files[path] = Buffer.from(content);
      },
      fileInfo: (path) => {
        const text = options.files?.[path];
        return text === undefined ? undefined : { mtime: options.mtimes?.[path] ?? 0, size: Buffer.byteLength(text) };
      },
    };
  }

  logger = (plugin: string): Logger => prefixed(this.log, `plugin/${plugin}: `);
  zonesOf = (names: readonly string[], _directive: Directive): Zones =>
    new Zones(names.length === 0 ? this.zones : names.flatMap((name) => zonesFromText(name)));
  serveHttp = (route: HttpRoute): void => void this.routes.push(route);
  onStart = (hook: () => void | Promise<void>): void => void this.hooks.start.push(hook);
  onServing = (hook: () => void): void => void this.hooks.serving.push(hook);
  onStop = (hook: () => void | Promise<void>): void => void this.hooks.stop.push(hook);
  onShutdown = (hook: () => void | Promise<void>): void => void this.hooks.shutdown.push(hook);
  handlers = (): readonly Handler[] => this.chain;
  addresses = (): readonly ServerAddress[] => this.served;
  fatal = (reason: string): void => void this.fatals.push(reason);

  shared<T>(key: string, create: () => T): T {
    if (!this.common.has(key)) this.common.set(key, create());
    return this.common.get(key) as T;
  }

  requestReload(): Promise<boolean> {
    this.reloads.push('requested');
    return Promise.resolve(this.reloadWorks);
  }

  /** Runs the hooks of one kind in order. */
  async run(kind: 'start' | 'serving' | 'stop' | 'shutdown'): Promise<void> {
    for (const hook of this.hooks[kind]) await hook();
  }
}

/** The directives in the text of a block's inside, grouped as setup gets them. */
export function directives(text: string, name: string): [Directive, ...Directive[]] {
  const { blocks } = parseCorefile(
    { name: 'Corefile', text: `. {\n${text}\n}\n` },
    { env: {}, cwd: '/', readFile: () => '', glob: () => [] },
  );
  return blocks[0]!.directives.filter((directive) => directive.name === name) as [Directive, ...Directive[]];
}

/** Sets a plugin up from the inside of a server block. Lines in errors count from 2, after the key's line. */
export function setup(
  definition: PluginDefinition,
  text: string,
  options: TestBlockOptions = {},
): { block: TestBlock; handlers: readonly Handler[]; ask: (query: Query, next?: Next) => Outcome | Promise<Outcome> } {
  const block = new TestBlock(options);
  const made = definition.setup(directives(text, definition.name), block);
  const handlers = made === undefined ? [] : Array.isArray(made) ? (made as readonly Handler[]) : [made as Handler];
  block.chain = handlers;
  const ask = (query: Query, next?: Next): Outcome | Promise<Outcome> =>
    linkChain(next === undefined ? handlers : [...handlers, { name: 'next', handle: (asked) => next(asked) }])(query);
  return { block, handlers, ask };
}
