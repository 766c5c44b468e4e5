import type { CtEntry } from '../../datapath/conntrack/cilium.js';
import { ipMasqList } from '../../datapath/conntrack/masquerade.js';
import type { DatapathConfig } from '../../datapath/config.js';
import { RESERVED_IDENTITY } from '../../datapath/cluster/identity.js';
import type { Node } from '../../datapath/cluster/node.js';
import type { NatMapping } from '../../datapath/conntrack/nat.js';
import { hash32 } from '../../datapath/packet.js';
import { byId } from '../../datapath/loadbalancer/service.js';
import type { Frontend } from '../../datapath/loadbalancer/service.js';
import type { World } from '../../datapath/world.js';
import { hostPort } from '../../lib/cidr.js';
import type { Seconds } from '../../lib/units.js';
import type { PolicyStatus } from '../../lrp/redirects.js';
import { CILIUM_TABLE, layOut } from '../table.js';

/** Cells of rows that the program closes one by one: the last is padded like the others. */
const closed = (rows: readonly (readonly string[])[]): string[] =>
  layOut(
    rows.map((row) => [...row, '']),
    CILIUM_TABLE,
  );

/** Every address that a node translates: services, node ports, and the redirects that lie over them. By number. */
export function frontendsOf(world: World, node: Node): readonly Frontend[] {
  const services = [...world.services.frontends(), ...world.services.nodePorts()].filter(
    (frontend) => node.redirects.get(`${frontend.ip}:${frontend.port}/${frontend.protocol}`) === undefined,
  );
  return [...services, ...node.redirectList()].sort(byId);
}

/** `cilium-dbg service list` on a node (1.17 and 1.18.0, with numbers). */
export function serviceList(world: World, node: Node): string[] {
  const rows: string[][] = [['ID', 'Frontend', 'Service Type', 'Backend']];
  for (const { id, ip, port, protocol, type, backends } of frontendsOf(world, node)) {
    const [first = '', ...more] = backends.map(
      (backend, i) => `${i + 1} => ${hostPort(backend.ip, backend.port)}/${backend.protocol} (${backend.state})`,
    );
    rows.push(
      [String(id), `${hostPort(ip, port)}/${protocol}`, type, first],
      ...more.map((text) => ['', '', '', text]),
    );
  }
  return closed(rows);
}

/** `cilium-dbg lrp list` of a node's policies. Each backend is followed by a comma and a blank, so lines end in one. */
export function lrpList(policies: readonly PolicyStatus[]): string[] {
  const rows: string[][] = [['LRP namespace', 'LRP name', 'FrontendType', 'Matching Service']];
  for (const { namespace, name, frontendType, service, frontends } of policies) {
    rows.push([namespace, name, frontendType, service ?? '']);
    for (const { ip, port, protocol, backends } of frontends) {
      rows.push([
        '',
        '|',
        `${ip}:${port}/${protocol} -> ${backends.map((backend) => `${backend.ip}:${backend.port}(${backend.pod}), `).join('')}`,
      ]);
    }
  }
  return layOut(rows, CILIUM_TABLE);
}

const HOST_LABELS: readonly string[] = ['reserved:host'];

/** The number of the endpoint that stands for the node itself: pinned, or one that no pod has. */
function hostEndpointId(node: Node): number {
  const taken = new Set([...node.endpoints.values()].map((pod) => pod.endpoint!.id));
  let id = node.spec.hostEndpointId ?? 2 + (hash32(node.name) % 4094);
  while (taken.has(id)) id = id >= 4095 ? 2 : id + 1;
  return id;
}

/** `cilium-dbg endpoint list`: by number, one label on a line. Without policies nothing is enforced. */
export function endpointList(node: Node): string[] {
  const host = {
    id: hostEndpointId(node),
    identity: RESERVED_IDENTITY.host as number,
    labels: node.spec.apiServer ? ['k8s:node-role.kubernetes.io/control-plane', ...HOST_LABELS] : HOST_LABELS,
    ip: '',
  };
  const endpoints = [...[...node.endpoints.values()].map((pod) => pod.endpoint!), host].sort(byId);
  const rows: string[][] = [
    [
      'ENDPOINT',
      'POLICY (ingress)',
      'POLICY (egress)',
      'IDENTITY',
      'LABELS (source:key[=value])',
      'IPv6',
      'IPv4',
      'STATUS',
    ],
    ['', 'ENFORCEMENT', 'ENFORCEMENT', '', '', '', '', ''],
  ];
  for (const { id, identity, labels, ip } of endpoints) {
    const [first = 'no labels', ...more] = labels;
    const [ipv6, ipv4] = ip.includes(':') ? [ip, ''] : ['', ip];
    rows.push(
      [String(id), 'Disabled', 'Disabled', String(identity), first, ipv6, ipv4, 'ready'],
      ...more.map((label) => ['', '', '', '', label, '', '', '']),
    );
  }
  return closed(rows);
}

