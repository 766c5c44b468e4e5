import {
  PerServer,
  QuerySeries,
  handsOver,
  makeQuery,
  reloadFailures,
  panics,
  QueryContext,
  type Client,
  type HandedOver,
  type OwnQuestion,
  type PluginDefinition,
  type Query,
  type Runtime,
  type ServerAddress,
} from '../chain/index.js';
import { CorefileError, parseCorefile, type CorefileSource, type Scheme } from '../corefile/index.js';
import type { UdpWorkerPool } from '../fastpath/udp-worker-pool.js';
import { SharedAnswerCache } from '../fastpath/shared-answer-cache.js';
import { sleep } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import { Rcode, Type, decodeMessage, type Message } from '../wire/index.js';
import type { FlightRecorder } from '../record/flight-recorder.js';
import { bannerLines } from './banner.js';
import type { ConfigurationHost } from './configuration-host.js';
import { Configuration, labelOf } from './configuration.js';
import { PLUGINS } from './directives.js';
import { ExternalPlugins, type ExternalPlugin } from './external-plugins.js';
import { countExtendedErrors } from './extended-errors.js';
import { HttpListeners } from './http.js';
import { DnsListeners, shut, type Listener, type OpenableAddress } from './listeners.js';
import { inspect, type Inspection } from './inspection.js';
import { showKernel } from './kernel-metrics.js';
import { showLosses } from './losses.js';
import { chargeAttempts, reportOverload } from './overload.js';
import type { MemoryCeiling } from '../lib/memory-ceiling.js';
import { showMemory } from './memory.js';
import { QUERY_TIME, Responder, type ResponderHooks } from './respond.js';
import { makeRuntime, type RuntimeOptions } from './runtime.js';
import { watchAnswers, watchHits } from './top.js';
import { TcpClients } from './tcp-clients.js';
import type { TcpLimits } from './tcp-limits.js';
import type { TopRecorder } from '../top/recorder.js';
import { PlainUdp, SharedUdp } from './udp.js';
import { tellOfHits } from './noted-hits.js';

/** Answers under way at the end of a configuration have this long, in milliseconds. */
const GRACE: Milliseconds = 5000;
/** Connections of a server whose place another one takes are closed once nothing was asked on them for so long. */
const QUIET: Milliseconds = 150;
/** A client that never stops asking is cut off after this long; it asks the other one again. */
const LONGEST_QUIET: Milliseconds = 3000;

/**
 * What a server is made from; what a runtime has (network, clock, environment, ...) is the host's own where it is
 * left out.
 */
export interface ServerOptions extends RuntimeOptions {
  /** The Corefile's text, or a name and a function that reads it: the latter is read again at each reload. */
  readonly corefile: string | { readonly name: string; read(): string };
  /** Port of server blocks that name none; 53 by default. */
  readonly defaultPort?: number;
  readonly plugins?: readonly PluginDefinition[];
  /** Plugins from outside this package, beside those that the Corefile loads. */
  readonly external?: readonly ExternalPlugin[] | undefined;
  readonly tcpLimits?: TcpLimits;
  /** How long a query may wait for its answer before it gets SERVFAIL, in milliseconds; 10 s by default. */
  readonly queryTime?: Milliseconds;
  /**
   * Threads that take datagrams at addresses of this host and answer by themselves what they can; they may still be
   * starting until the server listens. The server stops them when it stops.
   */
  readonly workerPool?: UdpWorkerPool;
  /** Counts who asks what; `countClients` of the threads belongs to it. */
  readonly top?: TopRecorder;
  /** Keeps queries that were slow, failed or were answered stale. */
  readonly recorder?: FlightRecorder;
  /** Keeps the process below a size. */
  readonly memory?: MemoryCeiling;
  /** Called when a plugin finds that serving does harm, such as a forwarding loop; by default the server stops. */
  readonly onFatal?: (reason: string) => void;
}

/** A query to inject: its message, or what to ask. */
export type Injected = Uint8Array | (OwnQuestion & { readonly transport?: 'udp' | 'tcp' });

/** A DNS server: one Corefile at a time, replaced without losing a query. */
export class Server {
  readonly runtime: Runtime;
  private readonly host: ConfigurationHost;
  private readonly addresses = new Map<string, OpenableAddress>();
  private readonly dns: DnsListeners;
  private readonly http: HttpListeners;
  private readonly external: ExternalPlugins;
  private readonly responder: Responder;
  private readonly sharedAnswers: SharedAnswerCache | undefined;
  private current!: Configuration;
  private listening = false;
  private changing: Promise<unknown> = Promise.resolve();
  private stopped: Promise<void> | undefined;

