import path from 'node:path';
import { canonicalIp } from '../lib/cidr.js';
import { repeat, type Clock, type Timer } from '../lib/clock.js';
import type { Logger } from '../lib/log.js';
import type { Milliseconds } from '../lib/units.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Network } from '../net/network.js';
import { metricsAnswer, type HttpRoute } from '../chain/index.js';
import { HttpListeners } from '../server/http.js';
import { renderCorefile, serviceVariable } from './corefile-template.js';
import type { NodeCacheOptions } from './flags.js';
import { WatchedFolder, type Folder, type NodeCacheFiles } from './folder.js';
import { NO_KUBE_DNS_CONFIG, parseKubeDnsConfig, type KubeDnsConfig } from './kube-dns-config.js';
import { setupErrors } from './metrics.js';
import type { PlacesOfOthers } from './other-instances.js';
import { NodeNetwork } from './node-network.js';
import { Report } from './report.js';
import type { RunCommand } from './run.js';

/** Pause between two looks at the configuration's folders. */
const CONFIG_PERIOD: Milliseconds = 10_000;
/** Where the addon mounts the kube-dns ConfigMap. */
const KUBE_DNS_FOLDER = '/etc/kube-dns';

/** What a node cache needs of its host. */
export interface NodeCacheHost {
  readonly clock: Clock;
  readonly network: Network;
  readonly metrics: Metrics;
  readonly run: RunCommand;
  readonly placesOfOthers: PlacesOfOthers;
  /** Whether another process serves at the very sockets of this one; never without it. */
  readonly isShared?: () => boolean;
  readonly files: NodeCacheFiles;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The own process: its id, and sending it the signal by which anybody would have it reload. */
  readonly self: { readonly pid: number; signalReload(): void };
  /** For lines up to the start of the server. */
  readonly startLog: Logger;
  /** For lines from then on. */
  readonly log: Logger;
}

/**
 * What a node cache does beside serving DNS: renders its Corefile and follows what that is made from, keeps link and
 * rules in place, serves its metrics.
 * In order: `prepare`, start a server from the Corefile, `serving`, `closing`, stop the server, `end`.
 */
export class NodeCache {
  private readonly network: NodeNetwork;
  private readonly http: HttpListeners;
  private readonly base: WatchedFolder;
  private readonly kubeDns: WatchedFolder | undefined;
  private readonly clusterDns: string | undefined;
  /** Changes hands when the server starts. */
  private readonly log: SwitchedLog;
  private readonly report: Report;
  private config: KubeDnsConfig = NO_KUBE_DNS_CONFIG;
  private syncTimer: Timer | undefined;
  private served = false;
  private closed = false;
  private handedOver = false;

  constructor(
    private readonly options: NodeCacheOptions,
    private readonly host: NodeCacheHost,
  ) {
    this.log = new SwitchedLog(host.startLog);
    this.report = new Report(this.log, setupErrors(host.metrics));
    const { run, placesOfOthers } = host;
    this.network = new NodeNetwork(options, { run, placesOfOthers, report: this.report });
    this.http = new HttpListeners(host.network, host.clock);
    this.base = new WatchedFolder(host.files, path.dirname(options.baseCorefile));
    const folder =
      options.kubeDnsFolder !== ''
        ? options.kubeDnsFolder
        : host.files.exists(KUBE_DNS_FOLDER)
          ? KUBE_DNS_FOLDER
          : undefined;
    this.kubeDns = folder === undefined ? undefined : new WatchedFolder(host.files, folder);
    this.clusterDns = canonicalIp(host.env[serviceVariable(options.upstreamService)] ?? '');
  }

  /**
   * Does what has to be done before a server can start: Corefile and link. Faults are reported, and met again later.
   */
  async prepare(): Promise<void> {
    const { options, host } = this;
    this.log.info(`Using Corefile ${options.corefile}`);
    this.log.info(`Using Pidfile ${options.pidfile}`);
    if (this.clusterDns === undefined) {
      const variable = serviceVariable(options.upstreamService);
      this.log.warning(
        `Unable to lookup IP address of Upstream service ${options.upstreamService}, env $${variable} \`${host.env[variable] ?? ''}\``,
      );
    }
    await this.serveMetrics();
    this.loadKubeDns();
    this.writeCorefile();
    if (!this.kubeDns) this.log.info('Skipping kube-dns configmap sync as no directory was specified');
    try {
      this.base.read();
    } catch (error) {
      this.configFault(
        `Failed to sync node-local-dns config directory ${this.base.path}, err: ${(error as Error).message}`,
      );
    }
    await this.network.setUpLink();
  }

