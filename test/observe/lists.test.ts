import { describe, expect, it } from 'vitest';
import {
  bpfEndpointList,
  ctList,
  endpointList,
  ipMasqLines,
  lrpList,
  natList,
  serviceList,
} from '../../src/observe/cilium/lists.js';
import { configView, statusLines } from '../../src/observe/cilium/status.js';
import type { World } from '../../src/datapath/world.js';
import { conntrackList, ipBrAddr, ipRoute, iptablesSave, resolvectl } from '../../src/observe/host-lists.js';
import { monitorLine, startMonitor } from '../../src/observe/cilium/monitor.js';
import { CILIUM_TABLE, KUBECTL_TABLE, layOut } from '../../src/observe/table.js';
import { lab as plain, machine } from '../datapath/lab.js';
import { observed } from './lab.js';

describe('layOut', () => {
  it.each([
    {
      name: 'pads all but the last cell',
      style: KUBECTL_TABLE,
      rows: [
        ['NAME', 'AGE'],
        ['webpod', '5s'],
      ],
      want: ['NAME     AGE', 'webpod   5s'],
    },
    {
      name: 'keeps a least width',
      style: CILIUM_TABLE,
      rows: [
        ['ID', 'x'],
        ['1', 'y'],
      ],
      want: ['ID   x', '1    y'],
    },
    {
      name: 'counts characters, not UTF-16 units',
      style: CILIUM_TABLE,
      rows: [
        ['𝒳𝒳𝒳', 'x'],
        ['abc', 'y'],
      ],
      want: ['𝒳𝒳𝒳   x', 'abc   y'],
    },
    {
      name: 'ends a column where a row is shorter',
      style: KUBECTL_TABLE,
      rows: [['a', 'b'], ['longer than others'], ['c', 'd']],
      want: ['a     b', 'longer than others', 'c     d'],
    },
    { name: 'nothing', style: KUBECTL_TABLE, rows: [], want: [] },
  ])('$name', ({ rows, style, want }) => expect(layOut(rows, style)).toEqual(want));
});

const words = (line: string): string => line.replace(/:(3[2-9]|[45]\d|60)\d{3}\b/g, ':PORT').trimEnd();

