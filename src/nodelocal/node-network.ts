import { canonicalIp } from '../lib/cidr.js';
import { Iptables } from './iptables.js';
import type { RuleBackend } from './flags.js';
import { ensureLink, readLinks, removeLink } from './link.js';
import { Nft, nftScript, nftTable } from './nft.js';
import { listedRules, type NetworkPlan } from './plan.js';
import type { Report } from './report.js';
import type { RunCommand } from './run.js';

/**
 * Brings a node's link and rules to what a plan says, and takes them away again. Steps never overlap; faults are
 * reported and met again at the next step.
 */
export class NodeNetwork {
  private readonly families: readonly Iptables[];
  private readonly nft: Nft;
  private queue: Promise<void> = Promise.resolve();
  private cleaned = false;
  private ended = false;

  constructor(
    private readonly plan: NetworkPlan,
    private readonly backend: RuleBackend,
    interfaceName: string,
    private readonly run: RunCommand,
    private readonly report: Report,
  ) {
    this.families = ([4, 6] as const).map((family) => new Iptables(family, run, report));
    this.nft = new Nft(plan, nftTable(interfaceName), run, report);
  }

  /**
   * The link and its addresses, without which nothing can be listened at. Takes away addresses of a predecessor with
   * other flags.
   */
  setUpLink(): Promise<void> {
    return this.step(() => this.link(true));
  }

  /**
   * What is missing of rules and link. The first call also takes away rules of a predecessor that do not fit the
   * plan.
   */
  sync(): Promise<void> {
    return this.step(async () => {
      if (this.plan.rules.length > 0) await this.rules();
      await this.link(false);
    });
  }

  /**
   * Takes the rules away: from here on the node's traffic goes where it went before. No step comes after that but
   * `removeLink`.
   */
  removeRules(): Promise<void> {
    return this.last(async () => {
      if (this.plan.rules.length === 0) return;
      if (this.backend === 'nft') await this.nft.remove();
      else for (const family of this.families) await family.remove(this.plan.rules);
    });
  }

  /** Takes the link away, and with it the addresses that the server listens at. */
  removeLink(): Promise<void> {
    return this.last(async () => {
      if (this.plan.link) await removeLink(this.plan.link.name, this.run, this.report);
    });
  }

  private async rules(): Promise<void> {
    if (this.backend === 'nft') return this.nft.ensure();
    const stale = this.cleaned ? undefined : await this.staleAddresses();
    this.cleaned = true;
    for (const family of this.families) await family.ensure(this.plan.rules, stale);
  }

  /**
   * No server answers at an address that no link holds, and rules for it make queries time out. Where links cannot be
   * listed, no address is given up.
   */
  private async staleAddresses(): Promise<(address: string) => boolean> {
    try {
      const links = (await readLinks(this.run)).filter((link) => link.name !== this.plan.link?.name);
      const held = new Set(links.flatMap((link) => link.addresses));
      return (address) => canonicalIp(address) !== undefined && !held.has(address);
    } catch {
      return () => false;
    }
  }

  private async link(exclusive: boolean): Promise<void> {
    if (this.plan.link) await ensureLink(this.plan.link, this.run, this.report, exclusive);
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
export function planText(plan: NetworkPlan, backend: RuleBackend, interfaceName: string): string {
  const { link } = plan;
  const lines = link
    ? [
        `ip link add ${link.name} type dummy`,
        ...link.addresses.map((address) => `ip addr add ${address} dev ${link.name}`),
      ]
    : [];
  if (backend === 'nft')
    return `${lines.join('\n')}\n${plan.rules.length > 0 ? nftScript(plan, nftTable(interfaceName)) : ''}`;
  for (const [family, command] of [
    [4, 'iptables'],
    [6, 'ip6tables'],
  ] as const) {
    const rules = listedRules(plan, family);
    if (rules.length > 0) lines.push(`# ${command}-save`, ...rules);
  }
  return `${lines.join('\n')}\n`;
}
