import { chooseAtSocket, maglevTable, usableBackends } from '../loadbalancer/backend-choice.js';
import { TUNNEL_PORT, isTunnel, routeMtu } from '../config.js';
import type { CtLookup } from '../conntrack/cilium.js';
import type { Pod } from '../cluster/endpoint.js';
import { LOOPBACK_MTU, isLoopback } from '../netns/netns.js';
import type { Interface } from '../netns/interface.js';
import type { NetNs } from '../netns/netns.js';
import type { Node } from '../cluster/node.js';
import { flowHash, fragmentsFor, hash32, icmpError, ipLength } from '../packet.js';
import type { Backend, Frontend } from '../loadbalancer/service.js';
import { rewrite } from './context.js';
import type { PacketContext } from './context.js';
import { egress, transmitTo } from './node.js';
import { stackInput } from './kernel-stack.js';

/**
 * Source of a pod's packet to a service that chose the pod itself: its answer must leave the pod to be translated
 * back.
 */
const LB_LOOPBACK = '169.254.42.1';

/** Inside one namespace a packet only crosses the loopback device, which a capture sees twice. */
export function loopback(context: PacketContext, place: string, netns: NetNs): void {
  const lo = netns.interface('lo');
  context.fragments = fragmentsFor(context.packet, LOOPBACK_MTU);
  if (lo) {
    context.capture(place, netns, lo, 'Out', lo.mac, lo.mac);
    context.capture(place, netns, lo, 'In', lo.mac, lo.mac);
  }
  context.deliver(place, netns);
}

/** A packet that a pod's process sends: out of its eth0, through the program on its lxc device, and on. */
export function podOutput(context: PacketContext, pod: Pod): void {
  const { node, endpoint, netns } = pod;
  if (netns.hasAddress(context.packet.dst)) return loopback(context, node.name, netns);
  const eth0 = netns.interface('eth0')!;
  context.fragments = fragmentsFor(context.packet, netns.mtuTo(context.packet.dst));
  if (!endpoint) {
    context.capture(node.name, netns, eth0, 'Out', eth0.mac, eth0.mac);
    return context.lose(
      node.name,
      `pod ${pod.spec.namespace}/${pod.spec.name} (${pod.ip}) is not managed by the agent any more`,
    );
  }
  context.network.neighbourUsed(pod);
  context.capture(node.name, netns, eth0, 'Out', endpoint.mac, endpoint.nodeMac);
  context.time += context.network.latency.local;
  const device = node.netns.interface(endpoint.device)!;
  context.capture(node.name, node.netns, device, 'In', endpoint.mac, endpoint.nodeMac);
  context.trace(node, 'from-endpoint', { device, endpointId: endpoint.id, report: true });
  const revNat = context.network.config.socketLb === 'all' ? 0 : balance(context, pod);
  if (context.done) return;
  const now = node.uptime(context.time);
  const lookup = node.conntrack.lookup(context.packet, 'egress', now);
  if (lookup.state === 'new' && !context.packet.icmp?.about) {
    const entry = node.conntrack.create(context.packet, 'egress', now, endpoint.identity, revNat);
    if (!entry) return context.drop(node, 155);
    entry.lbLoopback = context.packet.src === LB_LOOPBACK;
  }
  if (context.packet.dst === LB_LOOPBACK) podInput(context, pod);
  else forward(context, pod, lookup);
}

function forward(context: PacketContext, pod: Pod, lookup: CtLookup): void {
  const { node } = pod;
  const { dst } = context.packet;
  const endpoint = pod.endpoint!;
  const { config } = context.network;
  const device = { name: endpoint.device, index: endpoint.ifindex };
  const neighbour = node.endpoints.get(dst);
  if (neighbour) {
    if (!context.decrementTtl()) return context.drop(node, 196);
    return podInput(context, neighbour);
  }
  if (node.netns.hasAddress(dst) && !isLoopback(dst)) {
    context.trace(node, config.endpointRoutes ? 'to-stack' : 'to-host', { lookup, device, endpointId: endpoint.id });
    return stackInput(context, node, endpoint.device);
  }
  if (isTunnel(config)) {
    const remote = context.network.tunnelEndpoint(dst);
    if (remote) return overlay(context, node, remote, endpoint.identity, lookup);
  }
  if (config.hostRouting === 'legacy') {
    context.trace(node, 'to-stack', { lookup, device, endpointId: endpoint.id });
    return stackInput(context, node, endpoint.device);
  }
  const route = node.netns.routes.lookup(dst);
  if (!route) return context.drop(node, 169);
  if (!context.decrementTtl()) return context.drop(node, 196);
  const out = node.netns.interface(route.device);
  context.trace(node, 'to-network', {
    lookup,
    endpointId: endpoint.id,
    device: out && { name: out.name, index: out.index },
  });
  egress(context, node, route, { reply: lookup.state === 'reply' || lookup.state === 'related', fromPod: true });
}

/**
 * Delivery to a local pod: conntrack, reverse translation of a service reply, and the veth pair. What comes `by` the
 * node's end of that, from its IP stack, is captured there once it is translated.
 */
