import type { KernelMatch } from '../conntrack/kernel.js';
import type { HookName, RuleResult, TableName } from '../netfilter/tables.js';
import type { PacketFacts } from '../netfilter/rule.js';
import type { Node } from '../cluster/node.js';
import { fragmentsFor, ipLength } from '../packet.js';
import { rewrite, unreachable } from './context.js';
import type { Walk } from './context.js';
import { egress } from './node.js';
import { loopback } from './pod.js';

/** What the kernel knows of the packet on its way through the hooks. */
interface Passage {
  readonly match: KernelMatch | undefined;
  readonly inDevice: string;
}

/** A packet enters a node's IP stack from a device: PREROUTING, then INPUT or FORWARD and POSTROUTING. */
export function stackInput(walk: Walk, node: Node, inDevice: string): void {
  const passage = begin(walk, node, 'PREROUTING', inDevice);
  if (!passage) return;
  if (node.netns.hasAddress(walk.packet.dst)) return localInput(walk, node, passage);
  const route = node.netns.routes.lookup(walk.packet.dst);
  if (!route) return walk.lose(node.name, `${node.name} has no route to ${walk.packet.dst}`);
  if (!walk.decrementTtl()) return walk.lose(node.name, 'time to live exceeded');
  if (!filter(walk, node, 'FORWARD', passage, route.device)) return;
  const fromPod = node.byDevice.has(inDevice);
  if (!leave(walk, node, passage, route.device)) return;
  egress(walk, node, route, { fromPod, reply: passage.match?.reply ?? false });
}

/** A packet that a process in the node's namespace sends: OUTPUT, POSTROUTING, then the device. */
export function stackOutput(walk: Walk, node: Node): void {
  const first = node.netns.routes.lookup(walk.packet.dst);
  const outDevice = node.netns.hasAddress(walk.packet.dst) ? 'lo' : (first?.device ?? '');
  walk.fragments = outDevice === 'lo' ? [] : fragmentsFor(walk.packet, node.netns.mtuTo(walk.packet.dst));
  const passage = begin(walk, node, 'OUTPUT', '', outDevice);
  if (!passage || !filter(walk, node, 'OUTPUT', passage, outDevice)) return;
  if (node.netns.hasAddress(walk.packet.dst)) {
    if (!leave(walk, node, passage, 'lo')) return;
    if (filter(walk, node, 'INPUT', { ...passage, inDevice: 'lo' }, '')) loopback(walk, node.name, node.netns);
    return;
  }
  // Translation may have changed where the packet goes.
  const route = node.netns.routes.lookup(walk.packet.dst);
  if (!route) return walk.lose(node.name, `${node.name} has no route to ${walk.packet.dst}`);
  if (leave(walk, node, passage, route.device))
    egress(walk, node, route, { fromPod: false, reply: passage.match?.reply ?? false });
}

/** raw, conntrack and the destination half of nat. undefined when the packet ended there. */
function begin(
  walk: Walk,
  node: Node,
  hook: 'PREROUTING' | 'OUTPUT',
  inDevice: string,
  outDevice = '',
): Passage | undefined {
  const raw = run(walk, node, 'raw', hook, { match: undefined, inDevice }, outDevice, 'NEW');
  if (raw.notrack) return { match: undefined, inDevice };
  const match = node.kernel.track(walk.packet, node.uptime(walk.time));
  if (!match) {
    walk.fabric.emit(walk.time, node.name, {
      kind: 'kernel',
      text: 'nf_conntrack: nf_conntrack: table full, dropping packet',
    });
    walk.lose(node.name, 'nf_conntrack table is full');
    return undefined;
  }
  const passage = { match, inDevice };
  if (match.isNew) {
    const nat = run(walk, node, 'nat', hook, passage, outDevice);
    if (nat.destination) node.kernel.translateDestination(match.entry, nat.destination.ip, nat.destination.port);
  }
  const { entry } = match;
  const target = match.reply
    ? { dst: entry.original.src, dport: entry.original.sport }
    : { dst: entry.reply.src, dport: entry.reply.sport };
  if (target.dst !== walk.packet.dst || (!walk.packet.icmp && target.dport !== walk.packet.dport))
    walk.packet = rewrite(walk.packet, walk.packet.icmp ? { dst: target.dst } : target);
  return passage;
}

function localInput(walk: Walk, node: Node, passage: Passage): void {
  if (!filter(walk, node, 'INPUT', passage, '')) return;
  if (!settle(walk, node, passage)) return;
  walk.arrive(node.name, node.netns);
}

/** The filter table; false when it ended the packet. */
function filter(
  walk: Walk,
  node: Node,
  hook: 'INPUT' | 'FORWARD' | 'OUTPUT',
  passage: Passage,
  outDevice: string,
): boolean {
  const { verdict } = run(walk, node, 'filter', hook, passage, outDevice);
  if (verdict === 'accept') return true;
  if (verdict === 'reject' && !walk.packet.icmp)
    walk.fabric.respond(node.netns, unreachable(walk.packet, walk.packet.dst));
  walk.lose(node.name, `netfilter ${hook} ${verdict === 'drop' ? 'dropped' : 'rejected'} the packet`);
  return false;
}

/** The source half of nat, and confirmation. False when the packet ended there. */
function leave(walk: Walk, node: Node, passage: Passage, outDevice: string): boolean {
  const { match } = passage;
  if (match?.isNew) {
    const nat = run(walk, node, 'nat', 'POSTROUTING', passage, outDevice);
    const own = node.netns.interface(outDevice)?.addresses[0]?.ip;
    if (nat.masquerade && own !== undefined && !node.kernel.translateSource(match.entry, own)) {
      walk.lose(node.name, `no port of ${own} is free for masquerading`);
      return false;
    }
  }
  return settle(walk, node, passage);
}

/** Applies the source translation and confirms the entry. */
function settle(walk: Walk, node: Node, { match }: Passage): boolean {
  if (!match) return true;
  const { entry } = match;
  const source = match.reply
    ? { src: entry.original.dst, sport: entry.original.dport }
    : { src: entry.reply.dst, sport: entry.reply.dport };
  const before = walk.packet;
  // An ICMP error keeps its own sender unless that is the translated host.
  const translated = match.reply
    ? entry.reply.src !== entry.original.dst || entry.reply.sport !== entry.original.dport
    : entry.reply.dst !== entry.original.src || entry.reply.dport !== entry.original.sport;
  if (translated) walk.packet = rewrite(before, before.icmp ? { src: source.src } : source);
  if (node.kernel.confirm(match, before, node.uptime(walk.time))) return true;
  walk.lose(node.name, 'another connection took the same addresses and ports (conntrack insert_failed)');
  return false;
}

function run(
  walk: Walk,
  node: Node,
  table: TableName,
  hook: HookName,
  passage: Passage,
  outDevice: string,
  state?: PacketFacts['state'],
): RuleResult {
  const { packet } = walk;
  const facts: PacketFacts = {
    src: packet.src,
    dst: packet.dst,
    protocol: packet.protocol,
    sport: packet.sport,
    dport: packet.dport,
    inDevice: passage.inDevice,
    outDevice,
    mark: walk.mark,
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
  const result = node.netfilter.evaluate(table, hook, facts, walk.fabric.random);
  walk.mark = result.mark;
  return result;
}
