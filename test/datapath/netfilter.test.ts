import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/lib/random.js';
import { Netfilter, TABLE_ORDER } from '../../src/datapath/netfilter/tables.js';
import { rule } from '../../src/datapath/netfilter/rule.js';
import type { PacketFacts } from '../../src/datapath/netfilter/rule.js';
import { ensureRules, placedRules, removeRules } from '../../src/datapath/netfilter/node-cache-rules.js';
import type { World } from '../../src/datapath/world.js';
import { lab } from './lab.js';

const facts: PacketFacts = {
  src: '10.0.0.1',
  dst: '10.96.0.10',
  protocol: 'UDP',
  sport: 40_000,
  dport: 53,
  inDevice: 'eth0',
  outDevice: '',
  mark: 0,
  state: 'NEW',
  bytes: 60,
  localDestination: false,
};
const random = seededRandom(1);

describe('Netfilter', () => {
  it.each([
    { name: 'no rule: policy', build: () => undefined, want: 'accept' },
    { name: 'policy DROP', build: (n: Netfilter) => n.setPolicy('filter', 'INPUT', 'DROP'), want: 'drop' },
    {
      name: 'first match wins',
      build: (n: Netfilter) => n.append('filter', 'INPUT', rule().protocol('udp').drop(), rule().accept()),
      want: 'drop',
    },
    {
      name: 'prepended rules come first',
      build: (n: Netfilter) => [
        n.append('filter', 'INPUT', rule().drop()),
        n.prepend('filter', 'INPUT', rule().accept()),
      ],
      want: 'accept',
    },
    {
      name: 'another protocol',
      build: (n: Netfilter) => n.append('filter', 'INPUT', rule().protocol('tcp').drop()),
      want: 'accept',
    },
    {
      name: 'another source',
      build: (n: Netfilter) => n.append('filter', 'INPUT', rule().source('10.0.0.2/32').drop()),
      want: 'accept',
    },
    {
      name: 'not another source',
      build: (n: Netfilter) => n.append('filter', 'INPUT', rule().source('10.0.0.2/32', true).drop()),
      want: 'drop',
    },
    {
      name: 'device prefix',
      build: (n: Netfilter) => n.append('filter', 'INPUT', rule().inDevice('eth+').drop()),
      want: 'drop',
    },
    {
      name: 'state',
      build: (n: Netfilter) => n.append('filter', 'INPUT', rule().states('ESTABLISHED').drop()),
      want: 'accept',
    },
    {
      name: 'a chain that returns',
      build: (n: Netfilter) => [
        n.setChain('filter', 'X', [rule().return(), rule().drop()]),
        n.append('filter', 'INPUT', rule().jump('X')),
      ],
      want: 'accept',
    },
    {
      name: 'a chain that returns to a caller with more rules',
      build: (n: Netfilter) => [
        n.setChain('filter', 'X', [rule().return()]),
        n.append('filter', 'INPUT', rule().jump('X'), rule().drop()),
      ],
      want: 'drop',
    },
    {
      name: 'of several prepended rules the last comes first',
      build: (n: Netfilter) => n.prepend('filter', 'INPUT', rule().accept(), rule().drop()),
      want: 'drop',
    },
    {
      name: 'a chain that decides',
      build: (n: Netfilter) => [
        n.setChain('filter', 'X', [rule().drop()]),
        n.append('filter', 'INPUT', rule().jump('X'), rule().accept()),
      ],
      want: 'drop',
    },
    {
      name: 'a chain that is missing',
      build: (n: Netfilter) => n.append('filter', 'INPUT', rule().jump('X')),
      want: 'accept',
    },
    {
      name: 'a mark set before',
      build: (n: Netfilter) =>
        n.append(
          'filter',
          'INPUT',
          rule().to({ kind: 'mark', value: 0x4000, mask: 0x4000 }),
          rule().mark(0x4000, 0x4000).drop(),
        ),
      want: 'drop',
    },
    {
      name: 'a share of nothing',
      build: (n: Netfilter) => n.append('filter', 'INPUT', rule().probability(0).drop()),
      want: 'accept',
    },
    {
      name: 'what cannot match',
      build: (n: Netfilter) => n.append('filter', 'INPUT', rule().never('-m', 'socket').drop()),
      want: 'accept',
    },
  ])('$name', ({ build, want }) => {
    const netfilter = new Netfilter();
    build(netfilter);
    expect(netfilter.evaluate('filter', 'INPUT', facts, random).verdict).toBe(want);
  });

  it.each([
    { name: 'a local destination', made: rule().localDestination(), text: '-m addrtype --dst-type LOCAL' },
    { name: 'states', made: rule().states('NEW', 'ESTABLISHED'), text: '-m conntrack --ctstate NEW,ESTABLISHED' },
    { name: 'a share', made: rule().probability(0.5), text: '-m statistic --mode random --probability 0.50000000000' },
    { name: 'a mark', made: rule().mark(0x200, 0xf00, true), text: '-m mark ! --mark 0x200/0xf00' },
    { name: 'a device', made: rule().outDevice('lxc+', true), text: '! -o lxc+' },
  ])('$name is printed as iptables-save does', ({ made, text }) =>
    expect(made.accept().text).toBe(`${text} -j ACCEPT`),
  );

  it('counts what meets the policy', () => {
    const netfilter = new Netfilter();
    netfilter.evaluate('filter', 'INPUT', facts, random);
    netfilter.evaluate('filter', 'INPUT', facts, random);
    expect(netfilter.lines('filter')[1]).toBe(':INPUT ACCEPT [2:120]');
  });
});