  private constructor(private readonly options: ServerOptions) {
    const { runtime, load } = makeRuntime(options);
    this.runtime = runtime;
    const { metrics, log } = this.runtime;
    this.external = new ExternalPlugins(
      options.plugins ?? PLUGINS,
      options.external ?? [],
      options.files === undefined ? load.cwd : undefined,
      log,
    );
    const panicked = panics(metrics);
    // Queries that reach no server block are counted under a zone of their own.
    const dropped = new PerServer((server) => new QuerySeries(metrics, server.label, 'dropped'));
    const panickedAt = (error: unknown, query: Query): void => {
      panicked.inc();
      const text = error instanceof Error ? error.message : String(error);
      const stack = this.current.stacktrace && error instanceof Error ? `\n${error.stack}` : '';
      log.error(`Recovered from panic in server: "${query.client.server.label}" ${text}${stack}`);
    };
    const overdue = (query: Query): void =>
      log.error(`"${query.qname} ${query.typeName}" was not answered in time by any handler`);
    const { network, clock } = runtime;
    const answered = watchAnswers(clock, options.top, countExtendedErrors(metrics));
    const shares = options.workerPool?.shares;
    const recording = recordingTo(options.recorder);
    const waited = chargeAttempts(shares, recording.waited);
    const hooks = { panicked: panickedAt, overdue, answered, ...recording, ...(waited && { waited }) };
    const responder = new Responder(clock, hooks, options.queryTime);
    this.responder = responder;
    if (options.memory !== undefined) showMemory(metrics, options.memory, responder);
    this.sharedAnswers = options.workerPool && new SharedAnswerCache(options.workerPool.table, clock);
    const plain = new PlainUdp(network, clock, responder);
    tellOfHits(options.workerPool, this.sharedAnswers, log);
    if (options.top !== undefined) watchHits(options.top, options.workerPool, this.sharedAnswers);
    const udp =
      options.workerPool && this.sharedAnswers
        ? new SharedUdp(options.workerPool, this.sharedAnswers, clock, responder, plain)
        : plain;
    showLosses(metrics, [options.workerPool?.losses, network.losses]);
    if (shares) reportOverload(shares, metrics, log, clock);
    showKernel(metrics, options.workerPool);
    if (this.sharedAnswers) metrics.onScrape(() => this.sharedAnswers?.harvest());
    const clients = new TcpClients(clock, options.tcpLimits);
    clients.delays = () => options.memory?.delays === true;
    this.dns = new DnsListeners({ network, clock, log, metrics, udp, clients, responder });
    this.http = new HttpListeners(network, clock);
    this.host = {
      runtime: this.runtime,
      plugins: this.external,
      load,
      defaultPort: options.defaultPort ?? 53,
      keepsTrail: options.recorder !== undefined,
      corefileName: typeof options.corefile === 'string' ? 'Corefile' : options.corefile.name,
      address: (scheme, address, port) => this.address(scheme, address, port),
      readDigest: () => {
        const corefile = parseCorefile(this.read(), load);
        return this.external.digest(corefile.digest(), corefile.plugins);
      },
      reload: () => this.reload(),
      fatal: (reason) => this.fatal(reason),
      refused: (query) =>
        dropped
          .get(query.client.server)
          .count(
            query,
            (runtime.clock.monotonic() - query.received) / 1000,
            Rcode.REFUSED,
            query.questionEnd,
            'nobody',
          ),
    };
  }

  /**
   * Reads the Corefile and sets it up; no socket is opened. Rejects with a CorefileError, or with what a plugin's
   * start failed with.
   */
  static async create(options: ServerOptions): Promise<Server> {
    const server = new Server(options);
    server.current = await Configuration.load(server.read(), server.host);
    if (server.current.blocks.length === 0) throw new CorefileError(server.host.corefileName, 1, 'no server block');
    try {
      for (const hook of server.current.hooks.start) await hook();
    } catch (error) {
      await server.current.end('the configuration does not come to serve');
      throw error;
    }
    return server;
  }

  /** Opens all sockets. Rejects with a ListenError that names the address and the way out; nothing stays open then. */
  async listen(): Promise<void> {
    await this.attach(this.current);
    this.listening = true;
    for (const hook of this.current.hooks.serving) hook();
  }

  /** The lines of the start banner: what is served where. */
  banner(): string[] {
    return bannerLines(this.current.served);
  }

  /** Where the server listens. */
  get served(): readonly ServerAddress[] {
    return [...this.current.served.keys()];
  }

  /** Files of all plugins from outside this package that were loaded so far. */
  get pluginFiles(): ReadonlySet<string> {
    return this.external.files;
  }

