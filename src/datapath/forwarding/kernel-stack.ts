import { isIpv4 } from '../address.js';
import type { KernelMatch } from '../conntrack/kernel.js';
import type { HookName, RuleResult, TableName } from '../netfilter/tables.js';
import type { PacketFacts } from '../netfilter/rule.js';
import type { Node } from '../cluster/node.js';
import { fragmentsFor, icmpError, ipLength } from '../packet.js';
import { rewrite } from './context.js';
import type { PacketContext } from './context.js';
import { egress } from './node.js';
import { loopback } from './pod.js';

/** What the kernel knows of the packet on its way through the hooks. */
interface Passage {
  readonly match: KernelMatch | undefined;
  readonly inDevice: string;
}

/** A packet enters a node's IP stack from a device: PREROUTING, then INPUT or FORWARD and POSTROUTING. */
export function stackInput(context: PacketContext, node: Node, inDevice: string): void {
  const passage = begin(context, node, 'PREROUTING', inDevice);
  if (!passage) return;
  if (node.netns.hasAddress(context.packet.dst)) return localInput(context, node, passage);
  const route = node.netns.routes.lookup(context.packet.dst);
  if (!route) return context.lose(node.name, `${node.name} has no route to ${context.packet.dst}`);
  if (!context.decrementTtl()) return context.lose(node.name, 'time to live exceeded');
  if (!filter(context, node, 'FORWARD', passage, route.device)) return;
  const fromPod = node.byDevice.has(inDevice);
  if (!leave(context, node, passage, route.device)) return;
  egress(context, node, route, { fromPod, reply: passage.match?.reply ?? false });
}

/** A packet that a process in the node's namespace sends: OUTPUT, POSTROUTING, then the device. */
export function stackOutput(context: PacketContext, node: Node): void {
  const first = node.netns.routes.lookup(context.packet.dst);
  const outDevice = node.netns.hasAddress(context.packet.dst) ? 'lo' : (first?.device ?? '');
  context.fragments = fragmentsFor(context.packet, node.netns.mtuTo(context.packet.dst));
  const passage = begin(context, node, 'OUTPUT', '', outDevice);
  if (!passage || !filter(context, node, 'OUTPUT', passage, outDevice)) return;
  if (node.netns.hasAddress(context.packet.dst)) {
    if (!leave(context, node, passage, 'lo')) return;
    if (filter(context, node, 'INPUT', { ...passage, inDevice: 'lo' }, '')) loopback(context, node.name, node.netns);
    return;
  }
  // Translation may have changed where the packet goes.
  const route = node.netns.routes.lookup(context.packet.dst);
  if (!route) return context.lose(node.name, `${node.name} has no route to ${context.packet.dst}`);
  if (leave(context, node, passage, route.device))
    egress(context, node, route, { fromPod: false, reply: passage.match?.reply ?? false });
}

/** raw, conntrack and the destination half of nat. undefined when the packet ended there. */
function begin(
  context: PacketContext,
  node: Node,
  hook: 'PREROUTING' | 'OUTPUT',
  inDevice: string,
  outDevice = '',
): Passage | undefined {
  const raw = run(context, node, 'raw', hook, { match: undefined, inDevice }, outDevice, 'NEW');
  if (raw.notrack) return { match: undefined, inDevice };
  const match = node.kernel.track(context.packet, node.uptime(context.time));
  if (!match) {
    context.network.emit(context.time, node.name, {
      kind: 'kernel',
      text: 'nf_conntrack: nf_conntrack: table full, dropping packet',
    });
    context.lose(node.name, 'nf_conntrack table is full');
    return undefined;
  }
  const passage = { match, inDevice };
  if (match.isNew) {
    const nat = run(context, node, 'nat', hook, passage, outDevice);
    if (nat.destination) node.kernel.translateDestination(match.entry, nat.destination.ip, nat.destination.port);
  }
  const { entry } = match;
  const target = match.reply
    ? { dst: entry.original.src, dport: entry.original.sport }
    : { dst: entry.reply.src, dport: entry.reply.sport };
  if (target.dst !== context.packet.dst || (!context.packet.icmp && target.dport !== context.packet.dport))
    context.packet = rewrite(context.packet, context.packet.icmp ? { dst: target.dst } : target);
  return passage;
}

