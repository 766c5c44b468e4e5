import { formatCidr } from '../../lib/cidr.js';
import type { Cidr } from '../../lib/cidr.js';
import type { DatapathConfig } from '../config.js';
import type { Netfilter } from './tables.js';
import { rule } from './rule.js';
import type { NetfilterRule, RuleBuilder } from './rule.js';

export interface CiliumRuleInput {
  readonly config: DatapathConfig;
  /** Blocks of the node's pods. */
  readonly podBlocks: readonly Cidr[];
}

/** Marks of Cilium's packets: who sent them, in bits 8 to 11. */
const HOST_MASK = 0xf00;

/** Writes the agent's own chains: proxy marks, forwarding, masquerading and the NOTRACK rules for pod traffic. */
export function installCilium(netfilter: Netfilter, { config, podBlocks }: CiliumRuleInput): void {
  const hooks = [
    ['raw', 'PREROUTING', 'CILIUM_PRE_raw'],
    ['raw', 'OUTPUT', 'CILIUM_OUTPUT_raw'],
    ['mangle', 'PREROUTING', 'CILIUM_PRE_mangle'],
    ['mangle', 'POSTROUTING', 'CILIUM_POST_mangle'],
    ['filter', 'INPUT', 'CILIUM_INPUT'],
    ['filter', 'FORWARD', 'CILIUM_FORWARD'],
    ['filter', 'OUTPUT', 'CILIUM_OUTPUT'],
    ['nat', 'PREROUTING', 'CILIUM_PRE_nat'],
    ['nat', 'OUTPUT', 'CILIUM_OUTPUT_nat'],
    ['nat', 'POSTROUTING', 'CILIUM_POST_nat'],
  ] as const;
  for (const [table, hook, chain] of hooks) {
    const jump = rule().comment(`cilium-feeder: ${chain}`).jump(chain);
    // A feeder stands first in its chain.
    if (!netfilter.has(table, hook, jump)) netfilter.prepend(table, hook, jump);
    netfilter.setChain(table, chain, []);
  }
  netfilter.setChain('raw', 'CILIUM_PRE_raw', [
    ...podNotrack(config, podBlocks),
    notrack(rule().mark(0x200, HOST_MASK).comment('cilium: NOTRACK for proxy traffic')),
  ]);
  netfilter.setChain('raw', 'CILIUM_OUTPUT_raw', [...podNotrack(config, podBlocks), ...proxyNotrack()]);
  netfilter.setChain('mangle', 'CILIUM_PRE_mangle', proxyRedirect());
  netfilter.setChain('filter', 'CILIUM_INPUT', [
    rule().mark(0x200, HOST_MASK).comment('cilium: ACCEPT for proxy traffic').accept(),
  ]);
  netfilter.setChain('filter', 'CILIUM_OUTPUT', [
    rule().mark(0xa00, 0xe00).comment('cilium: ACCEPT for proxy traffic').accept(),
    rule().mark(0x800, 0xe00).comment('cilium: ACCEPT for l7 proxy upstream traffic').accept(),
    hostMark(),
  ]);
  netfilter.setChain('filter', 'CILIUM_FORWARD', forwardRules(config));
  netfilter.setChain(
    'nat',
    'CILIUM_POST_nat',
    config.masquerade === 'iptables' ? masqueradeRules(config, podBlocks) : [],
  );
}

const notrack = (builder: RuleBuilder): NetfilterRule => builder.to({ kind: 'notrack' }, '-j', 'CT', '--notrack');

/** installNoConntrackIptablesRules: pod traffic of native routing is none of nf_conntrack's business. */
function podNotrack(config: DatapathConfig, podBlocks: readonly Cidr[]): readonly NetfilterRule[] {
  if (!config.installNoConntrackRules) return [];
  const blocks = config.nativeRoutingCidr === undefined ? podBlocks.map(formatCidr) : [config.nativeRoutingCidr];
  return blocks.flatMap((block) => [
    notrack(rule().destination(block).comment('cilium: NOTRACK for pod traffic')),
    notrack(rule().source(block).comment('cilium: NOTRACK for pod traffic')),
  ]);
}