describe('tables of the agent', () => {
  it('connections', () => {
    const { world, ask, clock } = observed();
    ask();
    const node = world.node('k8s-ctr');
    const now = node.uptime(clock.now());
    const lines = ctList(node, now);
    expect(lines.map((line) => words(line.split(' expires=')[0]!))).toEqual([
      'UDP IN 172.20.1.236:PORT -> 172.20.1.144:53',
      'UDP OUT 172.20.1.236:PORT -> 172.20.1.144:53',
    ]);
    const last = Math.floor(now);
    expect(lines[1]!.split('expires=')[1]).toBe(
      `${last + 60} Packets=0 Bytes=0 RxFlagsSeen=0x00 LastRxReport=${last} TxFlagsSeen=0x00 LastTxReport=${last} Flags=0x0000 [ ] RevNAT=0 SourceSecurityID=5580 BackendID=0 `,
    );
  });

  it('connections by TCP, with their flags', () => {
    const { world, clock } = observed({ socketLb: 'host-only' });
    world
      .pod('kube-system', 'coredns-674b8bbfcf-vvgfm')
      .process.listen('', 53, (socket) => socket.handle({ onEnd: () => socket.end() }));
    world.pod('default', 'curl-pod').process.connect('10.96.0.10', 53, { onConnect: (socket) => socket.end() });
    const node = world.node('k8s-ctr');
    const lines = ctList(node, node.uptime(clock.now()));
    expect(lines.map((line) => words(line.split(' expires=')[0]!))).toContain(
      'TCP OUT 172.20.1.236:PORT -> 10.96.0.10:53 service',
    );
    expect(lines.some((line) => line.includes('Flags=0x0013 [ RxClosing TxClosing SeenNonSyn ]'))).toBe(true);
  });

  it('translations, one line each way', () => {
    const { world, clock } = observed();
    world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(4), '10.0.2.3', 53);
    clock.advance(12_000);
    const node = world.node('k8s-ctr');
    expect(natList(node, node.uptime(clock.now())).map(words)).toEqual([
      'UDP OUT 172.20.1.236:PORT -> 10.0.2.3:53 XLATE_SRC 10.0.2.15:PORT Created=12sec ago NeedsCT=0',
      'UDP IN 10.0.2.3:53 -> 10.0.2.15:PORT XLATE_DST 172.20.1.236:PORT Created=12sec ago NeedsCT=0',
    ]);
  });

  it('services with several backends, without any, and a node port', () => {
    const { world } = plain();
    world.setService({
      namespace: 'default',
      name: 'web',
      type: 'NodePort',
      clusterIPs: ['10.96.1.1'],
      ports: [{ name: '', port: 80, protocol: 'TCP', nodePort: 30_080 }],
    });
    world.setBackends(
      'default',
      'web',
      ['172.20.0.5', '172.20.1.5'].map((ip) => ({ portName: '', ip, port: 8080, protocol: 'TCP' as const })),
    );
    world.setService({
      namespace: 'default',
      name: 'idle',
      clusterIPs: ['10.96.1.2'],
      ports: [{ name: '', port: 80, protocol: 'TCP' }],
    });
    expect(serviceList(world, world.node('k8s-ctr')).map((line) => line.trimEnd())).toEqual([
      'ID   Frontend            Service Type   Backend',
      '1    10.96.1.1:80/TCP    ClusterIP      1 => 172.20.0.5:8080/TCP (active)',
      '                                        2 => 172.20.1.5:8080/TCP (active)',
      '2    0.0.0.0:30080/TCP   NodePort       1 => 172.20.0.5:8080/TCP (active)',
      '                                        2 => 172.20.1.5:8080/TCP (active)',
      '3    10.96.1.2:80/TCP    ClusterIP',
    ]);
  });

  it('endpoints: the node alone, under a number that no pod has', () => {
    const { world } = plain();
    expect(
      endpointList(world.node('k8s-w1'))
        .map((line) => line.trim().replace(/\s+/g, ' '))
        .slice(2)[0],
    ).toMatch(/^\d+ Disabled Disabled 1 reserved:host ready$/);
    world.addPod({
      namespace: 'default',
      name: 'a',
      node: 'k8s-w1',
      endpointId: Number(endpointList(world.node('k8s-w1'))[2]!.split(' ')[0]),
    });
    const ids = endpointList(world.node('k8s-w1'))
      .slice(2)
      .flatMap((line) => /^\d+/.exec(line) ?? []);
    expect(new Set(ids).size).toBe(2);
    expect(bpfEndpointList(world.node('k8s-w1')).filter((line) => line.includes('(localhost)'))).toHaveLength(3);
  });

  it.each([
    { name: 'the next number', taken: [7, 8], pinned: 7, want: '9' },
    { name: 'the largest is 4095, and the next to it 2', taken: [4095], pinned: 4095, want: '2' },
    { name: 'the last before it', taken: [4094], pinned: 4094, want: '4095' },
  ])('endpoints: where a pod has the number of the node, $name', ({ taken, pinned, want }) => {
    const { world } = plain();
    world.addNode({
      name: 'k8s-w2',
      interfaces: machine('k8s-w2', 102),
      podCidr: '172.20.2.0/24',
      hostEndpointId: pinned,
    });
    for (const id of taken) world.addPod({ namespace: 'default', name: `p${id}`, node: 'k8s-w2', endpointId: id });
    const host = endpointList(world.node('k8s-w2')).find((line) => line.includes('reserved:host'));
    expect(host!.split(' ')[0]).toBe(want);
  });

  it('policies for an address have no service', () => {
    const frontend = {
      ip: '169.254.169.254',
      port: 80,
      protocol: 'TCP' as const,
      portName: '',
      redirected: true,
      reason: undefined,
      backends: [{ ip: '172.20.1.9', port: 8181, protocol: 'TCP' as const, pod: 'kiam/agent' }],
    };
    const lines = lrpList([
      {
        namespace: 'kiam',
        name: 'lrp',
        frontendType: 'IP + port',
        service: undefined,
        frontends: [frontend],
        reason: undefined,
        warning: undefined,
      },
    ]);
    expect(lines[2]).toBe('                |          169.254.169.254:80/TCP -> 172.20.1.9:8181(kiam/agent), ');
  });

  it('without ip-masq-agent its list has a heading only', () =>
    expect(ipMasqLines(plain().world.config)).toEqual(['IP PREFIX/ADDRESS']));
});

