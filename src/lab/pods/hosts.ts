import type { ExternalHost } from '../../datapath/cluster/external-host.js';
import type { World } from '../../datapath/world.js';
import type { Clock } from '../../lib/clock.js';
import type { Random } from '../../lib/random.js';
import type { Network } from '../../net/network.js';
import { PLUGINS } from '../../server/directives.js';
import { textLog } from '../../server/log.js';
import { Server } from '../../server/server.js';
import { LabNetwork } from '../network/lab-network.js';
import { GO_SERVER } from '../network/syscall-profile.js';
import type { LabHost } from '../topology/topology.js';
import { SplitNetwork } from './pausable-network.js';
import { farAway, recursive } from './outside-network.js';
import { PodLog } from './pod-log.js';
import type { Tracer } from '../trace/tracer.js';
import { WebProgram, apache } from './web-program.js';

/** The real machine, as names outside are asked from it. */
export interface RealUpstream {
  readonly network: Network;
  /** File that names its resolvers. */
  readonly resolvConf: string;
}

export interface HostsOptions {
  readonly world: World;
  readonly clock: Clock;
  readonly random: Random;
  readonly tracer: Tracer;
  readonly upstream?: RealUpstream;
}

/** What a resolver of the lab serves that asks the real machine's own. */
const upstreamCorefile = ({ resolvConf }: RealUpstream): string =>
  `. {\n    forward . ${resolvConf}\n    cache 30\n    errors\n}\n`;

/** A host outside the cluster with what it has written. */
export interface RunningHost {
  readonly name: string;
  readonly model: ExternalHost;
  readonly log: PodLog;
  /** Text of its Corefile; undefined where it serves no DNS. */
  readonly corefile: string | undefined;
}

/** The machines around the cluster and the servers on them. */
export class ExternalHosts {
  private readonly running: RunningHost[] = [];
  private readonly stops: (() => Promise<void>)[] = [];

  constructor(private readonly options: HostsOptions) {}

  list(): readonly RunningHost[] {
    return this.running;
  }

  async start(hosts: readonly LabHost[]): Promise<void> {
    const { world } = this.options;
    const started = hosts.map(async (host) => {
      const model = world.addHost(host);
      const log = new PodLog(this.options.clock);
      this.running.push({
        name: host.name,
        model,
        log,
        corefile: host.corefile === undefined ? undefined : this.corefileOf(host, host.corefile),
      });
      const network = new LabNetwork(model.process, { habits: GO_SERVER });
      if (host.corefile !== undefined) await this.startDns(host, network, host.corefile, log);
      if (host.web !== undefined) {
        const web = new WebProgram(network, apache(host.web, this.options.clock));
        await web.start();
        this.stops.push(() => web.stop());
      }
    });
    await Promise.all(started);
  }

  async stop(): Promise<void> {
    await Promise.all(this.stops.map((stop) => stop()));
  }

  /**
   * Hosts marked `upstream` have another Corefile when the real machine's network is available.
   */
  private corefileOf(host: LabHost, corefile: string): string {
    return this.options.upstream !== undefined && host.upstream ? upstreamCorefile(this.options.upstream) : corefile;
  }

  private async startDns(host: LabHost, network: Network, corefile: string, log: PodLog): Promise<void> {
    const { upstream, clock, random, tracer } = this.options;
    const real = host.upstream ? upstream : undefined;
    const server = await Server.create({
      corefile: { name: `corefile of ${host.name}`, read: () => this.corefileOf(host, corefile) },
      network: real ? new SplitNetwork(network, real.network) : farAway(network, clock, host.delay),
      clock,
      random,
      env: {},
      log: textLog({ write: (line) => log.write(line) }),
      plugins: tracer.wrap([recursive, ...PLUGINS], host.name),
    });
    await server.listen();
    this.stops.push(() => server.stop());
  }
}
