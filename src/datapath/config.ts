import type { Octets, Seconds } from '../lib/units.js';
import { requireCidr } from './address.js';
import { TopologyError } from './errors.js';

/**
 * Monitor aggregation, in rising order: from `lowest` on no from-* points, from `medium` on only new states, new TCP
 * flags and the interval.
 */
export type Aggregation = 'none' | 'lowest' | 'low' | 'medium' | 'maximum';
export const AGGREGATION_LEVEL: Record<Aggregation, number> = { none: 0, lowest: 1, low: 2, medium: 3, maximum: 4 };

/** Cilium's and the kernel's settings that decide what happens to a packet. Names follow the agent's options. */
export interface DatapathConfig {
  readonly clusterName: string;
  readonly routing: 'native' | 'vxlan' | 'geneve';
  readonly autoDirectNodeRoutes: boolean;
  /** One host route for each local pod instead of one route for the node's block. */
  readonly endpointRoutes: boolean;
  /** `legacy` sends pod traffic through the node's IP stack, as iptables masquerading needs. */
  readonly hostRouting: 'bpf' | 'legacy';
  /**
   * `host-only` is socketLB.hostNamespaceOnly: pods get per-packet translation; `off`: host processes too are left to
   * kube-proxy.
   */
  readonly socketLb: 'all' | 'host-only' | 'off';
  /** Choice of a backend per packet. The socket hook always chooses at random (TCP) or by socket cookie (UDP). */
  readonly loadBalancing: 'random' | 'maglev';
  /** Slots of a Maglev table; a prime. */
  readonly maglevTableSize: number;
  readonly masquerade: 'bpf' | 'iptables' | 'off';
  /** Devices whose egress is masqueraded. Empty: all that carry a segment. */
  readonly masqueradeDevices: readonly string[];
  /** ipv4-native-routing-cidr. undefined: the node's own pod blocks. */
  readonly nativeRoutingCidr?: string;
  readonly ipMasqAgent?: IpMasqAgentConfig;
  readonly installNoConntrackRules: boolean;
  readonly kubeProxy: boolean;
  /** kube-proxy's --cluster-cidr; undefined leaves out the rule that marks foreign sources. */
  readonly kubeProxyClusterCidr?: string;
  readonly aggregation: Aggregation;
  /** Report at least once per interval while packets flow. */
  readonly reportInterval: Seconds;
  /** TCP flags that count as news: Helm installs with `all`, the agent's own default is syn, fin and rst. */
  readonly monitorFlags: 'all' | 'syn-fin-rst';
  readonly mtu: Octets;
  readonly ctTcpMax: number;
  readonly ctAnyMax: number;
  /** The maps are LRU hashes, so a full one gives up its oldest entry; `fail` drops the new flow with reason 155. */
  readonly ctWhenFull: 'evict' | 'fail';
  readonly natMax: number;
  readonly sockRevNatMax: number;
  /** nf_conntrack_max of each node. */
  readonly kernelConntrackMax: number;
  /**
   * Lets the oldest unassured entry make room in a full table. The kernel looks in 8 buckets, so whether it finds one
   * is chance.
   */
  readonly kernelEarlyDrop: boolean;
  /** Pods ask for their router's hardware address again while they use it, which captures show as ARP. */
  readonly neighbourProbes: boolean;
  /**
   * Refuse, and tell of, a redirect of a backend to itself. Real Cilium runs it: the packet comes back to the pod
   * that sent it.
   */
  readonly loopGuard: boolean;
}

/**
 * The ConfigMap of ip-masq-agent: `nonMasqueradeCIDRs` replaces the defaults; link-local is left alone unless
 * `masqLinkLocal`.
 */
export interface IpMasqAgentConfig {
  readonly nonMasqueradeCIDRs?: readonly string[];
  readonly masqLinkLocal?: boolean;
}