describe('the rules of the node cache', () => {
  const rules = placedRules(['169.254.20.10', '10.96.0.10']);

  /** The listing of iptables-save recorded from the real node cache, without counters and comments. */
  const recorded = ['10.96.0.10', '169.254.20.10'].map((ip) => ({
    pre: ['udp', 'tcp'].map(
      (p) =>
        `-A PREROUTING -d ${ip}/32 -p ${p} -m ${p} --dport 53 -m comment --comment "NodeLocal DNS Cache: skip conntrack" -j NOTRACK`,
    ),
    out: [
      `-s ${ip}/32 -p tcp -m tcp --sport 8080`,
      `-d ${ip}/32 -p tcp -m tcp --dport 8080`,
      `-d ${ip}/32 -p udp -m udp --dport 53`,
      `-d ${ip}/32 -p tcp -m tcp --dport 53`,
      `-s ${ip}/32 -p udp -m udp --sport 53`,
      `-s ${ip}/32 -p tcp -m tcp --sport 53`,
    ].map((match) => `-A OUTPUT ${match} -m comment --comment "NodeLocal DNS Cache: skip conntrack" -j NOTRACK`),
    input: ['udp', 'tcp'].map(
      (p) =>
        `-A INPUT -d ${ip}/32 -p ${p} -m ${p} --dport 53 -m comment --comment "NodeLocal DNS Cache: allow DNS traffic" -j ACCEPT`,
    ),
    output: ['udp', 'tcp'].map(
      (p) =>
        `-A OUTPUT -s ${ip}/32 -p ${p} -m ${p} --sport 53 -m comment --comment "NodeLocal DNS Cache: allow DNS traffic" -j ACCEPT`,
    ),
  }));

  it('are listed as recorded', () => {
    const netfilter = new Netfilter();
    expect(ensureRules(netfilter, rules)).toBe(24);
    expect(netfilter.lines('raw').filter((line) => line.startsWith('-A'))).toEqual([
      ...recorded.flatMap((r) => r.pre),
      ...recorded.flatMap((r) => r.out),
    ]);
    expect(netfilter.lines('filter').filter((line) => line.startsWith('-A'))).toEqual([
      ...recorded.flatMap((r) => r.input),
      ...recorded.flatMap((r) => r.output),
    ]);
  });

  it('are added once, and again only where one is missing', () => {
    const netfilter = new Netfilter();
    ensureRules(netfilter, rules);
    expect(ensureRules(netfilter, rules)).toBe(0);
    netfilter.delete(rules[3]!.table, rules[3]!.chain, rules[3]!.rule);
    expect(ensureRules(netfilter, rules)).toBe(1);
    expect(removeRules(netfilter, rules)).toBe(24);
    expect(TABLE_ORDER.flatMap((table) => netfilter.lines(table)).filter((line) => line.startsWith('-A'))).toEqual([]);
  });
});

