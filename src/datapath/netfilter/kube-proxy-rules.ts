import { createHash } from 'node:crypto';
import { isIpv4 } from '../address.js';
import type { Netfilter, TableName } from './tables.js';
import { rule } from './rule.js';
import type { NetfilterRule } from './rule.js';
import { usableBackends } from '../loadbalancer/backend-choice.js';
import type { Frontend } from '../loadbalancer/service.js';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const HASH_LENGTH = 16;

/** Name of a chain of kube-proxy: a prefix and the start of the SHA-256 of what it is for, in base 32. */
function chainName(prefix: string, ...parts: readonly string[]): string {
  let bits = 0;
  let held = 0;
  let name = '';
  for (const octet of createHash('sha256').update(parts.join('')).digest()) {
    held = (held << 8) | octet;
    for (bits += 8; bits >= 5; bits -= 5) name += BASE32[(held >>> (bits - 5)) & 31]!;
  }
  return prefix + name.slice(0, HASH_LENGTH);
}

/** `namespace/name:port`, without the colon for an unnamed port. */
export const servicePortName = (frontend: Frontend): string =>
  frontend.portName ? `${frontend.owner}:${frontend.portName}` : frontend.owner;

/** The chain of a service's backends; of those of the node only with a local traffic policy. */
export const serviceChain = (frontend: Frontend): string =>
  chainName(frontend.localOnly ? 'KUBE-SVL-' : 'KUBE-SVC-', servicePortName(frontend), frontend.protocol.toLowerCase());
export const externalChain = (frontend: Frontend): string =>
  chainName('KUBE-EXT-', servicePortName(frontend), frontend.protocol.toLowerCase());
export const endpointChain = (frontend: Frontend, endpoint: string): string =>
  chainName('KUBE-SEP-', servicePortName(frontend), frontend.protocol.toLowerCase(), endpoint);

export interface KubeProxyInput {
  /** ClusterIP frontends in the order in which kube-proxy happens to walk them (a Go map: any order). */
  readonly frontends: readonly Frontend[];
  readonly nodePorts: readonly Frontend[];
  readonly clusterCidr: string | undefined;
  /** Name of the node, for services with local traffic policy. */
  readonly node: string;
}

const MASQ_MARK = 0x4000;

/**
 * Writes all chains of kube-proxy (iptables mode, IPv4) anew. What others put into the chains of the hooks stays in
 * place.
 */
export function installKubeProxy(netfilter: Netfilter, input: KubeProxyInput): void {
  clear(netfilter, 'nat');
  clear(netfilter, 'filter');
  const services: NetfilterRule[] = [];
  const nodePorts: NetfilterRule[] = [];
  const refused: NetfilterRule[] = [];
  for (const frontend of input.frontends) {
    if (!isIpv4(frontend.ip)) continue;
    const lower = frontend.protocol === 'UDP' ? 'udp' : 'tcp';
    const head = (): ReturnType<typeof rule> =>
      rule()
        .destination(`${frontend.ip}/32`)
        .protocol(lower)
        .comment(
          `${servicePortName(frontend)} ${usableBackends(frontend, input.node).length > 0 ? 'cluster IP' : 'has no endpoints'}`,
        )
        .port(lower, 'dport', frontend.port);
    if (usableBackends(frontend, input.node).length === 0) {
      refused.push(head().to({ kind: 'reject' }, '-j', 'REJECT', '--reject-with', 'icmp-port-unreachable'));
      continue;
    }
    services.push(head().jump(serviceChain(frontend)));
    serviceRules(netfilter, frontend, input);
  }
  for (const frontend of input.nodePorts) nodePorts.push(...nodePortRules(netfilter, frontend));
  services.push(
    rule()
      .comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain')
      .localDestination()
      .jump('KUBE-NODEPORTS'),
  );
  netfilter.setChain('nat', 'KUBE-SERVICES', services);
  netfilter.setChain('nat', 'KUBE-NODEPORTS', nodePorts);
  netfilter.setChain('filter', 'KUBE-SERVICES', refused);
  fixedChains(netfilter);
}

function serviceRules(netfilter: Netfilter, frontend: Frontend, input: KubeProxyInput): void {
  const lower = frontend.protocol === 'UDP' ? 'udp' : 'tcp';
  const chain = serviceChain(frontend);
  const name = servicePortName(frontend);
  const rules: NetfilterRule[] = [];
  if (input.clusterCidr) {
    rules.push(
      rule()
        .source(input.clusterCidr, true)
        .destination(`${frontend.ip}/32`)
        .protocol(lower)
        .comment(`${name} cluster IP`)
        .port(lower, 'dport', frontend.port)
        .jump('KUBE-MARK-MASQ'),
    );
  }
  const backends = usableBackends(frontend, input.node);
  for (const [i, backend] of backends.entries()) {
    const endpoint = `${backend.ip}:${backend.port}`;
    const sep = endpointChain(frontend, endpoint);
    const jump = rule().comment(`${name} -> ${endpoint}`);
    // Each rule takes its share of what the earlier ones left, the last takes the rest.
    const left = backends.length - i;
    rules.push((left > 1 ? jump.probability(1 / left) : jump).jump(sep));
    netfilter.setChain('nat', sep, [
      rule().source(`${backend.ip}/32`).comment(name).jump('KUBE-MARK-MASQ'),
      rule()
        .protocol(lower)
        .comment(name)
        .literal('-m', lower)
        .to({ kind: 'dnat', ip: backend.ip, port: backend.port }, '-j', 'DNAT', '--to-destination', endpoint),
    ]);
  }
  netfilter.setChain('nat', chain, rules);
}