function localInput(context: PacketContext, node: Node, passage: Passage): void {
  if (!filter(context, node, 'INPUT', passage, '')) return;
  if (!settle(context, node, passage)) return;
  context.deliver(node.name, node.netns);
}

/** The filter table; false when it ended the packet. */
function filter(
  context: PacketContext,
  node: Node,
  hook: 'INPUT' | 'FORWARD' | 'OUTPUT',
  passage: Passage,
  outDevice: string,
): boolean {
  const { verdict } = run(context, node, 'filter', hook, passage, outDevice);
  if (verdict === 'accept') return true;
  if (verdict === 'reject' && !context.packet.icmp) refuse(context, node);
  context.lose(node.name, `netfilter ${hook} ${verdict === 'drop' ? 'dropped' : 'rejected'} the packet`);
  return false;
}

/** Answers in place of where the packet goes, or in the node's own name where that is another machine. */
function refuse({ packet, network }: PacketContext, { netns }: Node): void {
  if (!netns.hasAddress(packet.src) && !netns.routes.lookup(packet.src)) return;
  const src = netns.hasAddress(packet.dst) ? packet.dst : netns.sourceFor(packet.src);
  network.respond(netns, icmpError('port-unreachable', packet, src));
}

/** The source half of nat, and confirmation. False when the packet ended there. */
function leave(context: PacketContext, node: Node, passage: Passage, outDevice: string): boolean {
  const { match } = passage;
  if (match?.isNew) {
    const nat = run(context, node, 'nat', 'POSTROUTING', passage, outDevice);
    const own = nat.masquerade && node.netns.addressFor(outDevice, isIpv4(context.packet.dst));
    const choice = { random: context.network.random, draw: nat.masquerade?.randomFully ?? false };
    if (own !== undefined && !node.kernel.translateSource(match.entry, own, choice)) {
      context.lose(node.name, `no port of ${own} is free for masquerading`);
      return false;
    }
  }
  return settle(context, node, passage);
}

/** Applies the source translation and confirms the entry. */
function settle(context: PacketContext, node: Node, { match }: Passage): boolean {
  if (!match) return true;
  const { entry } = match;
  const source = match.reply
    ? { src: entry.original.dst, sport: entry.original.dport }
    : { src: entry.reply.dst, sport: entry.reply.dport };
  const before = context.packet;
  // An ICMP error keeps its own sender unless that is the translated host.
  const translated = match.reply
    ? entry.reply.src !== entry.original.dst || entry.reply.sport !== entry.original.dport
    : entry.reply.dst !== entry.original.src || entry.reply.dport !== entry.original.sport;
  if (translated) context.packet = rewrite(before, before.icmp ? { src: source.src } : source);
  if (node.kernel.confirm(match, before, node.uptime(context.time))) return true;
  context.lose(node.name, 'another connection took the same addresses and ports (conntrack insert_failed)');
  return false;
}

function run(
  context: PacketContext,
  node: Node,
  table: TableName,
  hook: HookName,
  passage: Passage,
  outDevice: string,
  state?: PacketFacts['state'],
): RuleResult {
  const { packet } = context;
  const facts: PacketFacts = {
    src: packet.src,
    dst: packet.dst,
    protocol: packet.protocol,
    sport: packet.sport,
    dport: packet.dport,
    inDevice: passage.inDevice,
    outDevice,
    mark: context.mark,
    state:
      state ??
      (passage.match === undefined
        ? 'UNTRACKED'
        : packet.icmp?.about
          ? 'RELATED'
          : passage.match.isNew
            ? 'NEW'
            : 'ESTABLISHED'),
    bytes: ipLength(packet),
    localDestination: node.netns.hasAddress(packet.dst),
  };
  const result = node.netfilter.evaluate(table, hook, facts, context.network.random);
  context.mark = result.mark;
  return result;
}