/**
 * `cilium-dbg bpf endpoint list`: the node's own addresses and its pods. The real map has no order; here the node's
 * come first, then pods in the order of their creation.
 */
export function bpfEndpointList(node: Node): string[] {
  const own = node.netns.addresses.map((ip) => [`${ip}:0`, '(localhost)']);
  const pods = [...node.endpoints.values()].map(({ endpoint }) => {
    const { ip, id, identity, ifindex, mac, nodeMac } = endpoint!;
    return [
      `${ip}:0`,
      `id=${String(id).padEnd(5)} sec_id=${String(identity).padEnd(5)} flags=0x0000 ` +
        `ifindex=${String(ifindex).padEnd(3)} mac=${mac.toUpperCase()} ` +
        `nodemac=${nodeMac.toUpperCase()} parent_ifindex=0`,
    ];
  });
  return layOut([['IP ADDRESS', 'LOCAL ENDPOINT INFO'], ...own, ...pods], CILIUM_TABLE);
}

const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

/**
 * `cilium-dbg bpf ct list global` at a time since the node's boot. Packets and bytes stay 0, as without conntrack
 * accounting.
 */
export function ctList(node: Node, now: Seconds): string[] {
  return node.conntrack.list(now).map((entry) => {
    const direction = entry.direction === 'IN' ? 'IN' : 'OUT';
    const service = entry.direction === 'SVC' ? 'service ' : '';
    const { value, words } = ctFlags(entry);
    return (
      `${entry.protocol} ${direction} ${hostPort(entry.src, entry.sport)} -> ` +
      `${hostPort(entry.dst, entry.dport)} ${service}expires=${Math.floor(entry.expires)} ` +
      'Packets=0 Bytes=0 ' +
      `RxFlagsSeen=${hex(entry.rxFlagsSeen, 2)} LastRxReport=${Math.floor(entry.lastRxReport)} ` +
      `TxFlagsSeen=${hex(entry.txFlagsSeen, 2)} LastTxReport=${Math.floor(entry.lastTxReport)} ` +
      `Flags=${hex(value, 4)} [ ${words.map((word) => `${word} `).join('')}] ` +
      `RevNAT=${entry.revNat} SourceSecurityID=${entry.sourceIdentity} ` +
      `BackendID=${entry.backendId} `
    );
  });
}

function ctFlags(entry: Readonly<CtEntry>): { value: number; words: string[] } {
  const flags: readonly (readonly [boolean, number, string])[] = [
    [entry.rxClosing, 1, 'RxClosing'],
    [entry.txClosing, 2, 'TxClosing'],
    [entry.lbLoopback, 8, 'LBLoopback'],
    [entry.seenNonSyn, 16, 'SeenNonSyn'],
  ];
  const set = flags.filter(([on]) => on);
  return { value: set.reduce((sum, [, bit]) => sum | bit, 0), words: set.map(([, , word]) => word) };
}

/** `cilium-dbg bpf nat list`: two lines for each translation, the way out and the way back. */
export function natList(node: Node, now: Seconds): string[] {
  return node.nat.list().flatMap((mapping) => [natLine(mapping, now, true), natLine(mapping, now, false)]);
}

function natLine(
  { protocol, src, sport, dst, dport, toIp, toPort, created }: NatMapping,
  now: Seconds,
  out: boolean,
): string {
  const age = `Created=${Math.max(0, Math.floor(now - created))}sec ago NeedsCT=0`;
  if (out)
    return `${protocol} OUT ${hostPort(src, sport)} -> ${hostPort(dst, dport)} XLATE_SRC ${hostPort(toIp, toPort)} ${age}`;
  return `${protocol} IN ${hostPort(dst, dport)} -> ${hostPort(toIp, toPort)} XLATE_DST ${hostPort(src, sport)} ${age}`;
}

/** `cilium-dbg bpf ipmasq list`: the blocks that are not masqueraded. */
export const ipMasqLines = (config: DatapathConfig): string[] => [
  'IP PREFIX/ADDRESS',
  ...ipMasqList(config.ipMasqAgent),
];
