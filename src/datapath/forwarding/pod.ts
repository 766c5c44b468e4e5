import { chooseAtSocket, maglevTable, usableBackends } from '../loadbalancer/backend-choice.js';
import { TUNNEL_PORT, isTunnel, routeMtu } from '../config.js';
import type { CtLookup } from '../conntrack/cilium.js';
import type { Pod } from '../cluster/endpoint.js';
import { LOOPBACK_MTU, isLoopback } from '../netns/netns.js';
import type { NetNs } from '../netns/netns.js';
import type { Node } from '../cluster/node.js';
import { flowHash, fragmentsFor, hash32, ipLength } from '../packet.js';
import type { Backend, Frontend } from '../loadbalancer/service.js';
import { rewrite, unreachable } from './context.js';
import type { Walk } from './context.js';
import { egress, transmitTo } from './node.js';
import { stackInput } from './kernel-stack.js';

/**
 * Source of a pod's packet to a service that chose the pod itself: its answer must leave the pod to be translated
 * back.
 */
const LB_LOOPBACK = '169.254.42.1';

/** Inside one namespace a packet only crosses the loopback device, which a capture sees twice. */
export function loopback(walk: Walk, place: string, netns: NetNs): void {
  const lo = netns.interface('lo');
  walk.fragments = fragmentsFor(walk.packet, LOOPBACK_MTU);
  if (lo) {
    walk.capture(place, netns, lo, 'Out', lo.mac, lo.mac);
    walk.capture(place, netns, lo, 'In', lo.mac, lo.mac);
  }
  walk.arrive(place, netns);
}

/** A packet that a pod's process sends: out of its eth0, through the program on its lxc device, and on. */
export function podOutput(walk: Walk, pod: Pod): void {
  const { node, endpoint, netns } = pod;
  if (netns.hasAddress(walk.packet.dst)) return loopback(walk, node.name, netns);
  const eth0 = netns.interface('eth0')!;
  walk.fragments = fragmentsFor(walk.packet, netns.mtuTo(walk.packet.dst));
  if (!endpoint) {
    walk.capture(node.name, netns, eth0, 'Out', eth0.mac, eth0.mac);
    return walk.lose(
      node.name,
      `pod ${pod.spec.namespace}/${pod.spec.name} (${pod.ip}) is not managed by the agent any more`,
    );
  }
  walk.fabric.neighbourUsed(pod);
  walk.capture(node.name, netns, eth0, 'Out', endpoint.mac, endpoint.nodeMac);
  walk.time += walk.fabric.latency.local;
  const device = node.netns.interface(endpoint.device)!;
  walk.capture(node.name, node.netns, device, 'In', endpoint.mac, endpoint.nodeMac);
  walk.trace(node, 'from-endpoint', { device, endpointId: endpoint.id, report: true });
  const revNat = walk.fabric.config.socketLb === 'all' ? 0 : balance(walk, pod);
  if (walk.done) return;
  const now = node.uptime(walk.time);
  const lookup = node.conntrack.lookup(walk.packet, 'egress', now);
  if (lookup.state === 'new' && !walk.packet.icmp?.about) {
    const entry = node.conntrack.create(walk.packet, 'egress', now, endpoint.identity, revNat);
    if (!entry) return walk.drop(node, 155);
    entry.lbLoopback = walk.packet.src === LB_LOOPBACK;
  }
  if (walk.packet.dst === LB_LOOPBACK) podInput(walk, pod);
  else forward(walk, pod, lookup);
}

function forward(walk: Walk, pod: Pod, lookup: CtLookup): void {
  const { node } = pod;
  const { dst } = walk.packet;
  const endpoint = pod.endpoint!;
  const { config } = walk.fabric;
  const device = { name: endpoint.device, index: endpoint.ifindex };
  const neighbour = node.endpoints.get(dst);
  if (neighbour) {
    if (!walk.decrementTtl()) return walk.drop(node, 196);
    return podInput(walk, neighbour);
  }
  if (node.netns.hasAddress(dst) && !isLoopback(dst)) {
    walk.trace(node, config.endpointRoutes ? 'to-stack' : 'to-host', { lookup, device, endpointId: endpoint.id });
    return stackInput(walk, node, endpoint.device);
  }
  if (isTunnel(config)) {
    const remote = walk.fabric.tunnelEndpoint(dst);
    if (remote) return overlay(walk, node, remote, endpoint.identity, lookup);
  }
  if (config.hostRouting === 'legacy') {
    walk.trace(node, 'to-stack', { lookup, device, endpointId: endpoint.id });
    return stackInput(walk, node, endpoint.device);
  }
  const route = node.netns.routes.lookup(dst);
  if (!route) return walk.drop(node, 169);
  if (!walk.decrementTtl()) return walk.drop(node, 196);
  const out = node.netns.interface(route.device);
  walk.trace(node, 'to-network', {
    lookup,
    endpointId: endpoint.id,
    device: out && { name: out.name, index: out.index },
  });
  egress(walk, node, route, { reply: lookup.state === 'reply' || lookup.state === 'related', fromPod: true });
}