describe('status and settings', () => {
  it.each([
    {
      name: 'BPF',
      config: {},
      want: 'Masquerading:            BPF   [eth0, eth1]   172.20.0.0/16 [IPv4: Enabled, IPv6: Disabled]',
    },
    {
      name: 'with the agent, on one device',
      config: { ipMasqAgent: {}, masqueradeDevices: ['eth0'] },
      want: 'Masquerading:            BPF (ip-masq-agent)   [eth0]   172.20.0.0/16 [IPv4: Enabled, IPv6: Disabled]',
    },
    {
      name: 'on devices whose names begin alike',
      config: { masqueradeDevices: ['eth+', 'bond0'] },
      want: 'Masquerading:            BPF   [eth0, eth1]   172.20.0.0/16 [IPv4: Enabled, IPv6: Disabled]',
    },
    {
      name: 'on devices by the end of whose names others begin',
      config: { masqueradeDevices: ['th+', 'eth1+'] },
      want: 'Masquerading:            BPF   [eth1]   172.20.0.0/16 [IPv4: Enabled, IPv6: Disabled]',
    },
    {
      name: 'iptables',
      config: { masquerade: 'iptables' as const, hostRouting: 'legacy' as const },
      want: 'Masquerading:            IPTables [IPv4: Enabled, IPv6: Disabled]',
    },
    { name: 'off', config: { masquerade: 'off' as const }, want: 'Masquerading:            Disabled' },
    {
      name: 'the own blocks',
      config: { nativeRoutingCidr: undefined },
      want: 'Masquerading:            BPF   [eth0, eth1]   172.20.1.0/24 [IPv4: Enabled, IPv6: Disabled]',
    },
  ])('masquerading: $name', ({ config, want }) => {
    const { world } = plain(config);
    expect(statusLines(world, world.node('k8s-ctr'))).toContain(want);
  });

  it('routing, addresses and replacement of kube-proxy', () => {
    const { world } = plain({ routing: 'vxlan', socketLb: 'off' });
    expect(statusLines(world, world.node('k8s-ctr')).slice(0, 3)).toEqual([
      'KubeProxyReplacement:    False',
      'IPAM:                    IPv4: 1/254 allocated from 172.20.1.0/24,',
      'Routing:                 Network: Tunnel [vxlan]   Host: BPF',
    ]);
  });

  it('config view has the keys of the ConfigMap in their column', () => {
    const viewOf = ({ config, cluster }: World): string[] => configView(config, cluster.ipam.settings);
    const lines = viewOf(plain({ ipMasqAgent: {} }).world);
    expect(lines).toContain('ipam                                              cluster-pool');
    expect(lines).toContain('ipv4-native-routing-cidr                          172.20.0.0/16');
    expect(lines).toContain('enable-ip-masq-agent                              true');
    expect(viewOf(plain().world).some((line) => line.startsWith('enable-ip-masq-agent'))).toBe(false);
  });
});

describe('the host', () => {
  it('ip route and ip -br addr of the router', () => {
    const { world } = plain();
    const { netns } = world.host('router');
    expect(ipBrAddr(netns, 4)).toEqual([
      'lo               UNKNOWN        127.0.0.1/8',
      'eth0             UP             10.0.2.15/24 metric 100',
      'eth1             UP             192.168.10.200/24',
      'loop1            UNKNOWN        10.10.1.200/24',
      'loop2            UNKNOWN        10.10.2.200/24',
    ]);
    expect(ipBrAddr(netns, 6)).toEqual([]);
    expect(ipRoute(netns)).toContain('10.10.1.0/24 dev loop1 proto kernel scope link src 10.10.1.200');
    const { world: pods } = observed();
    expect(ipBrAddr(pods.node('k8s-ctr').netns).find((line) => line.startsWith('lxcd63'))).toMatch(
      /^lxcd63c3c1415ff@if\d+ UP$/,
    );
  });

  it('iptables-save of one table, in local time', () => {
    const { world } = plain();
    const lines = iptablesSave(world.node('k8s-ctr'), {
      now: Date.UTC(2025, 6, 30, 15, 16, 21),
      offset: 540,
      table: 'raw',
    });
    expect([lines[0], lines[1], lines.at(-1)]).toEqual([
      '# Generated by iptables-save v1.8.10 (nf_tables) on Thu Jul 31 00:16:21 2025',
      '*raw',
      '# Completed on Thu Jul 31 00:16:21 2025',
    ]);
  });

  it('conntrack -L', () => {
    const { world, clock } = plain();
    const node = world.node('k8s-ctr');
    world
      .host('resolver-k8s-ctr')
      .process.udp({
        onReadable: (socket) => {
          const asked = socket.recv()!;
          if (asked.payload.length > 1) socket.sendTo(asked.payload, asked.address, asked.port);
        },
      })
      .bind('0.0.0.0', 53);
    node.process.udp().sendTo(new Uint8Array(2), '10.0.2.3', 53);
    node.process.udp().sendTo(new Uint8Array(1), '10.0.2.3', 53);
    node.process.ping('10.0.2.3', { id: 7, seq: 1 });
    world.host('resolver-k8s-ctr').process.listen('0.0.0.0', 80, () => undefined);
    node.process.connect('10.0.2.3', 80).destroy();
    const lines = conntrackList(node, node.uptime(clock.now())).map((line) =>
      line.replace(/(sport|dport)=\d{5}/g, '$1=N'),
    );
    expect(lines).toEqual([
      'udp      17 30 src=10.0.2.15 dst=10.0.2.3 sport=N dport=53 src=10.0.2.3 dst=10.0.2.15 sport=53 dport=N mark=0 use=1',
      'udp      17 30 src=10.0.2.15 dst=10.0.2.3 sport=N dport=53 [UNREPLIED] src=10.0.2.3 dst=10.0.2.15 sport=53 dport=N mark=0 use=1',
      'icmp     1 30 src=10.0.2.15 dst=10.0.2.3 type=8 code=0 id=7 src=10.0.2.3 dst=10.0.2.15 type=0 code=0 id=7 mark=0 use=1',
      'tcp      6 10 CLOSE src=10.0.2.15 dst=10.0.2.3 sport=N dport=80 src=10.0.2.3 dst=10.0.2.15 sport=80 dport=N [ASSURED] mark=0 use=1',
    ]);
  });

  it('resolvectl', () => {
    const { world } = plain();
    expect(
      resolvectl(world.node('k8s-ctr').netns, { eth0: { servers: ['10.0.2.3'], domain: 'Davolink' } }).slice(0, 14),
    ).toEqual([
      'Global',
      '       Protocols: -LLMNR -mDNS -DNSOverTLS DNSSEC=no/unsupported',
      'resolv.conf mode: stub',
      '',
      'Link 2 (eth0)',
      '    Current Scopes: DNS',
      '         Protocols: +DefaultRoute -LLMNR -mDNS -DNSOverTLS DNSSEC=no/unsupported',
      'Current DNS Server: 10.0.2.3',
      '       DNS Servers: 10.0.2.3',
      '        DNS Domain: Davolink',
      '',
      'Link 3 (eth1)',
      'Current Scopes: none',
      '     Protocols: -DefaultRoute -LLMNR -mDNS -DNSOverTLS DNSSEC=no/unsupported',
    ]);
  });
});