  /**
   * Called when the server takes queries: sets the rules, and follows all that may change. `reload` puts a new
   * Corefile to use.
   */
  async serving(reload: () => void): Promise<void> {
    const { clock, log } = this.host;
    this.served = true;
    this.log.use(log);
    const load = this.options.reloadWithSignal ? () => this.reloadBySignal() : reload;
    const again = (): void => {
      if (this.writeCorefile()) load();
    };
    this.base.watch(clock, CONFIG_PERIOD, again, (error) =>
      this.configFault(`Error loading config from ${this.base.path}: ${error.message}`),
    );
    this.kubeDns?.watch(
      clock,
      CONFIG_PERIOD,
      (folder) => this.takeKubeDns(folder) && again(),
      (error) => this.configFault(`Error loading config from ${this.kubeDns!.path}: ${error.message}`),
    );
    await this.network.sync();
    if (!this.closed) this.syncTimer = repeat(clock, this.options.syncInterval, () => void this.network.sync());
  }

  /** Called before the server stops: queries go elsewhere from here on, and those under way are still answered. */
  async closing(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.syncTimer?.cancel();
    this.base.close();
    this.kubeDns?.close();
    if (this.keepsNetwork) return;
    if (this.network.isShared) return this.log.info('Another process serves at -localip: link and rules stay');
    this.log.info('Tearing down');
    await this.network.removeRules();
  }

  /**
   * Called at the end of the process, in whatever way it comes about, when it listens no more: leaves nothing behind,
   * unless that was asked for, or others rely on it. Of several that end at once, the last one finds nobody.
   */
  async end(): Promise<void> {
    await this.closing();
    this.http.closeAll();
    if (this.keepsNetwork || this.network.isShared) return;
    // Once more: another one that ended meanwhile may have just put them back.
    await this.network.removeRules();
    await this.network.removeLink();
    // One that has just begun found everything in place.
    if (this.network.isShared) await this.network.putBack();
  }

  /** From here on link and rules belong to another process, which serves now. */
  handOver(): void {
    this.handedOver = true;
  }

  /** What never served has taken nothing over: what is there may be another's. */
  private get keepsNetwork(): boolean {
    return this.options.skipTeardown || this.handedOver || !this.served || this.host.isShared?.() === true;
  }

  private reloadBySignal(): void {
    const { self } = this.host;
    this.log.info(`Sending reload signal to PID ${self.pid}`);
    self.signalReload();
  }

  private async serveMetrics(): Promise<void> {
    const answer: HttpRoute['answer'] = (request) => metricsAnswer(this.host.metrics, request);
    try {
      (
        await this.http.prepare([{ ...this.options.metricsAddress, path: '/metrics', owner: 'node-cache', answer }])
      ).commit();
    } catch (error) {
      this.log.error(`Failed to start metrics handler: ${(error as Error).message}`);
    }
  }

  private loadKubeDns(): void {
    if (!this.kubeDns) return;
    try {
      this.takeKubeDns(this.kubeDns.read());
    } catch (error) {
      this.configFault(
        `Failed to sync kube-dns config directory ${this.kubeDns.path}, err: ${(error as Error).message}`,
      );
    }
  }

  /** Whether the ConfigMap could be used; if not, the one before stays. */
  private takeKubeDns(folder: Folder): boolean {
    try {
      this.config = parseKubeDnsConfig(folder);
      return true;
    } catch (error) {
      this.configFault(`Invalid config: ${(error as Error).message}`);
      return false;
    }
  }

  /** Whether a new Corefile was written. */
  private writeCorefile(): boolean {
    const { options, host, config } = this;
    let template;
    try {
      template = host.files.read(options.baseCorefile);
    } catch (error) {
      return this.configFault(
        `Failed to read node-cache coreFile ${options.baseCorefile} - ${(error as Error).message}`,
      );
    }
    const rendered = renderCorefile(template, {
      localIps: options.localIps,
      dnsPort: options.dnsPort,
      clusterDns: this.clusterDns,
      domain: host.env.CLUSTER_DOMAIN ?? 'cluster.local',
      prometheus: options.prometheusAddress,
      kubeDns: config,
      autopath: options.autopath ? { node: options.nodeName } : undefined,
    });
    for (const warning of rendered.warnings) this.log.warning(warning);
    try {
      host.files.write(options.corefile, rendered.text);
    } catch (error) {
      return this.configFault(`Failed to write config file ${options.corefile} - err ${(error as Error).message}`);
    }
    this.log.info(
      `Updated Corefile with ${config.stubDomains.size} custom stubdomains and upstream servers ${rendered.upstreams}`,
    );
    this.log.info(`Using config file:\n${rendered.text}`);
    return true;
  }

  private configFault(line: string): false {
    this.report.error('configmap', line);
    return false;
  }
}

/** Lines go to one log first, to another one later. */
class SwitchedLog implements Logger {
  constructor(private log: Logger) {}

  use(log: Logger): void {
    this.log = log;
  }

  debug = (line: string): void => this.log.debug(line);
  info = (line: string): void => this.log.info(line);
  warning = (line: string): void => this.log.warning(line);
  error = (line: string): void => this.log.error(line);
}
