// In a circle with external-host.ts, kernel-stack.ts, pod.ts: a packet goes from any of them to any other.
import { isTunnel } from '../config.js';
import { ipHeaderLength, ipLength } from '../packet.js';
import type { Interface } from '../netns/interface.js';
import type { Node } from '../cluster/node.js';
import type { Route } from '../netns/route.js';
import { rewrite } from './context.js';
import type { Attachment } from '../cluster/ipcache.js';
import type { Walk } from './context.js';
import { overlay, podInput } from './pod.js';
import { hostInput } from './external-host.js';
import { stackInput } from './kernel-stack.js';

/** Who sends what leaves a node. */
export interface Origin {
  readonly fromPod: boolean;
  /** Part of a connection that came from outside: its source must stay. */
  readonly reply: boolean;
}

/** A packet leaves by the device of a route: to a pod, into the tunnel, or over a link. */
export function egress(walk: Walk, node: Node, route: Route, origin: Origin): void {
  const device = node.netns.interface(route.device);
  if (!device)
    return walk.lose(node.name, `route to ${walk.packet.dst} names device ${route.device}, which is not there`);
  const pod = node.byDevice.get(device.name);
  if (pod) {
    walk.trace(node, 'from-host', { device, report: true });
    walk.capture(node.name, node.netns, device, 'Out', pod.endpoint!.nodeMac, pod.endpoint!.mac);
    return podInput(walk, pod);
  }
  if (device.name === 'cilium_host') return ciliumHost(walk, node, device);
  if (!device.segment) return walk.lose(node.name, `nothing is behind device ${device.name}`);
  translate(walk, node, device, origin);
  if (!walk.done) transmitTo(walk, node, route);
}

/** What the stack routes to cilium_host: a pod here, or one behind the tunnel. */
function ciliumHost(walk: Walk, node: Node, device: Interface): void {
  walk.capture(node.name, node.netns, device, 'Out', device.mac, device.mac);
  walk.trace(node, 'from-host', { device, report: true });
  const pod = node.endpoints.get(walk.packet.dst);
  if (pod) {
    const lxc = node.netns.interface(pod.endpoint!.device)!;
    walk.capture(node.name, node.netns, lxc, 'Out', pod.endpoint!.nodeMac, pod.endpoint!.mac);
    return podInput(walk, pod);
  }
  const remote = isTunnel(walk.fabric.config) ? walk.fabric.tunnelEndpoint(walk.packet.dst) : undefined;
  if (remote) return overlay(walk, node, remote, walk.fabric.peer(walk.packet.src, 0, node).identity, undefined);
  walk.lose(node.name, `no endpoint has the address ${walk.packet.dst}`);
}

/** The program at a device's egress: masquerades pods, and watches the node's own connections where it masquerades. */
function translate(walk: Walk, node: Node, device: Interface, origin: Origin): void {
  const { masquerade, config } = walk.fabric;
  if (config.masquerade !== 'bpf' || !masquerade.covers(device.name) || walk.encapsulation) return;
  const now = node.uptime(walk.time);
  const own = device.addresses[0]?.ip;
  if (origin.fromPod) {
    const facts = { podBlocks: node.podBlocks, isNodeAddress: (ip: string) => walk.fabric.isNodeAddress(ip) };
    if (origin.reply || own === undefined || !masquerade.applies(walk.packet.dst, device.name, facts)) return;
    const mapping = node.nat.translate(walk.packet, own, now);
    if (!mapping) return walk.drop(node, 167);
    walk.packet = rewrite(walk.packet, { src: mapping.toIp, sport: mapping.toPort });
    return;
  }
  // A node's connection is tracked so that no pod is given its port.
  if (walk.packet.icmp?.about) return;
  const lookup = node.conntrack.lookup(walk.packet, 'egress', now);
  const identity = walk.fabric.peer(walk.packet.src, 0, node).identity;
  if (lookup.state === 'new' && !node.conntrack.create(walk.packet, 'egress', now, identity))
    return walk.drop(node, 155);
  walk.trace(node, 'to-network', { lookup, device: { name: device.name, index: device.index } });
  const { packet } = walk;
  if (
    lookup.state === 'reply' ||
    packet.icmp ||
    !node.nat.inUse(packet.protocol, packet.dst, packet.dport, packet.src, packet.sport)
  )
    return;
  const mapping = node.nat.translate(packet, packet.src, now);
  if (!mapping) return walk.drop(node, 167);
  walk.packet = rewrite(packet, { sport: mapping.toPort });
}

