import { parseCidr } from '../../lib/cidr.js';
import type { Cidr } from '../../lib/cidr.js';
import { inPrefix, isIpv4 } from '../address.js';
import type { DatapathConfig, IpMasqAgentConfig } from '../config.js';

/** What ip-masq-agent leaves alone without a list of its own: private, shared, documentation and reserved space. */
export const DEFAULT_NON_MASQUERADE = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
] as const;

const LINK_LOCAL = '169.254.0.0/16';

/**
 * The blocks of `cilium-dbg bpf ipmasq list`: the own list or the defaults, and link-local unless that is masqueraded
 * too.
 */
export function ipMasqList(agent: IpMasqAgentConfig | undefined): readonly string[] {
  if (!agent) return [];
  const list: readonly string[] = agent.nonMasqueradeCIDRs?.length ? agent.nonMasqueradeCIDRs : DEFAULT_NON_MASQUERADE;
  return agent.masqLinkLocal || list.includes(LINK_LOCAL) ? list : [...list, LINK_LOCAL];
}

export interface MasqueradeFacts {
  /** Blocks of the node's own pods. */
  readonly podBlocks: readonly Cidr[];
  /** Whether an address is a node's, by any name that Cilium knows it. */
  readonly isNodeAddress: (ip: string) => boolean;
}

/** Decides whether a pod's packet gets the node's address on its way out. Compiled once per configuration. */
export class MasqueradePolicy {
  private readonly native: Cidr | undefined;
  private readonly exempt: readonly Cidr[] | undefined;

  constructor(private readonly config: DatapathConfig) {
    this.native = config.nativeRoutingCidr === undefined ? undefined : parseCidr(config.nativeRoutingCidr);
    this.exempt = config.ipMasqAgent && ipMasqList(config.ipMasqAgent).map((text) => parseCidr(text)!);
  }

  /** Whether the device masquerades at all. */
  covers(device: string): boolean {
    return (
      this.config.masqueradeDevices.length === 0 ||
      this.config.masqueradeDevices.some((name) =>
        name.endsWith('+') ? device.startsWith(name.slice(0, -1)) : name === device,
      )
    );
  }

  /** Source translation for a pod's packet to `dst` over `device`. IPv4 only; the answer for IPv6 is no. */
  applies(dst: string, device: string, facts: MasqueradeFacts): boolean {
    if (this.config.masquerade !== 'bpf' || !isIpv4(dst) || !this.covers(device)) return false;
    if (this.native ? inPrefix(this.native, dst) : facts.podBlocks.some((block) => inPrefix(block, dst))) return false;
    if (this.exempt?.some((block) => inPrefix(block, dst))) return false;
    return !facts.isNodeAddress(dst);
  }
}
