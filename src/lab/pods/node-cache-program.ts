import { ensureRules, placedRules, removeRules } from '../../datapath/netfilter/node-cache-rules.js';
import { NodensError } from '../../lib/errors.js';
import { canonicalIp } from '../../lib/cidr.js';
import { repeat } from '../../lib/clock.js';
import type { Timer } from '../../lib/clock.js';
import type { Milliseconds } from '../../lib/units.js';
import { renderCorefile, serviceVariable } from '../../nodelocal/corefile-template.js';
import { parseNodeCacheFlags } from '../../nodelocal/flags.js';
import type { NodeCacheOptions } from '../../nodelocal/flags.js';
import { NO_KUBE_DNS_CONFIG } from '../../nodelocal/kube-dns-config.js';
import { describeRule, networkPlan } from '../../nodelocal/plan.js';
import { DnsProgram } from './dns-program.js';
import type { ProgramEnv } from './program.js';

/** Pause between two looks at the template. */
const CONFIG_PERIOD: Milliseconds = 10_000;

/** A node cache: renders its Corefile from the template, and puts its link and rules on the modelled node. */
export class NodeCacheProgram extends DnsProgram {
  override readonly kind = 'node-cache';
  private readonly options: NodeCacheOptions;
  /** What the Corefile was written from. */
  private template: string | undefined;
  private following: Timer | undefined;

  /** Throws a NodeCacheFlagError or FlagError for arguments that cannot be used. */
  constructor(env: ProgramEnv, args: readonly string[]) {
    const options = parseNodeCacheFlags(args);
    super(env, options.corefile);
    this.options = options;
  }

  override async start(): Promise<void> {
    const { env, options } = this;
    env.log.write(`[INFO] Starting node-cache image\n[INFO] Using Corefile ${options.corefile}\n`);
    this.render();
    this.setUp();
    await super.start();
    this.following = repeat(env.clock, CONFIG_PERIOD, () => {
      if (env.files.read(options.baseCorefile) !== this.template) this.renderAgain();
    });
  }

  /** Writes the Corefile from its template. Throws where there is none; the reason is in the log. */
  private render(): void {
    const { env, options } = this;
    const template = env.files.read(options.baseCorefile);
    this.template = template;
    if (template === undefined) {
      env.log.write(`[ERROR] Failed to read node-cache coreFile ${options.baseCorefile}: no such file\n`);
      throw new NodensError('NODENS_LAB', `cannot read ${options.baseCorefile}: no such file`);
    }
    const rendered = renderCorefile(template, {
      localIps: options.localIps,
      dnsPort: options.dnsPort,
      clusterDns: canonicalIp(env.env[serviceVariable(options.upstreamService)] ?? ''),
      domain: env.env['CLUSTER_DOMAIN'] ?? 'cluster.local',
      prometheus: options.prometheusAddress,
      kubeDns: NO_KUBE_DNS_CONFIG,
      autopath: options.autopath ? { node: options.nodeName } : undefined,
    });
    for (const warning of rendered.warnings) env.log.write(`[WARNING] ${warning}\n`);
    env.files.write(options.corefile, rendered.text);
    env.log.write(`[INFO] Updated Corefile with 0 custom stubdomains and upstream servers ${rendered.upstreams}\n`);
  }

  /**
   * The template has changed: the server's `reload` finds what is written here. What cannot be used leaves the
   * Corefile as it is.
   */
  private renderAgain(): void {
    try {
      this.render();
    } catch {
      // Told in the log.
    }
  }

  protected override async close(): Promise<void> {
    this.following?.cancel();
    await super.close();
  }

  override async stop(): Promise<void> {
    await super.stop();
    if (!this.options.skipTeardown) this.tearDown();
  }

  private setUp(): void {
    const { env, options } = this;
    const { link, rules } = networkPlan(options);
    const { node } = env.pod;
    if (link && !node.netns.interface(link.name)) {
      env.world.addDummy(
        node.name,
        link.name,
        link.addresses.map((address) => address.replace(/\/\d+$/, '')),
      );
      env.log.write(`[INFO] Added interface - ${link.name}\n`);
    }
    if (rules.length === 0) return;
    ensureRules(node.netfilter, placedRules(options.localIps, options.healthPort, options.dnsPort));
    for (const rule of rules) env.log.write(`[INFO] Added back nodelocaldns rule - ${describeRule(rule)}\n`);
  }

  private tearDown(): void {
    const { env, options } = this;
    const { link, rules } = networkPlan(options);
    const { node } = env.pod;
    if (link) env.world.removeDummy(node.name, link.name);
    if (rules.length > 0)
      removeRules(node.netfilter, placedRules(options.localIps, options.healthPort, options.dnsPort));
  }
}