/** Puts the packet on the link of a route and lets the next machine have it. */
export function transmitTo(
  walk: Walk,
  owner: { readonly name: string; readonly netns: Node['netns'] },
  route: Route,
): void {
  const device = owner.netns.interface(route.device)!;
  const hop = route.via ?? walk.routedTo;
  const next = device.segment === undefined ? undefined : walk.fabric.attached(device.segment, hop);
  const largest = Math.max(0, ...walk.fragments.map((fragment) => fragment.length + ipHeaderLength(walk.packet)));
  const size = walk.fragments.length > 0 ? largest : ipLength(walk.packet);
  if (!walk.encapsulation && size > device.mtu) return tooBig(walk, owner, device);
  walk.capture(owner.name, owner.netns, device, 'Out', device.mac, next?.device.mac ?? UNKNOWN_MAC);
  if (!next)
    return walk.lose(owner.name, `no host answers for ${hop} on ${device.name} (${device.segment ?? 'no link'})`);
  walk.time += walk.fabric.latency.wire;
  if ('endpoints' in next.owner) nodeInput(walk, next.owner, next, device);
  else hostInput(walk, next.owner, next, device);
}

/** Nobody answered ARP; captures show no frame then, but an event must carry some address. */
const UNKNOWN_MAC = '00:00:00:00:00:00';

/** The next link is too narrow for a packet that must not be cut: its sender is told the size (RFC 1191). */
function tooBig(walk: Walk, owner: { readonly name: string; readonly netns: Node['netns'] }, device: Interface): void {
  const { packet } = walk;
  const src = device.addresses[0]?.ip;
  if (src !== undefined && !packet.icmp?.about) {
    walk.fabric.respond(owner.netns, {
      protocol: 'ICMP',
      src,
      dst: packet.src,
      sport: 0,
      dport: 0,
      icmp: { kind: 'frag-needed', id: 0, seq: 0, about: packet, mtu: device.mtu },
      payload: new Uint8Array(0),
    });
  }
  walk.lose(owner.name, `${ipLength(packet)} octets do not fit the ${device.mtu} of ${device.name}`);
}

/** A packet comes in by a node's network device. */
export function nodeInput(walk: Walk, node: Node, at: Attachment, from: Interface): void {
  const { device } = at;
  walk.capture(node.name, node.netns, device, 'In', from.mac, device.mac);
  walk.time += walk.fabric.latency.local;
  if (walk.encapsulation && node.netns.hasAddress(walk.encapsulation.dst)) return decapsulate(walk, node);
  walk.trace(node, 'from-network', { device, report: true });
  if (walk.fabric.config.masquerade === 'bpf') {
    const mapping = node.nat.reverse(walk.packet);
    if (mapping?.toIp === walk.packet.dst)
      walk.packet = rewrite(walk.packet, { dst: mapping.src, dport: mapping.sport });
  }
  const pod = walk.fabric.config.hostRouting === 'bpf' ? node.endpoints.get(walk.packet.dst) : undefined;
  if (!pod) return stackInput(walk, node, device.name);
  if (!walk.decrementTtl()) return walk.drop(node, 196);
  podInput(walk, pod);
}

function decapsulate(walk: Walk, node: Node): void {
  const type = walk.encapsulation!.type;
  walk.encapsulation = undefined;
  const tunnel = node.netns.interface(`cilium_${type}`);
  if (!tunnel) return walk.lose(node.name, `no device for ${type} packets`);
  walk.capture(node.name, node.netns, tunnel, 'In', tunnel.mac, tunnel.mac);
  walk.trace(node, 'from-overlay', { device: tunnel, report: true });
  const pod = node.endpoints.get(walk.packet.dst);
  if (!pod) return stackInput(walk, node, tunnel.name);
  if (!walk.decrementTtl()) return walk.drop(node, 196);
  podInput(walk, pod);
}
