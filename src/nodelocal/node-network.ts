import { canonicalIp } from '../lib/cidr.js';
import { Iptables, type IsStale } from './iptables.js';
import { hostIptables } from './iptables-mode.js';
import type { NodeCacheOptions } from './flags.js';
import { addLinkArgs, ensureLink, readLinks, removeLink } from './link.js';
import { OtherInstances, type PlacesOfOthers } from './other-instances.js';
import { Nft, nftScript, nftTable } from './nft.js';
import { listedRules, networkPlan, type NetworkPlan } from './plan.js';
import type { Report } from './report.js';
import type { RunCommand } from './run.js';

/** What of a node's network changes things, and what tells of those who share it. */
export interface NetworkTools {
  readonly run: RunCommand;
  readonly report: Report;
  readonly placesOfOthers: PlacesOfOthers;
}

/**
 * Brings a node's link and rules to what a plan says, and takes them away again. Steps never overlap; faults are
 * reported and met again at the next step.
 */
export class NodeNetwork {
  private readonly plan: NetworkPlan;
  private readonly instances: OtherInstances;
  private readonly nft: Nft;
  /** By address family; made when it is known which iptables the host uses. */
  private families: readonly Iptables[] | undefined;
  private queue: Promise<void> = Promise.resolve();
  private cleaned = false;
  private ended = false;

  constructor(
    private readonly options: NodeCacheOptions,
    private readonly tools: NetworkTools,
  ) {
    this.plan = networkPlan(options);
    this.instances = new OtherInstances(tools.placesOfOthers);
    this.nft = new Nft(this.plan, nftTable(options.interfaceName), tools.run, tools.report);
  }

  /** Whether another process serves DNS at some of the addresses: what is there is its as well. */
  get isShared(): boolean {
    return this.instances.serve(this.options.localIps, this.options.dnsPort);
  }

  /**
   * The link and its addresses, without which nothing can be listened at. Takes away addresses of a predecessor with
   * other flags, at which nobody listens any more.
   */
  setUpLink(): Promise<void> {
    return this.step(() => this.link((address) => !this.instances.at(address)));
  }

  /**
   * What is missing of rules and link. The first call also takes away rules of a predecessor that do not fit the
   * plan.
   */
  sync(): Promise<void> {
    return this.step(() => this.ensure());
  }

  /**
   * Takes the rules away: from here on the node's traffic goes where it went before. No step comes after that but
   * `removeLink` and `putBack`.
   */
  removeRules(): Promise<void> {
    return this.last(async () => {
      if (this.plan.rules.length === 0) return;
      if (this.options.backend === 'nft') return this.nft.remove();
      for (const family of await this.iptables())
        await family.remove(this.plan.rules, (address, port) => this.isPlanned(address) && !this.isServed(port));
    });
  }

  /** Takes the link away, and with it the addresses that the server listens at. */
  removeLink(): Promise<void> {
    return this.last(async () => {
      if (this.plan.link) await removeLink(this.plan.link, this.tools.run, this.tools.report);
    });
  }

  /** Puts in place again what was taken away while another process began to rely on it. */
  putBack(): Promise<void> {
    return this.last(() => this.ensure());
  }

  private async ensure(): Promise<void> {
    if (this.plan.rules.length > 0) await this.rules();
    await this.link();
  }

  private async rules(): Promise<void> {
    if (this.options.backend === 'nft') return this.nft.ensure();
    const stale = this.cleaned ? undefined : await this.staleRules();
    this.cleaned = true;
    for (const family of await this.iptables()) await family.ensure(this.plan.rules, stale);
  }

  private async iptables(): Promise<readonly Iptables[]> {
    if (this.families) return this.families;
    const { run, report } = this.tools;
    const { iptablesMode } = this.options;
    const mode = iptablesMode === 'auto' ? await hostIptables(run, report) : iptablesMode;
    return (this.families = ([4, 6] as const).map((family) => new Iptables(family, mode, run, report)));
  }

  /**
   * Rules that a predecessor left: for a served address and a port that neither we nor anybody else serves at it, and
   * for an address that no link holds, where rules make queries time out. Where links cannot be listed, no other
   * address is given up.
   */
  private async staleRules(): Promise<IsStale> {
    const ports = new Set(this.plan.rules.map(({ port }) => port));
    const held = await this.heldElsewhere();
    return (address, port) =>
      this.isPlanned(address)
        ? !ports.has(port) && !this.isServed(port)
        : held !== undefined && !held.has(address) && !this.instances.at(address);
  }

  /** Addresses that other links of the node hold. */
  private async heldElsewhere(): Promise<ReadonlySet<string> | undefined> {
    try {
      const links = (await readLinks(this.tools.run)).filter((link) => link.name !== this.plan.link?.name);
      return new Set(links.flatMap((link) => link.addresses));
    } catch {
      return undefined;
    }
  }

  private isPlanned(address: string): boolean {
    return this.options.localIps.some((ip) => canonicalIp(ip) === address);
  }

  private isServed(port: number): boolean {
    return this.instances.serve(this.options.localIps, port);
  }

  private async link(stale?: (address: string) => boolean): Promise<void> {
    if (this.plan.link) await ensureLink(this.plan.link, this.tools.run, this.tools.report, stale);
  }

  private step(work: () => Promise<void>): Promise<void> {
    return (this.queue = this.queue.then(() => (this.ended ? undefined : work())));
  }

  private last(work: () => Promise<void>): Promise<void> {
    this.ended = true;
    return (this.queue = this.queue.then(work));
  }
}

/** The plan in the words of the tools that carry it out: what `-dry-run` prints. */
export function planText(options: NodeCacheOptions): string {
  const plan = networkPlan(options);
  const { link } = plan;
  const lines = link
    ? [
        `ip ${addLinkArgs(link.name).join(' ')}`,
        ...link.addresses.map((address) => `ip addr add ${address} dev ${link.name}`),
      ]
    : [];
  if (options.backend === 'nft')
    return `${lines.join('\n')}\n${plan.rules.length > 0 ? nftScript(plan, nftTable(options.interfaceName)) : ''}`;
  for (const [family, command] of [
    [4, 'iptables'],
    [6, 'ip6tables'],
  ] as const) {
    const rules = listedRules(plan, family);
    if (rules.length > 0) lines.push(`# ${command}-save`, ...rules);
  }
  return `${lines.join('\n')}\n`;
}
