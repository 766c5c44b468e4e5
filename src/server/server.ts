import { handsOver, reloadFailures, type HandedOver, type Runtime, type ServerAddress } from '../chain/index.js';
import { CorefileError, parseCorefile, type CorefileSource } from '../corefile/index.js';
import type { SharedAnswerCache } from '../fastpath/shared-answer-cache.js';
import { sleep } from '../lib/clock.js';
import type { Milliseconds } from '../lib/units.js';
import type { Message } from '../wire/index.js';
import { AddressBook } from './address-book.js';
import { bannerLines } from './banner.js';
import type { ConfigurationHost } from './configuration-host.js';
import { Configuration } from './configuration.js';
import { datagramsOf } from './datagrams.js';
import { PLUGINS } from './directives.js';
import { ExternalPlugins } from './external-plugins.js';
import { HttpListeners } from './http.js';
import { DnsListeners, shut, type Listener } from './listeners.js';
import { Injector, type Injected, type InjectedFrom } from './injector.js';
import type { Inspection } from './inspection.js';
import { showMemory } from './memory.js';
import { makeResponder } from './make-responder.js';
import { countRefused } from './refused.js';
import { makeRuntime } from './runtime.js';
import type { ServerOptions } from './server-options.js';
import { TcpClients } from './tcp-clients.js';

/** Answers under way at the end of a configuration have this long, in milliseconds. */
const GRACE: Milliseconds = 5000;
/** Connections of a server whose place another one takes are closed once nothing was asked on them for so long. */
const QUIET: Milliseconds = 150;
/** A client that never stops asking is cut off after this long; it asks the other one again. */
const LONGEST_QUIET: Milliseconds = 3000;

/** A DNS server: one Corefile at a time, replaced without losing a query. */
export class Server {
  readonly runtime: Runtime;
  private readonly host: ConfigurationHost;
  private readonly addresses = new AddressBook();
  private readonly dns: DnsListeners;
  private readonly http: HttpListeners;
  private readonly external: ExternalPlugins;
  private readonly injector: Injector;
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
    const { network, clock } = runtime;
    const responder = makeResponder(options, runtime, () => this.current.stacktrace);
    this.injector = new Injector({
      runtime,
      responder,
      queryTime: options.queryTime,
      addresses: this.addresses,
      served: () => this.current.served,
    });
    if (options.memory !== undefined) showMemory(metrics, options.memory, responder);
    const { udp, sharedAnswers } = datagramsOf(options, runtime, responder);
    this.sharedAnswers = sharedAnswers;
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
      address: (scheme, address, port) => this.addresses.of(scheme, address, port),
      readDigest: () => {
        const corefile = parseCorefile(this.read(), load);
        return this.external.digest(corefile.digest(), corefile.plugins);
      },
      reload: () => this.reload(),
      fatal: (reason) => this.fatal(reason),
      refused: countRefused(runtime),
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

  /** What the running configuration keeps, for a process that takes its place. */
  handOver(): HandedOver {
    const handlers = this.current.blocks.flatMap((block) => block.handlers()).filter((handler) => handsOver(handler));
    return new Map(handlers.map((handler) => [handler.keptAs, handler.handOver()]));
  }

  /**
   * Answers a query through the whole chain without a socket; undefined when the answer is silence. Rejects with what a
   * handler throws.
   */
  inject(query: Injected, from?: InjectedFrom): Promise<Message | undefined> {
    return this.injector.inject(query, from);
  }

  /** As `inject`, with the bytes that a client would get; where a handler throws, that is SERVFAIL. */
  exchange(query: Injected, from?: InjectedFrom): Promise<Uint8Array | undefined> {
    return this.injector.exchange(query, from);
  }

  /** Asks what a client would be answered, without one: as `Injector.inspect`. */
  inspect(query: Injected, from?: InjectedFrom): Promise<Inspection> {
    return this.injector.inspect(query, from);
  }

  /** A label (`plugin/name`) that the running configuration has for a client, whatever it asks. */
  clientLabel(address: string, label: string): string | undefined {
    return this.injector.clientLabel(address, label);
  }

  private read(): CorefileSource {
    const { corefile } = this.options;
    return typeof corefile === 'string'
      ? { name: 'Corefile', text: corefile }
      : { name: corefile.name, text: corefile.read() };
  }

  private async attach(next: Configuration): Promise<void> {
    const http = await this.http.prepare(next.httpRoutes);
    let dns;
    try {
      dns = await this.dns.prepare(next.served, (address, port) => this.addresses.drawn(address, port));
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