  get debug(): boolean {
    return this.current.debug;
  }

  /**
   * Puts the Corefile as it is now in place of the running one. False, with the reason logged and everything as
   * before, when it cannot be read, used or
   * listened for. Queries under way are answered by the configuration that took them.
   */
  reload(): Promise<boolean> {
    const done = this.changing.then(() => this.replace());
    this.changing = done.catch(() => undefined);
    return done;
  }

  /**
   * Stops in order: shutdown hooks while still answering, then no more queries, then the answers under way, then
   * everything is closed.
   *
   * @param handedOver another process serves at the same sockets: connections that are open here are finished here
   */
  stop(handedOver = false): Promise<void> {
    return (this.stopped ??= this.changing.then(() => this.end(handedOver)));
  }

  /**
   * Answers a query through the whole chain without a socket; undefined when the answer is silence. Rejects with what a
   * handler throws.
   */
  inject(query: Injected, from: Partial<Pick<Client, 'transport' | 'remote'>> = {}): Promise<Message | undefined> {
    const transport = from.transport ?? (query instanceof Uint8Array ? undefined : query.transport);
    return new Promise((resolve, reject) => {
      const hooks = { panicked: (error: unknown) => reject(asError(error)), overdue: () => undefined };
      const responder = new Responder(this.runtime.clock, hooks, this.options.queryTime);
      responder.refuses = this.responder.refuses;
      const told = (answer?: Uint8Array): void => resolve(answer && decodeMessage(answer));
      this.ask(query, { ...from, ...(transport && { transport }) }, responder, told);
    });
  }

