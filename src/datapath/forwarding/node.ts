// In a circle with external-host.ts, kernel-stack.ts, pod.ts: a packet goes from any of them to any other.
import { isTunnel } from '../config.js';
import { icmpError, ipHeaderLength, ipLength } from '../packet.js';
import type { Interface } from '../netns/interface.js';
import type { Node } from '../cluster/node.js';
import type { Route } from '../netns/route.js';
import { rewrite } from './context.js';
import type { Attachment } from '../cluster/ipcache.js';
import type { PacketContext } from './context.js';
import { overlay, podInput } from './pod.js';
import { hostInput } from './external-host.js';
import { stackInput } from './kernel-stack.js';

/** Who sends what leaves a node. */
export interface EgressOrigin {
  readonly fromPod: boolean;
  /** Part of a connection that came from outside: its source must stay. */
  readonly reply: boolean;
}

/** A packet leaves by the device of a route: to a pod, into the tunnel, or over a link. */
export function egress(context: PacketContext, node: Node, route: Route, origin: EgressOrigin): void {
  const device = node.netns.interface(route.device);
  if (!device)
    return context.lose(node.name, `route to ${context.packet.dst} names device ${route.device}, which is not there`);
  const pod = node.byDevice.get(device.name);
  if (pod) {
    context.trace(node, 'from-host', { device, report: true });
    return podInput(context, pod, device);
  }
  if (device.name === 'cilium_host') return ciliumHost(context, node, device);
  if (!device.segment) return context.lose(node.name, `nothing is behind device ${device.name}`);
  translate(context, node, device, origin);
  if (!context.done) transmitTo(context, node, route);
}

/** What the stack routes to cilium_host: a pod here, or one behind the tunnel. */
function ciliumHost(context: PacketContext, node: Node, device: Interface): void {
  context.capture(node.name, node.netns, device, 'Out', device.mac, device.mac);
  context.trace(node, 'from-host', { device, report: true });
  const pod = node.endpoints.get(context.packet.dst);
  if (pod) {
    return podInput(context, pod, node.netns.interface(pod.endpoint!.device));
  }
  const remote = isTunnel(context.network.config) ? context.network.tunnelEndpoint(context.packet.dst) : undefined;
  if (remote)
    return overlay(
      context,
      node,
      remote,
      context.network.peer(context.packet.src, context.packet.sport, node).identity,
      undefined,
    );
  context.lose(node.name, `no endpoint has the address ${context.packet.dst}`);
}

/** The program at a device's egress: masquerades pods, and watches the node's own connections where it masquerades. */
function translate(context: PacketContext, node: Node, device: Interface, origin: EgressOrigin): void {
  const { masquerade, config } = context.network;
  if (config.masquerade !== 'bpf' || !masquerade.covers(device.name) || context.encapsulation) return;
  const now = node.uptime(context.time);
  const own = device.addresses[0]?.ip;
  if (origin.fromPod) {
    const facts = { podBlocks: node.podBlocks, isNodeAddress: (ip: string) => context.network.isNodeAddress(ip) };
    if (origin.reply || own === undefined || !masquerade.applies(context.packet.dst, device.name, facts)) return;
    const mapping = node.nat.translate(context.packet, own, now);
    if (!mapping) return context.drop(node, 167);
    context.packet = rewrite(context.packet, { src: mapping.toIp, sport: mapping.toPort });
    return;
  }
  // A node's connection is tracked so that no pod is given its port.
  if (context.packet.icmp?.about) return;
  const lookup = node.conntrack.lookup(context.packet, 'egress', now);
  const identity = context.network.peer(context.packet.src, context.packet.sport, node).identity;
  if (lookup.state === 'new' && !node.conntrack.create(context.packet, 'egress', now, identity))
    return context.drop(node, 155);
  context.trace(node, 'to-network', { lookup, device: { name: device.name, index: device.index } });
  const { packet } = context;
  if (
    lookup.state === 'reply' ||
    packet.icmp ||
    !node.nat.inUse(packet.protocol, packet.dst, packet.dport, packet.src, packet.sport)
  )
    return;
  const mapping = node.nat.translate(packet, packet.src, now);
  if (!mapping) return context.drop(node, 167);
  context.packet = rewrite(packet, { sport: mapping.toPort });
}

