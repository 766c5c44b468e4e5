import { formatCidr, parseCidr } from '../../lib/cidr.js';
import type { Random } from '../../lib/random.js';
import { isIpv4, requireIp } from '../address.js';
import { isTunnel, routeMtu } from '../config.js';
import type { DatapathConfig } from '../config.js';
import { TopologyError } from '../errors.js';
import { randomMac } from '../netns/interface.js';
import type { Node } from './node.js';

/** Makes the agent's devices: the pair cilium_net and cilium_host, and the tunnel. */
export function addCiliumDevices(node: Node, config: DatapathConfig, random: Random): void {
  const { netns } = node;
  const next = Math.max(...netns.interfaces.map((device) => device.index)) + 1;
  const common = { mtu: config.mtu, addresses: [], state: 'UP' as const };
  netns.setInterface({ ...common, name: 'cilium_net', index: next, mac: randomMac(random), peer: 'cilium_host' });
  netns.setInterface({ ...common, name: 'cilium_host', index: next + 1, mac: randomMac(random), peer: 'cilium_net' });
  if (isTunnel(config))
    netns.setInterface({
      ...common,
      name: `cilium_${config.routing}`,
      index: next + 2,
      mac: randomMac(random),
      state: 'UNKNOWN',
    });
}

/** Gives cilium_host its address, and the node the routes to its own pods that endpoint routes do not cover. */
export function setRouterAddress(node: Node, config: DatapathConfig): void {
  const { netns, ciliumNode } = node;
  const host = netns.interface('cilium_host')!;
  const routerIp = ciliumNode?.routerIp;
  netns.setInterface({ ...host, addresses: routerIp === undefined ? [] : [{ ip: routerIp, prefixLength: 32 }] });
  netns.routes.remove((route) => route.device === 'cilium_host');
  if (routerIp === undefined || config.endpointRoutes) return;
  netns.routes.add({ destination: parseCidr(routerIp)!, device: 'cilium_host', protocol: 'kernel', scope: 'link' });
  for (const block of node.podBlocks)
    netns.routes.add({
      destination: block,
      via: routerIp,
      device: 'cilium_host',
      protocol: 'kernel',
      source: routerIp,
    });
}

/** Brings the routes from one node to another's blocks up to date: over a shared link, or into the tunnel. */
export function routeTo(from: Node, to: Node, config: DatapathConfig): void {
  if (from === to) return;
  const wanted = new Set(to.podBlocks.map(formatCidr));
  const mine = (known: string): boolean => from.peerRoutes.get(known) === to.name;
  for (const known of [...from.peerRoutes.keys()].filter(mine)) {
    if (wanted.has(known)) continue;
    from.peerRoutes.delete(known);
    from.netns.routes.remove(
      (route) => route.protocol === 'kernel' && formatCidr(route.destination) === known && route.scope === undefined,
    );
  }
  for (const block of to.podBlocks) {
    const route = isTunnel(config)
      ? tunnelRoute(from, config)
      : config.autoDirectNodeRoutes
        ? directRoute(from, to)
        : undefined;
    if (!route) continue;
    from.netns.routes.add({ ...route, destination: block, protocol: 'kernel' });
    from.peerRoutes.set(formatCidr(block), to.name);
  }
}

function tunnelRoute(from: Node, config: DatapathConfig) {
  const via = from.ciliumNode?.routerIp;
  return via === undefined ? undefined : { via, device: 'cilium_host', source: via, mtu: routeMtu(config) };
}

/** A direct route needs both nodes on one link; others are left to the network's own routers. */
function directRoute(from: Node, to: Node) {
  const target = to.netns.ownerOf(to.internalIp);
  const device = from.netns.interfaces.find(
    (candidate) => candidate.segment !== undefined && candidate.segment === target?.segment,
  );
  return device && { via: to.internalIp, device: device.name };
}

/** Adds a device that leads nowhere and only carries addresses. Throws a TopologyError when the name is taken. */
export function addDummyDevice(node: Node, name: string, addresses: readonly string[], random: Random): void {
  const { netns } = node;
  if (netns.interface(name)) throw new TopologyError(`${node.name}.${name}`, 'the device exists');
  const index = Math.max(...netns.interfaces.map((device) => device.index)) + 1;
  const own = addresses.map((text, i) => {
    const ip = requireIp(text, `${node.name}.${name}.addresses[${i}]`);
    return { ip, prefixLength: isIpv4(ip) ? 32 : 128 };
  });
  netns.setInterface({ name, index, mac: randomMac(random), mtu: 1500, addresses: own, state: 'UNKNOWN' });
}
