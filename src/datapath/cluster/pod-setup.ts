import { parseCidr } from '../../lib/cidr.js';
import type { Random } from '../../lib/random.js';
import { isTunnel, routeMtu } from '../config.js';
import type { DatapathConfig } from '../config.js';
import { drawEndpointId } from './endpoint.js';
import type { CiliumEndpoint, Pod, PodSpec } from './endpoint.js';
import { TopologyError } from '../errors.js';
import type { PodRef } from '../events.js';
import type { IdentityAllocator } from './identity.js';
import { randomLxcName, randomMac } from '../netns/interface.js';
import type { Interface } from '../netns/interface.js';
import { addLoopback } from './interfaces.js';
import type { NetNs } from '../netns/netns.js';
import type { Node } from './node.js';

export interface EndpointInput {
  readonly spec: PodSpec;
  readonly node: Node;
  readonly ip: string;
  readonly labels: readonly string[];
  readonly identities: IdentityAllocator;
  readonly random: Random;
  readonly path: string;
}

/**
 * What the agent makes of a new pod: a number, an identity and a veth pair. Pinned values that clash are refused with
 * their field.
 */
export function buildEndpoint({ spec, node, ip, labels, identities, random, path }: EndpointInput): CiliumEndpoint {
  const ids = new Set([...node.endpoints.values()].map((pod) => pod.endpoint!.id));
  if (spec.endpointId !== undefined && ids.has(spec.endpointId))
    throw new TopologyError(`${path}.endpointId`, `endpoint ${spec.endpointId} exists on ${node.name}`);
  const device = spec.device ?? randomLxcName(random);
  if (node.netns.interface(device))
    throw new TopologyError(`${path}.device`, `${node.name} already has a device named ${device}`);
  const used = node.netns.interfaces.map((other) => other.index);
  if (spec.ifindex !== undefined && used.includes(spec.ifindex))
    throw new TopologyError(`${path}.ifindex`, `device number ${spec.ifindex} is taken on ${node.name}`);
  return {
    id: spec.endpointId ?? drawEndpointId(ids, random),
    identity:
      spec.identity === undefined
        ? identities.allocate(labels)
        : identities.pin(labels, spec.identity, `${path}.identity`),
    labels,
    ip,
    device,
    // The other end of each pair took a number too.
    ifindex: spec.ifindex ?? Math.max(...used) + 2,
    mac: spec.mac?.toLowerCase() ?? randomMac(random),
    nodeMac: spec.nodeMac?.toLowerCase() ?? randomMac(random),
  };
}

/** Puts both ends of the veth pair in place, and the routes that go with them. */
export function plugIn(netns: NetNs, node: Node, endpoint: CiliumEndpoint, config: DatapathConfig): void {
  addLoopback(netns);
  const eth0: Interface = {
    name: 'eth0',
    index: Math.max(2, endpoint.ifindex - 1),
    mac: endpoint.mac,
    mtu: config.mtu,
    addresses: [{ ip: endpoint.ip, prefixLength: endpoint.ip.includes(':') ? 128 : 32 }],
    state: 'UP',
    peer: `if${endpoint.ifindex}`,
  };
  netns.setInterface(eth0);
  const router = node.ciliumNode!.routerIp;
  const mtu = isTunnel(config) ? routeMtu(config) : undefined;
  netns.routes.add({
    destination: parseCidr('0.0.0.0/0')!,
    via: router,
    device: 'eth0',
    protocol: 'kernel',
    source: endpoint.ip,
    mtu,
  });
  netns.routes.add({ destination: parseCidr(router)!, device: 'eth0', protocol: 'kernel', scope: 'link' });
  node.netns.setInterface({
    name: endpoint.device,
    index: endpoint.ifindex,
    mac: endpoint.nodeMac,
    mtu: config.mtu,
    addresses: [],
    state: 'UP',
    peer: `if${eth0.index}`,
  });
  if (config.endpointRoutes)
    node.netns.routes.add({
      destination: parseCidr(endpoint.ip)!,
      device: endpoint.device,
      protocol: 'kernel',
      scope: 'link',
    });
}

/** Takes the node's end away, with its route. */
export function unplug(pod: Pod): void {
  const { endpoint, node } = pod;
  if (!endpoint) return;
  const device = endpoint.device;
  node.netns.routes.remove((route) => route.device === device);
  node.netns.removeInterface(device);
  node.byDevice.delete(device);
  if (node.endpoints.get(pod.ip)?.endpoint?.device === device) node.endpoints.delete(pod.ip);
}

export const refOf = (spec: PodSpec, endpoint: CiliumEndpoint): PodRef => ({
  namespace: spec.namespace,
  name: spec.name,
  node: spec.node,
  endpointId: endpoint.id,
  labels: endpoint.labels,
});
