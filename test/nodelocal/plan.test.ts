import { describe, expect, it } from 'vitest';
import { planText } from '../../src/nodelocal/node-network.js';
import { parseNodeCacheFlags } from '../../src/nodelocal/flags.js';
import { describeRule, listedRules, networkPlan, type NetworkPlan } from '../../src/nodelocal/plan.js';
import { ADDED, SAVED } from './recorded.js';

const planOf = (...args: string[]): NetworkPlan => networkPlan(parseNodeCacheFlags(args));
const textOf = (...args: string[]): string => planText(parseNodeCacheFlags(args));
const TRANSCRIPT = [
  '-localip',
  '169.254.20.10,10.96.0.10',
  '-conf',
  '/etc/Corefile',
  '-upstreamsvc',
  'kube-dns-upstream',
];

describe('networkPlan', () => {
  it('lists the rules of a real node, in its order', () => {
    const lines = listedRules(planOf(...TRANSCRIPT), 4);
    expect(lines.filter((line) => !line.startsWith('*'))).toEqual(SAVED);
    expect([lines.indexOf('*raw'), lines.indexOf('*filter')]).toEqual([0, 17]);
    expect(listedRules(planOf(...TRANSCRIPT), 6)).toEqual([]);
  });

  it('names rules in the log as node-cache does, in the order in which it adds them', () => {
    expect(ADDED).toHaveLength(24);
    expect(planOf(...TRANSCRIPT).rules.map((rule) => `Added back nodelocaldns rule - ${describeRule(rule)}`)).toEqual(
      ADDED,
    );
  });

  it('puts the addresses on a link, each as a block of one', () => {
    expect(planOf('-localip', '169.254.20.10,fd00::10', '-interfacename', 'dns0').link).toEqual({
      name: 'dns0',
      addresses: ['169.254.20.10/32', 'fd00::10/128'],
    });
  });

  it('tells families apart', () => {
    const plan = planOf('-localip', '169.254.20.10,fd00::10');
    expect(plan.rules.map((rule) => rule.family)).toEqual([
      ...Array.from({ length: 12 }, () => 4),
      ...Array.from({ length: 12 }, () => 6),
    ]);
    expect(listedRules(plan, 6)[1]).toBe(
      '-A PREROUTING -d fd00::10/128 -p udp -m udp --dport 53 -m comment --comment "NodeLocal DNS Cache: skip conntrack" -j NOTRACK',
    );
  });

  it('takes the ports from the flags', () => {
    const ports = new Set(
      planOf('-localip', '10.96.0.10', '-dns.port', '1053', '-health-port', '8181').rules.map((rule) => rule.port),
    );
    expect([...ports]).toEqual([1053, 8181]);
  });

  it.each([
    { name: 'no link', args: ['-setupinterface=false'], link: false, rules: 24 },
    { name: 'no rules', args: ['-setupiptables=false'], link: true, rules: 0 },
  ])('wants $name when told so', ({ args, link, rules }) => {
    const plan = planOf(...TRANSCRIPT, ...args);
    expect([plan.link !== undefined, plan.rules.length]).toEqual([link, rules]);
  });
});

describe('planText', () => {
  it('prints link, addresses and rules', () => {
    expect(textOf(...TRANSCRIPT).split('\n')).toEqual([
      'ip link add nodelocaldns address 6e:6f:64:65:6e:73 type dummy',
      'ip addr add 169.254.20.10/32 dev nodelocaldns',
      'ip addr add 10.96.0.10/32 dev nodelocaldns',
      '# iptables-save',
      '*raw',
      ...SAVED.slice(0, 16),
      '*filter',
      ...SAVED.slice(16),
      '',
    ]);
  });

  it('prints a section for each family', () => {
    expect(textOf('-localip', '169.254.20.10,fd00::10').match(/^# .*$/gm)).toEqual([
      '# iptables-save',
      '# ip6tables-save',
    ]);
  });

  it('prints the script of nft', () => {
    const text = textOf('-localip', '169.254.20.10,fd00::10', '-setupinterface=false', '-backend', 'nft');
    expect(text).toContain(
      'table inet nodens-nodelocaldns {\n  chain raw_prerouting {\n    type filter hook prerouting priority raw; policy accept;\n    ip6 daddr fd00::10 udp dport 53 counter notrack comment "NodeLocal DNS Cache: skip conntrack, udp to fd00::10 port 53"\n',
    );
    expect(text.match(/counter notrack/g)).toHaveLength(16);
    expect(text.match(/counter accept/g)).toHaveLength(8);
  });

  it('prints no rules where none are wanted', () => {
    expect(textOf('-localip', '10.96.0.10', '-setupiptables=false', '-backend', 'nft')).toBe(
      'ip link add nodelocaldns address 6e:6f:64:65:6e:73 type dummy\nip addr add 10.96.0.10/32 dev nodelocaldns\n',
    );
  });
});
