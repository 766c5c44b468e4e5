import type { Duplex } from 'node:stream';
import type { Runtime, SessionUpstream } from '../../chain/index.js';
import { TlsClient, Upstream } from '../../exchange/index.js';
import { hostPort } from '../../lib/cidr.js';
import { descriptorLimit } from '../../lib/descriptor-limit.js';
import type { Milliseconds } from '../../lib/units.js';
import type { Endpoint } from '../../net/network.js';
import { HealthCheck } from './health-check.js';
import type { UpstreamMetrics } from './metrics.js';
import type { ForwardOptions } from './options.js';
import type { UpstreamTarget } from './targets.js';

/** Ports for one query each may take this part of the descriptors at an upstream, and so many at least. */
const PORTS_PART = 8;
const LEAST_PORTS = 16;

/** One upstream of a directive: how to reach it, and whether that makes sense at the moment. */
export class Proxy implements SessionUpstream {
  readonly upstream: Upstream;
  /** Everything goes over TLS, perhaps over HTTPS. */
  readonly secure: boolean;
  readonly https: boolean;
  /** `IP:PORT` or `[IPV6]:PORT`. */
  readonly address: string;
  readonly endpoint: Endpoint;
  /** A connection of its own, beside those for queries. */
  readonly connect: (signal: AbortSignal) => Promise<Duplex>;
  /** Never begun where any number of failures is allowed. */
  private readonly check: HealthCheck;
  private readonly maxFails: number;

  /** Throws when the TLS settings cannot be used. */
  constructor(
    target: UpstreamTarget,
    options: ForwardOptions,
    readonly metrics: UpstreamMetrics,
    runtime: Runtime,
  ) {
    const serverName = target.serverName ?? options.tlsServerName;
    const protocol = target.https ? 'h2' : undefined;
    const tls = target.tls ? new TlsClient({ ...options.tls, serverName, protocol }) : undefined;
    const https = target.https
      ? { method: options.dohMethod, authority: hostPort(serverName ?? target.to.address, target.to.port) }
      : undefined;
    this.secure = target.tls;
    this.https = target.https;
    this.address = target.label;
    this.endpoint = target.to;
    this.maxFails = options.maxFails;
    const to = { ...target.to, from: options.source };
    this.connect = async (signal) => {
      const { stream } = await runtime.network.connectTcp(to, signal);
      return tls === undefined ? stream : tls.secure(stream, to.address, signal);
    };
    this.upstream = new Upstream({
      network: runtime.network,
      clock: runtime.clock,
      random: runtime.random,
      to,
      tls,
      https,
      reuse: metrics,
      mixedCase: options.mixedCase,
      cookies: options.cookies,
      limits: {
        expire: options.expire,
        maxIdle: options.maxIdle,
        maxAge: options.maxAge,
        maxPorts: Math.max(LEAST_PORTS, Math.floor(descriptorLimit() / PORTS_PART)),
      },
    });
    this.check = new HealthCheck({
      runtime,
      to,
      tls,
      https,
      transport: options.forceTcp ? 'tcp' : 'udp',
      interval: options.checkInterval,
      recursion: options.checkRecursion,
      name: options.checkName,
      onAlive: () => this.upstream.heard(runtime.clock.monotonic()),
      onFailed: () => metrics.healthCheckFailed(),
    });
  }

  get label(): string {
    return this.address;
  }

  /** More health checks failed in a row than allowed, and nothing else came from it since the last was sent. */
  get down(): boolean {
    const { check, maxFails } = this;
    return check.fails > maxFails && this.upstream.lastHeard < check.failedFrom;
  }

  /** Whether nothing speaks for it since `since`: neither answers, of which enough were waited for, nor health checks. */
  isGone(since: Milliseconds, now: Milliseconds, unhurried: boolean): boolean {
    return this.down || this.upstream.isGone(since, now, this.check.finding(now), unhurried);
  }

  /** What a successor in another process goes on with. */
  get known(): { readonly fails: number; readonly silent: boolean; readonly roundTrip: readonly number[] } {
    return { fails: this.check.fails, silent: this.upstream.isSilent, roundTrip: this.upstream.roundTrip };
  }

  goOn({ fails, silent, roundTrip }: Proxy['known'], now: Milliseconds): void {
    this.upstream.goOn(roundTrip, silent, now);
    if (fails > 0 && this.maxFails > 0) this.check.goOn(fails);
  }

  /** How long its replies take on average; undefined before the first. */
  get latency(): Milliseconds | undefined {
    return this.upstream.latency;
  }

  /** A query failed here or waits too long: finds out whether that is the upstream's fault. */
  suspect(): void {
    if (this.maxFails > 0) this.check.start();
  }

  /** Whether a query should be entrusted to it now. Asking may use up the chance to try a silent upstream. */
  admits(now: Milliseconds): boolean {
    return !this.down && this.upstream.admits(now);
  }

  stop(): void {
    this.check.stop();
    this.upstream.close();
  }
}
