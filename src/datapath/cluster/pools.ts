import type { DatapathConfig } from '../config.js';
import { TopologyError } from '../errors.js';
import { DEFAULT_POOL } from '../ipam/ipam.js';
import type { IpamConfig, NodeIpam } from '../ipam/ipam.js';
import type { PodSpec } from './endpoint.js';
import type { Node } from './node.js';

const POOL_ANNOTATION = 'ipam.cilium.io/ip-pool';

export interface NamespaceSpec {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** multi-pool: the pod's annotation, else the namespace's, else the default pool. Read at creation only. */
export function poolOf(spec: PodSpec, namespace: NamespaceSpec | undefined, mode: IpamConfig['mode']): string {
  if (mode !== 'multi-pool') return DEFAULT_POOL;
  return spec.annotations?.[POOL_ANNOTATION] ?? namespace?.annotations?.[POOL_ANNOTATION] ?? DEFAULT_POOL;
}

/** multi-pool does not go with tunnels or with one route for the node's block. */
export function checkIpam(ipam: IpamConfig, config: DatapathConfig): void {
  if (ipam.mode !== 'multi-pool') return;
  if (config.routing !== 'native')
    throw new TopologyError('config.routing', `multi-pool needs native routing, got ${config.routing}`);
  if (!config.endpointRoutes) throw new TopologyError('config.endpointRoutes', 'multi-pool needs endpoint routes');
  if (config.masquerade === 'iptables' && config.masqueradeDevices.length === 0)
    throw new TopologyError('config.masqueradeDevices', 'multi-pool with iptables masquerading needs its devices');
}

export const ipamsOf = (nodes: Iterable<Node>): readonly NodeIpam[] =>
  [...nodes].flatMap((node) => (node.ciliumNode ? [node.ciliumNode.ipam] : []));
