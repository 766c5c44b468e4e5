import type { IpamConfig } from '../../datapath/ipam/ipam.js';
import type { DatapathConfig } from '../../datapath/config.js';
import type { Node } from '../../datapath/cluster/node.js';
import type { World } from '../../datapath/world.js';
import { formatCidr } from '../../lib/cidr.js';

/** Width of the names in `cilium status`, colon included. */
const LABEL = 25;
/** Width of the names in `cilium config view`. */
const KEY = 50;

/** Lines of `cilium-dbg status` on a node that tell how packets are treated. */
export function statusLines(world: World, node: Node): string[] {
  const { config } = world;
  const blocks = [...(node.ciliumNode?.ipam.blocks.values() ?? [])].flat();
  const ipam = blocks
    .map((block) => `${block.inUse}/${block.capacity} allocated from ${formatCidr(block.cidr)}`)
    .join(', ');
  const lines: readonly (readonly [string, string])[] = [
    [
      'KubeProxyReplacement',
      config.socketLb === 'off'
        ? 'False'
        : `True   [${egressDevices(node, config)
            .map((name) => `${name}   ${node.netns.interface(name)!.addresses[0]?.ip ?? ''}`)
            .join(', ')}]`,
    ],
    ['IPAM', `IPv4: ${ipam},`],
    [
      'Routing',
      `Network: ${config.routing === 'native' ? 'Native' : `Tunnel [${config.routing}]`}   ` +
        `Host: ${config.hostRouting === 'bpf' ? 'BPF' : 'Legacy'}`,
    ],
    ['Masquerading', masquerading(node, config)],
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(LABEL)}${value}`);
}

function egressDevices(node: Node, config: DatapathConfig): string[] {
  const all = node.netns.interfaces.filter((device) => device.segment !== undefined).map((device) => device.name);
  if (config.masqueradeDevices.length === 0) return all;
  return all.filter((name) =>
    config.masqueradeDevices.some((given) =>
      given.endsWith('+') ? name.startsWith(given.slice(0, -1)) : given === name,
    ),
  );
}

function masquerading(node: Node, config: DatapathConfig): string {
  if (config.masquerade === 'off') return 'Disabled';
  const families = '[IPv4: Enabled, IPv6: Disabled]';
  if (config.masquerade === 'iptables') return `IPTables ${families}`;
  const agent = config.ipMasqAgent ? ' (ip-masq-agent)' : '';
  const cidr = config.nativeRoutingCidr ?? node.podBlocks.map(formatCidr).join(',');
  return `BPF${agent}   [${egressDevices(node, config).join(', ')}]   ${cidr} ${families}`;
}

/** `cilium config view`: the settings of the model under their names in the ConfigMap, by name. */
export function configView(config: DatapathConfig, ipam: IpamConfig): string[] {
  const entries: Record<string, string | undefined> = {
    'auto-direct-node-routes': String(config.autoDirectNodeRoutes),
    'bpf-lb-algorithm': config.loadBalancing,
    'bpf-lb-sock-hostns-only': String(config.socketLb === 'host-only'),
    'cluster-name': config.clusterName,
    'cluster-pool-ipv4-cidr': ipam.mode === 'cluster-pool' ? (ipam.clusterPoolCidrs ?? []).join(' ') : undefined,
    'enable-bpf-masquerade': String(config.masquerade === 'bpf'),
    'enable-endpoint-routes': String(config.endpointRoutes),
    'enable-host-legacy-routing': String(config.hostRouting === 'legacy'),
    'enable-ip-masq-agent': config.ipMasqAgent ? 'true' : undefined,
    'enable-ipv4-masquerade': String(config.masquerade !== 'off'),
    'install-no-conntrack-iptables-rules': String(config.installNoConntrackRules),
    ipam: ipam.mode,
    'ipv4-native-routing-cidr': config.nativeRoutingCidr,
    'kube-proxy-replacement': String(config.socketLb !== 'off'),
    'monitor-aggregation': config.aggregation,
    'monitor-aggregation-flags': config.monitorFlags === 'all' ? 'all' : 'syn,fin,rst',
    'monitor-aggregation-interval': `${config.reportInterval}s`,
    'routing-mode': config.routing === 'native' ? 'native' : 'tunnel',
    'tunnel-protocol': config.routing === 'native' ? undefined : config.routing,
  };
  return Object.keys(entries)
    .sort()
    .flatMap((key) => (entries[key] === undefined ? [] : [`${key.padEnd(KEY)}${entries[key]}`]));
}