  /** As `inject`, with the bytes that a client would get; where a handler throws, that is SERVFAIL. */
  exchange(query: Injected, from: Partial<Pick<Client, 'transport' | 'remote'>> = {}): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => this.ask(query, from, this.responder, resolve));
  }

  /** What the running configuration keeps, for a process that takes its place. */
  handOver(): HandedOver {
    const handlers = this.current.blocks.flatMap((block) => block.handlers()).filter((handler) => handsOver(handler));
    return new Map(handlers.map((handler) => [handler.keptAs, handler.handOver()]));
  }

  /** A label (`plugin/name`) that the running configuration has for a client, whatever it asks. */
  clientLabel(address: string, label: string): string | undefined {
    const { clock, random } = this.runtime;
    for (const [server, routes] of this.current.served) {
      const remote = { address, port: 0 };
      const client: Client = { transport: 'udp', remote, local: { address: '', port: server.port }, server };
      const query = makeQuery({ name: '.', type: Type.A }, new QueryContext(client, clock.monotonic()), random);
      const value = routes.labelOf(query, label);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /**
   * Asks what a client would be answered, without one: nothing is kept of it, it counts under `server="explain"`, and
   * handlers that keep records of queries are passed by. It comes in at the first address, as of plain UDP or TCP.
   */
  inspect(query: Injected, from: Partial<Pick<Client, 'transport' | 'remote'>> = {}): Promise<Inspection> {
    const [server, routes] = [...this.current.served][0]!;
    const client = this.clientOf(this.standIn(server), from, query);
    const limit = this.options.queryTime ?? QUERY_TIME;
    return inspect(this.messageOf(query, client), client, routes, { clock: this.runtime.clock, limit });
  }

  /** An address under which what no client asks is counted. */
  private standIn(server: ServerAddress): ServerAddress {
    const key = `explain ${server.label}`;
    const known = this.addresses.get(key);
    if (known !== undefined) return known;
    const made = { ...server, index: this.addresses.size, label: 'explain', standsFor: server };
    this.addresses.set(key, made);
    return made;
  }

  private clientOf(
    server: ServerAddress,
    from: Partial<Pick<Client, 'transport' | 'remote'>>,
    query?: Injected,
  ): Client {
    const transport = from.transport ?? (query instanceof Uint8Array ? undefined : query?.transport) ?? 'udp';
    const remote = from.remote ?? { address: '127.0.0.1', port: 0 };
    return { transport, remote, local: { address: '127.0.0.1', port: server.port }, server };
  }

  private messageOf(query: Injected, client: Client): Buffer {
    if (query instanceof Uint8Array) return Buffer.from(query);
    const { clock, random } = this.runtime;
    return makeQuery(query, new QueryContext(client, clock.monotonic()), random).bytes;
  }

  private ask(
    query: Injected,
    from: Partial<Pick<Client, 'transport' | 'remote'>>,
    responder: Responder,
    done: (answer?: Uint8Array) => void,
  ): void {
    const [server, routes] = [...this.current.served][0]!;
    const client = this.clientOf(server, from);
    const now = this.runtime.clock.monotonic();
    responder.respond(this.messageOf(query, client), { server, routes }, client, now, {
      prefix: 0,
      send: done,
      dropped: () => done(),
    });
  }

  private read(): CorefileSource {
    const { corefile } = this.options;
    return typeof corefile === 'string'
      ? { name: 'Corefile', text: corefile }
      : { name: corefile.name, text: corefile.read() };
  }

  private address(scheme: Scheme, address: string, port: number): ServerAddress {
    const label = labelOf(scheme, address, port);
    let known = this.addresses.get(label);
    if (!known) {
      known = { index: this.addresses.size, label, scheme, address, port };
      this.addresses.set(label, known);
    }
    return known;
  }

  private async attach(next: Configuration): Promise<void> {
    const http = await this.http.prepare(next.httpRoutes);
    let dns;
    try {
      dns = await this.dns.prepare(next.served, (address, port) => {
        const drawn = this.addresses.get(address.label)!;
        drawn.port = port;
        drawn.label = labelOf(address.scheme as Scheme, drawn.address, port);
      });
    } catch (error) {
      http.abandon();
      throw error;
    }
    http.commit();
    const old = dns.commit();
    // What earlier chains said holds no longer, and who counts it is another.
    this.sharedAnswers?.clear();
    for (const [{ index }, routes] of next.served) this.sharedAnswers?.keepApart(index, routes.networks);
    if (old.length > 0) void this.settled(this.current).then(() => old.forEach(shut));
  }

  private async replace(): Promise<boolean> {
    const { log } = this.runtime;
    log.info('Reloading');
    const previous = this.current;
    let next: Configuration | undefined;
    try {
      next = await Configuration.load(this.read(), this.host);
      if (next.blocks.length === 0) throw new CorefileError(this.host.corefileName, 1, 'no server block');
      for (const hook of next.hooks.start) await hook();
      if (this.listening) await this.attach(next);
    } catch (error) {
      reloadFailures(this.runtime.metrics).inc();
      log.error(`Restart failed: ${(error as Error).message.replaceAll('\n', '\n    ')}`);
      if (next) await next.end('the configuration has ended');
      return false;
    }
    this.current = next;
    if (this.listening) for (const hook of next.hooks.serving) hook();
    await this.settled(previous);
    await previous.end('the configuration has ended');
    log.info('Reloading complete');
    return true;
  }

  private async end(handedOver: boolean): Promise<void> {
    const { current } = this;
    await Promise.all(current.hooks.shutdown.map(async (hook) => hook()));
    // Where another process has sockets of its own at the same place, what waits at these is taken before they close.
    const connections = !handedOver && (await this.dns.leave(this.runtime.clock));
    const goesOn = handedOver || connections;
    const open = this.dns.closeAll(goesOn ? QUIET : undefined);
    // Only then do the answers under way come to an end, however many queries come in; what is not taken is left to a
    // process that shares the sockets.
    await Promise.all(open.map(async ({ udp }) => udp?.pause?.()));
    if (goesOn) await this.untilClosed(open);
    await this.settled(current);
    open.forEach(shut);
    await this.options.workerPool?.stop();
    this.options.top?.stop();
    this.sharedAnswers?.stop();
    await current.end('the configuration has ended');
    this.http.closeAll();
  }

  /** Until the last connection is closed, or they have had long enough for it. */
  private async untilClosed(listeners: readonly Listener[]): Promise<void> {
    const { clock } = this.runtime;
    const end = clock.monotonic() + LONGEST_QUIET;
    while (listeners.some(({ tcp }) => tcp.open > 0) && clock.monotonic() < end) await sleep(clock, QUIET / 3);
  }

  private async settled(configuration: Configuration): Promise<void> {
    const grace = new AbortController();
    await Promise.race([
      configuration.inFlight.settled(),
      sleep(this.runtime.clock, GRACE, grace.signal).catch(() => undefined),
    ]);
    grace.abort(new Error('settled'));
  }

  private fatal(reason: string): void {
    if (this.options.onFatal) this.options.onFatal(reason);
    else {
      this.runtime.log.error(reason);
      void this.stop();
    }
  }
}

const asError = (fault: unknown): Error => (fault instanceof Error ? fault : new Error(String(fault)));

const recordingTo = (recorder: FlightRecorder | undefined): Pick<ResponderHooks, 'atOnce' | 'waited'> =>
  recorder === undefined
    ? {}
    : {
        atOnce: (query, outcome, chain) => recorder.atOnce(query, outcome, chain),
        waited: (query, outcome, chain) => recorder.waited(query, outcome, chain),
      };