function nodePortRules(netfilter: Netfilter, frontend: Frontend): readonly NetfilterRule[] {
  const lower = frontend.protocol === 'UDP' ? 'udp' : 'tcp';
  const chain = externalChain(frontend);
  const name = servicePortName(frontend);
  netfilter.setChain('nat', chain, [
    rule().comment(`masquerade traffic for ${name} external destinations`).jump('KUBE-MARK-MASQ'),
    rule().jump(serviceChain(frontend)),
  ]);
  const port = (builder: ReturnType<typeof rule>): ReturnType<typeof rule> =>
    builder.protocol(lower).comment(name).port(lower, 'dport', frontend.port);
  return [
    port(rule().destination('127.0.0.0/8'))
      .literal('-m', 'nfacct', '--nfacct-name', 'localhost_nps_accepted_pkts')
      .jump(chain),
    port(rule()).jump(chain),
  ];
}

/** Jumps from the hooks, placed once, and the chains that do not depend on services. */
function fixedChains(netfilter: Netfilter): void {
  const portals = rule().comment('kubernetes service portals').jump('KUBE-SERVICES');
  const firewall = rule().states('NEW').comment('kubernetes load balancer firewall').jump('KUBE-PROXY-FIREWALL');
  const fresh = (chain: string, comment: string): NetfilterRule => rule().states('NEW').comment(comment).jump(chain);
  const external = fresh('KUBE-EXTERNAL-SERVICES', 'kubernetes externally-visible service portals');
  const newPortals = fresh('KUBE-SERVICES', 'kubernetes service portals');
  const kubeFirewall = rule().jump('KUBE-FIREWALL');
  ensure(netfilter, 'filter', 'INPUT', [
    firewall,
    rule().comment('kubernetes health check service ports').jump('KUBE-NODEPORTS'),
    external,
    kubeFirewall,
  ]);
  ensure(netfilter, 'filter', 'FORWARD', [
    firewall,
    rule().comment('kubernetes forwarding rules').jump('KUBE-FORWARD'),
    newPortals,
    external,
  ]);
  ensure(netfilter, 'filter', 'OUTPUT', [firewall, newPortals, kubeFirewall]);
  ensure(netfilter, 'nat', 'PREROUTING', [portals]);
  ensure(netfilter, 'nat', 'OUTPUT', [portals]);
  ensure(netfilter, 'nat', 'POSTROUTING', [rule().comment('kubernetes postrouting rules').jump('KUBE-POSTROUTING')]);
  for (const chain of [
    'KUBE-EXTERNAL-SERVICES',
    'KUBE-KUBELET-CANARY',
    'KUBE-NODEPORTS',
    'KUBE-PROXY-CANARY',
    'KUBE-PROXY-FIREWALL',
  ])
    netfilter.setChain('filter', chain, []);
  for (const table of ['mangle', 'nat'] as const)
    for (const chain of ['KUBE-KUBELET-CANARY', 'KUBE-PROXY-CANARY']) netfilter.setChain(table, chain, []);
  netfilter.setChain('mangle', 'KUBE-IPTABLES-HINT', []);
  netfilter.setChain('filter', 'KUBE-FIREWALL', [
    rule()
      .source('127.0.0.0/8', true)
      .destination('127.0.0.0/8')
      .comment('block incoming localnet connections')
      .literal('-m', 'conntrack', '!', '--ctstate', 'RELATED,ESTABLISHED,DNAT')
      .drop(),
  ]);
  netfilter.setChain('filter', 'KUBE-FORWARD', [
    rule().states('INVALID').literal('-m', 'nfacct', '--nfacct-name', 'ct_state_invalid_dropped_pkts').drop(),
    rule().comment('kubernetes forwarding rules').mark(MASQ_MARK, MASQ_MARK).accept(),
    rule().comment('kubernetes forwarding conntrack rule').states('RELATED', 'ESTABLISHED').accept(),
  ]);
  netfilter.setChain('nat', 'KUBE-MARK-MASQ', [
    rule().to({ kind: 'mark', value: MASQ_MARK, mask: MASQ_MARK }, '-j', 'MARK', '--set-xmark', '0x4000/0x4000'),
  ]);
  netfilter.setChain('nat', 'KUBE-POSTROUTING', [
    rule().mark(0, MASQ_MARK).return(),
    rule().to({ kind: 'mark', value: MASQ_MARK, mask: 0 }, '-j', 'MARK', '--set-xmark', '0x4000/0x0'),
    rule()
      .comment('kubernetes service traffic requiring SNAT')
      .to({ kind: 'masquerade', randomFully: true }, '-j', 'MASQUERADE', '--random-fully'),
  ]);
}

function ensure(netfilter: Netfilter, table: TableName, chain: string, rules: readonly NetfilterRule[]): void {
  for (const wanted of rules) if (!netfilter.has(table, chain, wanted)) netfilter.append(table, chain, wanted);
}

function clear(netfilter: Netfilter, table: TableName): void {
  for (const chain of netfilter.chains(table))
    if (/^KUBE-(?:SVC|SVL|SEP|EXT)-/.test(chain)) netfilter.removeChain(table, chain);
}