/** The way into the agent's DNS proxy. No policy of the model uses it, but the rules are always there. */
function proxyRedirect(): readonly NetfilterRule[] {
  // The port in network byte order is the upper half.
  const port = ((PROXY_PORT & 0xff) << 8) | (PROXY_PORT >> 8);
  const mark = `0x${(port * 0x10000 + 0x200).toString(16)}`;
  const tproxy = (protocol: 'tcp' | 'udp'): NetfilterRule =>
    rule()
      .protocol(protocol)
      .never('-m', 'mark', '--mark', mark)
      .comment('cilium: TPROXY to host cilium-dns-egress proxy')
      .to(
        { kind: 'accept' },
        '-j',
        'TPROXY',
        '--on-port',
        String(PROXY_PORT),
        '--on-ip',
        '127.0.0.1',
        '--tproxy-mark',
        '0x200/0xffffffff',
      );
  const socket = rule()
    .outDevice('lo', true)
    .never('-m', 'socket', '--transparent')
    .mark(0xe00, HOST_MASK, true)
    .mark(0x800, HOST_MASK, true)
    .comment('cilium: any->pod redirect proxied traffic to host proxy')
    .to({ kind: 'mark', value: 0x200, mask: 0xffffffff }, '-j', 'MARK', '--set-xmark', '0x200/0xffffffff');
  return [socket, tproxy('tcp'), tproxy('udp')];
}

/** A port of the range in which agents place their proxies; the real one is drawn at start. */
const PROXY_PORT = 38_421;

function proxyNotrack(): readonly NetfilterRule[] {
  return ['lxc+', 'cilium_host'].flatMap((device) => [
    notrack(rule().outDevice(device).mark(0xa00, 0xfffffeff).comment('cilium: NOTRACK for proxy return traffic')),
    notrack(rule().outDevice(device).mark(0x800, 0xe00).comment('cilium: NOTRACK for L7 proxy upstream traffic')),
  ]);
}

function hostMark(): NetfilterRule {
  const builder = rule();
  for (const mark of [0xe00, 0xd00, 0x400, 0xa00, 0x800, HOST_MASK])
    builder.mark(mark, mark === 0xa00 || mark === 0x800 ? 0xe00 : HOST_MASK, true);
  return builder
    .comment('cilium: host->any mark as from host')
    .to({ kind: 'mark', value: 0xc00, mask: HOST_MASK }, '-j', 'MARK', '--set-xmark', '0xc00/0xf00');
}

function forwardRules(config: DatapathConfig): readonly NetfilterRule[] {
  const local = config.endpointRoutes ? 'lxc+' : 'cilium_host';
  const from = (device: string, note = ''): NetfilterRule =>
    rule().inDevice(device).comment(`cilium: cluster->any on ${device} forward accept${note}`).accept();
  const rules = [
    rule().outDevice('cilium_host').comment('cilium: any->cluster on cilium_host forward accept').accept(),
    from('cilium_host', ' (nodeport)'),
    from('lxc+'),
    from('cilium_net', ' (nodeport)'),
  ];
  if (local !== 'cilium_host')
    rules.push(
      rule().outDevice(local).comment(`cilium: any->cluster on ${local} forward accept`).accept(),
      from(local, ' (nodeport)'),
    );
  return rules;
}

/** Everything that leaves the node's pod blocks on a device that is not Cilium's. */
function masqueradeRules(config: DatapathConfig, podBlocks: readonly Cidr[]): readonly NetfilterRule[] {
  const devices = config.masqueradeDevices;
  const native = config.nativeRoutingCidr;
  return podBlocks.flatMap((block) => {
    const source = formatCidr(block);
    const make = (device: string, not: boolean): NetfilterRule =>
      rule()
        .source(source)
        .destination(native ?? source, true)
        .outDevice(device, not)
        .comment('cilium masquerade non-cluster')
        .to({ kind: 'masquerade', randomFully: false }, '-j', 'MASQUERADE');
    return devices.length > 0 ? devices.map((device) => make(device, false)) : [make('cilium_+', true)];
  });
}