export const defaultConfig: DatapathConfig = {
  clusterName: 'default',
  routing: 'native',
  autoDirectNodeRoutes: true,
  endpointRoutes: true,
  hostRouting: 'bpf',
  socketLb: 'all',
  loadBalancing: 'random',
  maglevTableSize: 16_381,
  masquerade: 'bpf',
  masqueradeDevices: [],
  installNoConntrackRules: false,
  kubeProxy: false,
  aggregation: 'medium',
  reportInterval: 5,
  monitorFlags: 'all',
  mtu: 1500,
  ctTcpMax: 524_288,
  ctAnyMax: 262_144,
  ctWhenFull: 'evict',
  natMax: 524_288,
  sockRevNatMax: 262_144,
  kernelConntrackMax: 262_144,
  kernelEarlyDrop: false,
  neighbourProbes: false,
  loopGuard: true,
};

const choices: { [Key in keyof DatapathConfig]?: readonly string[] } = {
  routing: ['native', 'vxlan', 'geneve'],
  hostRouting: ['bpf', 'legacy'],
  socketLb: ['all', 'host-only', 'off'],
  loadBalancing: ['random', 'maglev'],
  masquerade: ['bpf', 'iptables', 'off'],
  aggregation: ['none', 'lowest', 'low', 'medium', 'maximum'],
  monitorFlags: ['all', 'syn-fin-rst'],
  ctWhenFull: ['evict', 'fail'],
};

const sizes = [
  'maglevTableSize',
  'mtu',
  'ctTcpMax',
  'ctAnyMax',
  'natMax',
  'sockRevNatMax',
  'kernelConntrackMax',
] as const;
/** Smallest MTU every IPv4 link must carry (RFC 791 section 3.2). */
const MIN_MTU: Octets = 68;

/** Fills in defaults and checks each setting. Throws a TopologyError that names the field. */
export function resolveConfig(given: Partial<DatapathConfig> = {}, path = 'config'): DatapathConfig {
  const config = { ...defaultConfig, ...given };
  for (const key of Object.keys(choices) as (keyof DatapathConfig)[]) {
    const allowed = choices[key]!;
    const value = config[key] as string;
    if (!allowed.includes(value))
      throw new TopologyError(`${path}.${key}`, `got "${value}", want one of ${allowed.join(', ')}`);
  }
  for (const key of sizes) {
    if (!Number.isInteger(config[key]) || config[key] < 1)
      throw new TopologyError(`${path}.${key}`, `got ${config[key]}, want a whole number above 0`);
  }
  if (config.mtu < MIN_MTU) throw new TopologyError(`${path}.mtu`, `got ${config.mtu}, want at least ${MIN_MTU}`);
  if (!(config.reportInterval >= 0))
    throw new TopologyError(`${path}.reportInterval`, `got ${config.reportInterval}, want 0 or more seconds`);
  if (!isPrime(config.maglevTableSize))
    throw new TopologyError(`${path}.maglevTableSize`, `got ${config.maglevTableSize}, want a prime`);
  if (config.masquerade === 'iptables' && config.hostRouting === 'bpf') {
    throw new TopologyError(
      `${path}.hostRouting`,
      'iptables masquerading needs "legacy", for BPF routing passes netfilter by',
    );
  }
  if (config.nativeRoutingCidr !== undefined) requireCidr(config.nativeRoutingCidr, `${path}.nativeRoutingCidr`);
  if (config.kubeProxyClusterCidr !== undefined)
    requireCidr(config.kubeProxyClusterCidr, `${path}.kubeProxyClusterCidr`);
  config.ipMasqAgent?.nonMasqueradeCIDRs?.forEach((cidr, i) =>
    requireCidr(cidr, `${path}.ipMasqAgent.nonMasqueradeCIDRs[${i}]`),
  );
  return config;
}

function isPrime(value: number): boolean {
  for (let i = 2; i * i <= value; i++) if (value % i === 0) return false;
  return value > 1;
}

/** Bytes that a tunnel adds to each packet: outer IPv4 and UDP header, tunnel header, inner Ethernet header. */
export const TUNNEL_OVERHEAD: Octets = 20 + 8 + 8 + 14;
export const TUNNEL_PORT = { vxlan: 8472, geneve: 6081 } as const;

export const isTunnel = (config: DatapathConfig): boolean => config.routing !== 'native';

/** MTU of the route inside a pod: the devices keep the base MTU, the route leaves room for the tunnel. */
export const routeMtu = (config: DatapathConfig): Octets =>
  isTunnel(config) ? config.mtu - TUNNEL_OVERHEAD : config.mtu;