describe('monitor', () => {
  it('tells drops, and leaves other events out', () => {
    const { world, events } = observed({ ctWhenFull: 'fail', ctAnyMax: 1 });
    const lines: string[] = [];
    const stop = startMonitor(world, 'k8s-ctr', ['--type', 'drop'], (line) => lines.push(line));
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.sendTo(new Uint8Array(1), '172.20.1.144', 53);
    stop();
    socket.sendTo(new Uint8Array(1), '172.20.1.144', 54);
    expect(
      lines.map((line) =>
        line
          .replace(/flow 0x[\da-f]+/, 'flow F')
          .replace(/endpoint \d+/, 'endpoint E')
          .replace(/\.236:\d+/, '.236:P'),
      ),
    ).toEqual([
      'xx drop (CT: Map insertion failed) flow F to endpoint E, ifindex 0, file unknown:0, , identity 5580->28565: 172.20.1.236:P -> 172.20.1.144:53 udp',
    ]);
    expect(monitorLine(events.find((event) => event.kind === 'capture')!)).toBeUndefined();
  });

  it('tells the other points, and echoes', () => {
    const { world } = observed({ aggregation: 'none' });
    const lines: string[] = [];
    startMonitor(world, 'k8s-ctr', ['--related-to', String(world.pod('default', 'curl-pod').endpoint!.id)], (line) =>
      lines.push(line),
    );
    world.pod('default', 'curl-pod').process.ping('192.168.10.101', { id: 1, seq: 1 });
    expect(
      lines.map((line) =>
        line
          .replace(/endpoint \d+/, 'endpoint E')
          .replace(/flow 0x[\da-f]+/, 'flow F')
          .replace(/lxc\w+/, 'lxc'),
      ),
    ).toEqual([
      '<- endpoint E flow F , identity 5580->remote-node state unknown ifindex lxc orig-ip 172.20.1.236: 172.20.1.236 -> 192.168.10.101 icmp EchoRequest',
      '-> network flow F , identity 5580->remote-node state new ifindex eth1 orig-ip 172.20.1.236: 172.20.1.236 -> 192.168.10.101 icmp EchoRequest',
      '<- network flow F , identity remote-node->5580 state unknown ifindex eth1 orig-ip 192.168.10.101: 192.168.10.101 -> 172.20.1.236 icmp EchoReply',
      '-> endpoint E flow F , identity remote-node->5580 state reply ifindex lxc orig-ip 192.168.10.101: 192.168.10.101 -> 172.20.1.236 icmp EchoReply',
    ]);
  });

  it.each([
    { args: ['--hex'], error: 'cilium-dbg monitor: unknown option --hex' },
    { args: ['--from'], error: 'cilium-dbg monitor: option --from needs a value' },
    { args: ['--to', 'webpod'], error: 'cilium-dbg monitor: "webpod" is no endpoint number (--to)' },
    { args: ['-t', 'l7'], error: 'cilium-dbg monitor: unknown type "l7": want one of drop, trace' },
  ])('refuses $args', ({ args, error }) =>
    expect(() => startMonitor(plain().world, 'k8s-ctr', args, () => undefined)).toThrow(error),
  );
});