/** Delivery to a local pod: conntrack, reverse translation of a service reply, and the veth pair. */
export function podInput(walk: Walk, pod: Pod): void {
  const { node, netns } = pod;
  const endpoint = pod.endpoint!;
  const now = node.uptime(walk.time);
  const lookup = node.conntrack.lookup(walk.packet, 'ingress', now);
  if (lookup.state === 'new' && !walk.packet.icmp?.about) {
    const identity = walk.fabric.peer(walk.packet.src, walk.packet.sport, node).identity;
    if (!node.conntrack.create(walk.packet, 'ingress', now, identity)) return walk.drop(node, 155);
  }
  const originalSource = walk.packet.src;
  const service =
    lookup.state === 'reply' && lookup.entry?.revNat ? walk.fabric.frontendById(node, lookup.entry.revNat) : undefined;
  const home = walk.packet.dst === LB_LOOPBACK ? { dst: pod.ip } : {};
  if (service) walk.packet = rewrite(walk.packet, { src: service.ip, sport: service.port, ...home });
  walk.trace(node, 'to-endpoint', {
    lookup,
    device: { name: endpoint.device, index: endpoint.ifindex },
    endpointId: endpoint.id,
    originalSource,
  });
  walk.time += walk.fabric.latency.local;
  const eth0 = netns.interface('eth0')!;
  walk.capture(node.name, netns, eth0, 'In', endpoint.nodeMac, endpoint.mac);
  walk.arrive(node.name, netns);
}

/** Encapsulates for another node. The identity of the sender travels as network identifier. */
export function overlay(walk: Walk, node: Node, remote: Node, identity: number, lookup: CtLookup | undefined): void {
  const { config } = walk.fabric;
  const type = config.routing === 'geneve' ? 'geneve' : 'vxlan';
  const tunnel = node.netns.interface(`cilium_${type}`)!;
  if (walk.fragments.length === 0 && ipLength(walk.packet) > routeMtu(config))
    walk.fragments = fragmentsFor(walk.packet, routeMtu(config));
  if (!walk.decrementTtl()) return walk.drop(node, 196);
  walk.trace(node, 'to-overlay', { lookup, report: true, device: { name: tunnel.name, index: tunnel.index } });
  walk.capture(node.name, node.netns, tunnel, 'Out', tunnel.mac, tunnel.mac);
  // The sender's port spreads flows over paths, as RFC 7348 section 5 asks.
  const sport = 32_768 + (flowHash(walk.packet) % 28_232);
  walk.encapsulation = {
    type,
    src: node.internalIp,
    dst: remote.internalIp,
    sport,
    dport: TUNNEL_PORT[type],
    vni: identity,
  };
  const route = node.netns.routes.lookup(remote.internalIp);
  if (!route) return walk.drop(node, 160);
  transmitTo(walk, node, route);
}

/**
 * Per-packet translation of a service address on the pod's lxc device. Returns the number for the reply, 0 for none.
 */
function balance(walk: Walk, { node, netns }: Pod): number {
  const { packet } = walk;
  if (packet.protocol === 'ICMP') return 0;
  const frontend = node.frontend(packet.dst, packet.dport, packet.protocol);
  if (!frontend || frontend.redirect?.skipNetns.has(netns.id)) return 0;
  const usable = usableBackends(frontend, node.name);
  if (usable.length === 0) {
    walk.fabric.respond(node.netns, unreachable(packet, packet.dst));
    walk.drop(node, 158);
    return 0;
  }
  const now = node.uptime(walk.time);
  const known = node.conntrack.service(packet, now);
  let backend = known && frontend.backends.find((candidate) => candidate.id === known.backendId);
  if (!backend) {
    backend = node.socketLb.affinity.get(`ip:${packet.src}`, frontend, usable, now) ?? choose(walk, frontend, usable);
    if (!node.conntrack.createService(packet, now, frontend.revNat, backend.id)) {
      walk.drop(node, 155);
      return 0;
    }
  }
  node.socketLb.affinity.set(`ip:${packet.src}`, frontend, backend, now);
  const hairpin = backend.ip === packet.src ? { src: LB_LOOPBACK } : {};
  walk.packet = rewrite(packet, { dst: backend.ip, dport: backend.port, ...hairpin });
  return frontend.revNat;
}

function choose(walk: Walk, frontend: Frontend, usable: readonly Backend[]): Backend {
  const { config, random } = walk.fabric;
  if (config.loadBalancing === 'random') return chooseAtSocket(usable, 'TCP', 0, random);
  let table = tables.get(frontend);
  if (!table) {
    table = maglevTable(usable, config.maglevTableSize);
    tables.set(frontend, table);
  }
  const { packet } = walk;
  return usable[
    table[hash32(`${packet.src}|${packet.sport}|${packet.dst}|${packet.dport}|${packet.protocol}`) % table.length]!
  ]!;
}

/** Built when a frontend is first used; a change of backends makes another frontend object. */
const tables = new WeakMap<Frontend, Uint16Array>();