/** Puts the packet on the link of a route and lets the next machine have it. */
export function transmitTo(
  context: PacketContext,
  owner: { readonly name: string; readonly netns: Node['netns'] },
  route: Route,
): void {
  const device = owner.netns.interface(route.device)!;
  const hop = route.via ?? context.routedTo;
  const next = device.segment === undefined ? undefined : context.network.attached(device.segment, hop);
  const largest = Math.max(0, ...context.fragments.map((fragment) => fragment.length + ipHeaderLength(context.packet)));
  const size = context.fragments.length > 0 ? largest : ipLength(context.packet);
  if (!context.encapsulation && size > device.mtu) return tooBig(context, owner, device);
  context.capture(owner.name, owner.netns, device, 'Out', device.mac, next?.device.mac ?? UNKNOWN_MAC);
  if (!next)
    return context.lose(owner.name, `no host answers for ${hop} on ${device.name} (${device.segment ?? 'no link'})`);
  context.time += context.network.latency.wire;
  if ('endpoints' in next.owner) nodeInput(context, next.owner, next, device);
  else hostInput(context, next.owner, next, device);
}

/** Nobody answered ARP; captures show no frame then, but an event must carry some address. */
const UNKNOWN_MAC = '00:00:00:00:00:00';

/**
 * The next link is too narrow for a packet that must not be cut: its sender is told the size (RFC 1191), from the
 * address by which the error leaves (RFC 1812 section 4.3.2.4).
 */
function tooBig(
  context: PacketContext,
  owner: { readonly name: string; readonly netns: Node['netns'] },
  device: Interface,
): void {
  const { packet } = context;
  const { netns } = owner;
  if (!packet.icmp?.about && (netns.hasAddress(packet.src) || netns.routes.lookup(packet.src)))
    context.network.respond(netns, icmpError('frag-needed', packet, netns.sourceFor(packet.src), device.mtu));
  context.lose(owner.name, `${ipLength(packet)} bytes do not fit the ${device.mtu} of ${device.name}`);
}

/** A packet comes in by a node's network device. */
export function nodeInput(context: PacketContext, node: Node, at: Attachment, from: Interface): void {
  const { device } = at;
  context.capture(node.name, node.netns, device, 'In', from.mac, device.mac);
  context.time += context.network.latency.local;
  if (context.encapsulation && node.netns.hasAddress(context.encapsulation.dst)) return decapsulate(context, node);
  context.trace(node, 'from-network', { device, report: true });
  if (context.network.config.masquerade === 'bpf') {
    const mapping = node.nat.reverse(context.packet);
    if (mapping?.toIp === context.packet.dst)
      context.packet = rewrite(context.packet, { dst: mapping.src, dport: mapping.sport });
  }
  const pod = context.network.config.hostRouting === 'bpf' ? node.endpoints.get(context.packet.dst) : undefined;
  if (!pod) return stackInput(context, node, device.name);
  if (!context.decrementTtl()) return context.drop(node, 196);
  podInput(context, pod);
}

function decapsulate(context: PacketContext, node: Node): void {
  const type = context.encapsulation!.type;
  context.encapsulation = undefined;
  const tunnel = node.netns.interface(`cilium_${type}`);
  if (!tunnel) return context.lose(node.name, `no device for ${type} packets`);
  context.capture(node.name, node.netns, tunnel, 'In', tunnel.mac, tunnel.mac);
  context.trace(node, 'from-overlay', { device: tunnel, report: true });
  const pod = node.endpoints.get(context.packet.dst);
  if (!pod) return stackInput(context, node, tunnel.name);
  if (!context.decrementTtl()) return context.drop(node, 196);
  podInput(context, pod);
}
