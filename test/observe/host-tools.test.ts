import { describe, expect, it } from 'vitest';
import { ipBrLink, ipLink, ipNeigh, ipRouteGet, ipRule, ruleTable } from '../../src/observe/host-tools.js';
import { dnsLab } from '../datapath/lab.js';

const { world } = dnsLab();
const { netns } = world.node('k8s-ctr');
const mac = (device: string): string => netns.interface(device)!.mac;
/** The hardware address that a machine has on the link of the nodes. */
const macOf = (name: string): string =>
  [...world.cluster.nodes.values(), ...world.cluster.hosts.values()]
    .find((one) => one.netns.id.endsWith(`/${name}`))!
    .netns.interfaces.find(({ name: device }) => device !== 'lo' && (name.startsWith('resolver') || device === 'eth1'))!
    .mac;

describe('ip', () => {
  it('link, of all devices in short and of one', () => {
    const lines = ipBrLink(netns);
    expect(lines.slice(0, 4)).toEqual([
      'lo               UNKNOWN        00:00:00:00:00:00 <LOOPBACK,UP,LOWER_UP>',
      `eth0             UP             ${mac('eth0')} <BROADCAST,MULTICAST,UP,LOWER_UP>`,
      `eth1             UP             ${mac('eth1')} <BROADCAST,MULTICAST,UP,LOWER_UP>`,
      `cilium_net@cilium_host UP             ${mac('cilium_net')} <BROADCAST,MULTICAST,UP,LOWER_UP>`,
    ]);
    expect(ipBrLink(netns, 'eth1')).toEqual([lines[2]]);
    expect(ipLink(netns, 'eth1')).toEqual([
      '3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP group default qlen 1000',
      `    link/ether ${mac('eth1')} brd ff:ff:ff:ff:ff:ff`,
    ]);
  });

  it("rule, with the agent's before the kernel's", () => {
    expect(ipRule(true)).toHaveLength(4);
    expect(ipRule(false)).toEqual([
      '0:\tfrom all lookup local',
      '32766:\tfrom all lookup main',
      '32767:\tfrom all lookup default',
    ]);
  });

  it('neigh: who shares a link, not who has the same address on another', () =>
    expect(ipNeigh(world, netns)).toEqual([
      `10.0.2.3 dev eth0 lladdr ${macOf('resolver-k8s-ctr')} REACHABLE`,
      `192.168.10.101 dev eth1 lladdr ${macOf('k8s-w1')} REACHABLE`,
      `192.168.10.200 dev eth1 lladdr ${macOf('router')} REACHABLE`,
    ]));

  it.each([
    { to: '192.168.10.100', want: ['local 192.168.10.100 dev lo src 192.168.10.100 uid 0', '    cache <local>'] },
    { to: '192.168.10.101', want: ['192.168.10.101 dev eth1 src 192.168.10.100 uid 0', '    cache'] },
    { to: '10.10.1.5', want: ['10.10.1.5 via 192.168.10.200 dev eth1 src 192.168.10.100 uid 0', '    cache'] },
    { to: '2001:db8::1', want: undefined },
  ])('route get $to', ({ to, want }) => expect(ipRouteGet(netns, to)).toEqual(want));
});

describe('iptables -L -n', () => {
  const SAVED = [
    '*filter',
    ':INPUT ACCEPT [0:0]',
    ':FORWARD DROP [0:0]',
    ':KUBE-X - [0:0]',
    '-A INPUT -s 10.0.0.1/32 ! -d 10.0.0.0/8 -p tcp -m comment --comment "a b" -m tcp --dport 53 -j KUBE-X',
    '-A INPUT -p udp -m udp --sport 67 -j KUBE-XY',
    '-A FORWARD -g KUBE-X',
    '-A KUBE-X -p icmp -m comment --comment why -j RETURN',
    'COMMIT',
  ];
  const HEAD = 'target     prot opt source               destination         ';

  it('has the chains with their rules, and how often others go there', () =>
    expect(ruleTable(SAVED)).toEqual([
      'Chain INPUT (policy ACCEPT)',
      HEAD,
      'KUBE-X     6    --  10.0.0.1             !10.0.0.0/8          tcp dpt:53 /* a b */',
      'KUBE-XY    17   --  0.0.0.0/0            0.0.0.0/0            udp spt:67',
      '',
      'Chain FORWARD (policy DROP)',
      HEAD,
      'KUBE-X     0    --  0.0.0.0/0            0.0.0.0/0',
      '',
      'Chain KUBE-X (2 references)',
      HEAD,
      'RETURN     1    --  0.0.0.0/0            0.0.0.0/0            /* why */',
    ]));

  it('has one chain, where it is named', () =>
    expect(ruleTable(SAVED, 'FORWARD')).toEqual([
      'Chain FORWARD (policy DROP)',
      HEAD,
      'KUBE-X     0    --  0.0.0.0/0            0.0.0.0/0',
    ]));
});