export function podInput(context: PacketContext, pod: Pod, by?: Interface): void {
  const { node, netns } = pod;
  const endpoint = pod.endpoint!;
  const now = node.uptime(context.time);
  const lookup = node.conntrack.lookup(context.packet, 'ingress', now);
  // A policy is for what others begin: replies to the pod pass (Cilium: policy of an endpoint, ingress).
  if (pod.denied && lookup.state !== 'reply' && lookup.state !== 'related') return context.drop(node, 133);
  if (lookup.state === 'new' && !context.packet.icmp?.about) {
    const identity = context.network.peer(context.packet.src, context.packet.sport, node).identity;
    if (!node.conntrack.create(context.packet, 'ingress', now, identity)) return context.drop(node, 155);
  }
  const originalSource = context.packet.src;
  const service =
    lookup.state === 'reply' && lookup.entry?.revNat
      ? context.network.frontendById(node, lookup.entry.revNat)
      : undefined;
  const home = context.packet.dst === LB_LOOPBACK ? { dst: pod.ip } : {};
  if (service) context.packet = rewrite(context.packet, { src: service.ip, sport: service.port, ...home });
  context.trace(node, 'to-endpoint', {
    lookup,
    device: { name: endpoint.device, index: endpoint.ifindex },
    endpointId: endpoint.id,
    originalSource,
  });
  if (by) context.capture(node.name, node.netns, by, 'Out', endpoint.nodeMac, endpoint.mac);
  context.time += context.network.latency.local;
  const eth0 = netns.interface('eth0')!;
  context.capture(node.name, netns, eth0, 'In', endpoint.nodeMac, endpoint.mac);
  context.deliver(node.name, netns);
}

/** Encapsulates for another node. The identity of the sender travels as network identifier. */
export function overlay(
  context: PacketContext,
  node: Node,
  remote: Node,
  identity: number,
  lookup: CtLookup | undefined,
): void {
  const { config } = context.network;
  const type = config.routing === 'geneve' ? 'geneve' : 'vxlan';
  const tunnel = node.netns.interface(`cilium_${type}`)!;
  if (context.fragments.length === 0 && ipLength(context.packet) > routeMtu(config))
    context.fragments = fragmentsFor(context.packet, routeMtu(config));
  if (!context.decrementTtl()) return context.drop(node, 196);
  context.trace(node, 'to-overlay', { lookup, report: true, device: { name: tunnel.name, index: tunnel.index } });
  context.capture(node.name, node.netns, tunnel, 'Out', tunnel.mac, tunnel.mac);
  // The sender's port spreads flows over paths, as RFC 7348 section 5 asks.
  const sport = 32_768 + (flowHash(context.packet) % 28_232);
  context.encapsulation = {
    type,
    src: node.internalIp,
    dst: remote.internalIp,
    sport,
    dport: TUNNEL_PORT[type],
    vni: identity,
  };
  const route = node.netns.routes.lookup(remote.internalIp);
  if (!route) return context.drop(node, 160);
  transmitTo(context, node, route);
}

/**
 * Per-packet translation of a service address on the pod's lxc device. Returns the number for the reply, 0 for none.
 */
function balance(context: PacketContext, { node, netns }: Pod): number {
  const { packet } = context;
  if (packet.protocol === 'ICMP') return 0;
  const frontend = node.frontend(packet.dst, packet.dport, packet.protocol);
  if (!frontend || frontend.redirect?.skipNetns.has(netns.id)) return 0;
  const usable = usableBackends(frontend, node.name);
  if (usable.length === 0) {
    context.network.respond(node.netns, icmpError('port-unreachable', packet, packet.dst));
    context.drop(node, 158);
    return 0;
  }
  const now = node.uptime(context.time);
  const known = node.conntrack.service(packet, now);
  let backend = known && frontend.backends.find((candidate) => candidate.id === known.backendId);
  if (!backend) {
    backend =
      node.socketLb.affinity.get(`ip:${packet.src}`, frontend, usable, now) ?? choose(context, frontend, usable);
    if (!node.conntrack.createService(packet, now, frontend.revNat, backend.id)) {
      context.drop(node, 155);
      return 0;
    }
  }
  node.socketLb.affinity.set(`ip:${packet.src}`, frontend, backend, now);
  const hairpin = backend.ip === packet.src ? { src: LB_LOOPBACK } : {};
  context.packet = rewrite(packet, { dst: backend.ip, dport: backend.port, ...hairpin });
  return frontend.revNat;
}

function choose(context: PacketContext, frontend: Frontend, usable: readonly Backend[]): Backend {
  const { config, random } = context.network;
  if (config.loadBalancing === 'random') return chooseAtSocket(usable, 'TCP', 0, random);
  let table = tables.get(frontend);
  if (!table) {
    table = maglevTable(usable, config.maglevTableSize);
    tables.set(frontend, table);
  }
  const { packet } = context;
  return usable[
    table[hash32(`${packet.src}|${packet.sport}|${packet.dst}|${packet.dport}|${packet.protocol}`) % table.length]!
  ]!;
}

/** Built when a frontend is first used; a change of backends makes another frontend object. */
const tables = new WeakMap<Frontend, Uint16Array>();