describe('iptables-save before and after the node cache', () => {
  const service = (
    world: World,
    owner: string,
    ip: string,
    ports: readonly {
      name?: string;
      port: number;
      protocol?: 'UDP' | 'TCP';
      nodePort?: number;
      to: readonly string[];
    }[],
    localOnly = false,
  ): void => {
    const [namespace = '', name = ''] = owner.split('/');
    const protocol = 'TCP' as const;
    world.setService({
      namespace,
      name,
      clusterIPs: [ip],
      localOnly,
      ports: ports.map((p) => ({
        name: p.name ?? '',
        port: p.port,
        protocol: p.protocol ?? protocol,
        nodePort: p.nodePort,
      })),
    });
    world.setBackends(
      namespace,
      name,
      ports.flatMap((p) =>
        p.to.map((to) => ({
          portName: p.name ?? '',
          protocol: p.protocol ?? protocol,
          ip: to.split(':')[0]!,
          port: Number(to.split(':')[1]),
          node: 'k8s-ctr',
        })),
      ),
    );
  };
  const save = (world: World): string[] =>
    TABLE_ORDER.flatMap((table) => ['# Generated', ...world.node('k8s-ctr').netfilter.lines(table), '# Completed']);

  function cluster(): World {
    const { world } = lab({ kubeProxy: true, kubeProxyClusterCidr: '10.244.0.0/16' });
    service(world, 'default/kubernetes', '10.96.0.1', [{ name: 'https', port: 443, to: ['192.168.10.100:6443'] }]);
    service(world, 'kube-system/kube-dns', '10.96.0.10', [
      { name: 'dns', port: 53, protocol: 'UDP', to: ['172.20.1.144:53'] },
      { name: 'dns-tcp', port: 53, to: ['172.20.1.144:53'] },
      { name: 'metrics', port: 9153, to: ['172.20.1.144:9153'] },
    ]);
    service(world, 'default/webpod', '10.96.152.212', [{ port: 80, to: ['172.20.0.130:80', '172.20.1.40:80'] }]);
    service(world, 'kube-system/hubble-ui', '10.96.206.199', [
      { name: 'http', port: 80, nodePort: 30_003, to: ['172.20.0.162:8081'] },
    ]);
    return world;
  }
  /** Lines of the new listing that the old one does not have. */
  const added = (before: readonly string[], after: readonly string[]): string[] =>
    after.filter((line) => !before.includes(line));

  it('adds the chains and rules of kube-dns-upstream under the recorded names', () => {
    const world = cluster();
    const before = save(world);
    service(world, 'kube-system/kube-dns-upstream', '10.96.31.170', [
      { name: 'dns', port: 53, protocol: 'UDP', to: ['172.20.1.144:53'] },
      { name: 'dns-tcp', port: 53, to: ['172.20.1.144:53'] },
    ]);
    expect(added(before, save(world))).toEqual([
      ':KUBE-SEP-6O2WVHQLDKFLZQRS - [0:0]',
      ':KUBE-SEP-IG5OB37KH2LEQCBN - [0:0]',
      ':KUBE-SVC-BRK3P4PPQWCLKOAN - [0:0]',
      ':KUBE-SVC-FXR4M2CWOGAZGGYD - [0:0]',
      '-A KUBE-SEP-6O2WVHQLDKFLZQRS -s 172.20.1.144/32 -m comment --comment "kube-system/kube-dns-upstream:dns" -j KUBE-MARK-MASQ',
      '-A KUBE-SEP-6O2WVHQLDKFLZQRS -p udp -m comment --comment "kube-system/kube-dns-upstream:dns" -m udp -j DNAT --to-destination 172.20.1.144:53',
      '-A KUBE-SEP-IG5OB37KH2LEQCBN -s 172.20.1.144/32 -m comment --comment "kube-system/kube-dns-upstream:dns-tcp" -j KUBE-MARK-MASQ',
      '-A KUBE-SEP-IG5OB37KH2LEQCBN -p tcp -m comment --comment "kube-system/kube-dns-upstream:dns-tcp" -m tcp -j DNAT --to-destination 172.20.1.144:53',
      '-A KUBE-SERVICES -d 10.96.31.170/32 -p udp -m comment --comment "kube-system/kube-dns-upstream:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-FXR4M2CWOGAZGGYD',
      '-A KUBE-SERVICES -d 10.96.31.170/32 -p tcp -m comment --comment "kube-system/kube-dns-upstream:dns-tcp cluster IP" -m tcp --dport 53 -j KUBE-SVC-BRK3P4PPQWCLKOAN',
      '-A KUBE-SVC-BRK3P4PPQWCLKOAN ! -s 10.244.0.0/16 -d 10.96.31.170/32 -p tcp -m comment --comment "kube-system/kube-dns-upstream:dns-tcp cluster IP" -m tcp --dport 53 -j KUBE-MARK-MASQ',
      '-A KUBE-SVC-BRK3P4PPQWCLKOAN -m comment --comment "kube-system/kube-dns-upstream:dns-tcp -> 172.20.1.144:53" -j KUBE-SEP-IG5OB37KH2LEQCBN',
      '-A KUBE-SVC-FXR4M2CWOGAZGGYD ! -s 10.244.0.0/16 -d 10.96.31.170/32 -p udp -m comment --comment "kube-system/kube-dns-upstream:dns cluster IP" -m udp --dport 53 -j KUBE-MARK-MASQ',
      '-A KUBE-SVC-FXR4M2CWOGAZGGYD -m comment --comment "kube-system/kube-dns-upstream:dns -> 172.20.1.144:53" -j KUBE-SEP-6O2WVHQLDKFLZQRS',
    ]);
  });

  it('prints the recorded lines of existing services, and node ports', () => {
    const lines = save(cluster());
    for (const line of [
      '-A KUBE-NODEPORTS -d 127.0.0.0/8 -p tcp -m comment --comment "kube-system/hubble-ui:http" -m tcp --dport 30003 -m nfacct --nfacct-name localhost_nps_accepted_pkts -j KUBE-EXT-ZGWW2L4XLRSDZ3EF',
      '-A KUBE-NODEPORTS -p tcp -m comment --comment "kube-system/hubble-ui:http" -m tcp --dport 30003 -j KUBE-EXT-ZGWW2L4XLRSDZ3EF',
      '-A KUBE-SERVICES -d 10.96.152.212/32 -p tcp -m comment --comment "default/webpod cluster IP" -m tcp --dport 80 -j KUBE-SVC-CNZCPOCNCNOROALA',
      '-A KUBE-SERVICES -d 10.96.206.199/32 -p tcp -m comment --comment "kube-system/hubble-ui:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-ZGWW2L4XLRSDZ3EF',
    ]) {
      expect(lines).toContain(line);
    }
  });

  it('puts the new rules at the recorded lines of the tables before nat', () => {
    const world = cluster();
    const before = save(world);
    ensureRules(world.node('k8s-ctr').netfilter, placedRules(['169.254.20.10', '10.96.0.10']));
    const after = save(world);
    const mine = after.flatMap((line, i) => (line.includes('NodeLocal') ? [i + 1] : []));
    expect(
      [mine.slice(0, 4), mine.slice(4, 16), mine.slice(16, 20), mine.slice(20)].map((part) => [part[0], part.at(-1)]),
    ).toEqual([
      [26, 29],
      [31, 42],
      [71, 74],
      [85, 88],
    ]);
    expect(before.indexOf('*nat') + 1).toBe(86);
  });

  it('follows the order in which kube-proxy is said to walk services', () => {
    const world = cluster();
    const order = (): string[] =>
      save(world)
        .filter((line) => line.startsWith('-A KUBE-SERVICES -d'))
        .map((line) => /-d ([\d.]+)/.exec(line)![1]!);
    expect(order()[0]).toBe('10.96.0.1');
    world.cluster.rules.setOrder(['default/webpod', 'kube-system/kube-dns:metrics']);
    expect(order().slice(0, 3)).toEqual(['10.96.152.212', '10.96.0.10', '10.96.0.1']);
  });

  it('rejects for services without endpoints, and names the chains of local ones apart', () => {
    const world = cluster();
    service(world, 'default/empty', '10.96.0.99', [{ port: 80, to: [] }]);
    service(
      world,
      'kube-system/hubble-peer',
      '10.96.0.98',
      [{ name: 'peer-service', port: 443, to: ['192.168.10.100:4244'] }],
      true,
    );
    const lines = save(world);
    expect(lines).toContain(
      '-A KUBE-SERVICES -d 10.96.0.99/32 -p tcp -m comment --comment "default/empty has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
    );
    expect(lines.some((line) => line.startsWith(':KUBE-SVL-'))).toBe(true);
  });

  it('shares a service by falling odds', () => {
    const lines = save(cluster()).filter((line) => line.includes('default/webpod ->'));
    expect(lines[0]).toContain('-m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-');
    expect(lines[1]).not.toContain('statistic');
  });
});
