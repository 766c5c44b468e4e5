import { describe, expect, it } from 'vitest';
import { rule } from '../../src/datapath/netfilter/rule.js';
import type { CaptureEvent, DatapathEvent, TraceEvent } from '../../src/datapath/events.js';
import { formatRoute } from '../../src/datapath/netns/route.js';
import { dnsLab, echo, lab, machine } from './lab.js';

const one = new Uint8Array([1]);
const captures = (events: readonly DatapathEvent[], netns: string): readonly CaptureEvent[] =>
  events.filter((event): event is CaptureEvent => event.kind === 'capture' && event.netns === netns);
const traces = (events: readonly DatapathEvent[]): readonly TraceEvent[] =>
  events.filter((event): event is TraceEvent => event.kind === 'trace');

describe('events', () => {
  it('are counted, and a sender is given those of its packet', () => {
    const { world, events } = dnsLab();
    const { process } = world.pod('default', 'curl-pod');
    const first = process.udp().sendTo(one, '172.20.1.144', 53);
    process.udp().sendTo(one, '172.20.1.144', 53);
    const [start] = events.map(({ seq }) => seq);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => start! + i));
    expect(first.events.length).toBeGreaterThan(0);
    expect(first.events).toEqual(events.slice(0, first.events.length));
  });

  it('of a connection of the node itself name no endpoint', () => {
    const { world, events } = dnsLab();
    world.node('k8s-ctr').process.udp().sendTo(one, '192.168.10.101', 53);
    const told = traces(events).filter(({ point }) => point === 'to-network');
    expect(told.map(({ node, endpointId }) => [node, endpointId])).toEqual([['k8s-ctr', 0]]);
  });

  it('have the time at which the packet comes by', () => {
    const made = dnsLab({}, { latency: { local: 1, wire: 10 } });
    const start = made.clock.now();
    made.world.node('k8s-ctr').process.udp().sendTo(one, '192.168.10.200', 53);
    const told = captures(made.events, 'host/router').map(({ direction, time, device }) => [
      direction,
      device,
      time - start,
    ]);
    // The router answers that the port is closed.
    expect(told[0]).toEqual(['In', 'eth1', 10]);
    expect(captures(made.events, 'node/k8s-ctr').at(-1)).toMatchObject({ direction: 'In', device: 'eth1' });
  });

  it('a router takes its time to pass a packet on', () => {
    const made = lab({ masquerade: 'off' }, { latency: { local: 1, wire: 10 } });
    made.world.addRoute('k8s-ctr', { to: '10.99.0.0/16', via: '192.168.10.200' });
    made.world.addRoute('router', { to: '10.99.0.0/16', via: '192.168.10.101' });
    const start = made.clock.now();
    made.world.node('k8s-ctr').process.udp().sendTo(one, '10.99.0.1', 53);
    expect(captures(made.events, 'host/router').map(({ direction, time }) => [direction, time - start])).toEqual([
      ['In', 10],
      ['Out', 11],
    ]);
  });

  it('a host outside cuts what is too long for its link', () => {
    const { world, events } = lab();
    world.host('router').process.udp().sendTo(new Uint8Array(2000), '192.168.10.100', 53);
    expect(
      captures(events, 'host/router')
        .filter(({ direction }) => direction === 'Out')
        .map(({ fragment }) => [fragment?.offset, fragment?.length]),
    ).toEqual([
      [0, 1480],
      [1480, 528],
    ]);
  });
});

describe('what a node does with a packet', () => {
  it('of its own that a rule drops: it does not leave', () => {
    const { world, events } = lab();
    world.node('k8s-ctr').netfilter.append('filter', 'OUTPUT', rule().drop());
    const outcome = world.node('k8s-ctr').process.udp().sendTo(one, '192.168.10.101', 53);
    expect([outcome.verdict, captures(events, 'node/k8s-ctr')]).toEqual(['lost', []]);
  });

  it('that a rule rejects: the sender hears that the port is closed', () => {
    const { world } = lab();
    world.node('k8s-w1').netfilter.append('filter', 'INPUT', rule().to({ kind: 'reject' }, '-j', 'REJECT'));
    const client = world.node('k8s-ctr').process.udp();
    client.connect('192.168.10.101', 53);
    client.send(one);
    expect(() => client.send(one)).toThrow('ECONNREFUSED: 192.168.10.101:53 is closed');
  });

  it.each([
    { name: 'drops', kind: 'drop', told: 'dropped' },
    { name: 'rejects', kind: 'reject', told: 'rejected' },
  ] as const)('that a rule $name: it is told as lost', ({ kind, told }) => {
    const { world } = lab();
    world.node('k8s-w1').netfilter.append('filter', 'INPUT', rule().to({ kind }, '-j', kind.toUpperCase()));
    const outcome = world.node('k8s-ctr').process.udp().sendTo(one, '192.168.10.101', 53);
    expect(outcome).toMatchObject({ verdict: 'lost', reason: `netfilter INPUT ${told} the packet` });
  });

  it('has no mark before a rule gives it one', () => {
    const { world } = lab();
    world.node('k8s-w1').netfilter.append('filter', 'INPUT', rule().mark(1, 1).drop());
    const server = world.node('k8s-w1').process.udp();
    server.bind('0.0.0.0', 53);
    world.node('k8s-ctr').process.udp().sendTo(one, '192.168.10.101', 53);
    expect(server.readable).toBe(1);
  });

  it('for any of its addresses of loopback: it takes it', () => {
    const { world } = lab();
    const { process } = world.node('k8s-ctr');
    const server = process.udp();
    server.bind('127.0.0.53', 53);
    process.udp().sendTo(one, '127.0.0.53', 53);
    expect(server.readable).toBe(1);
  });

  it('for a port that is none of the node ports: a service does not get it', () => {
    const { world } = dnsLab();
    for (const nodePort of [30_053, 53]) {
      world.setService({
        namespace: 'kube-system',
        name: 'kube-dns',
        type: 'NodePort',
        clusterIPs: ['10.96.0.10'],
        ports: [{ name: 'dns', port: 53, protocol: 'UDP', nodePort }],
      });
      const to = world.pod('default', 'curl-pod').process.udp().sendTo(one, '192.168.10.100', nodePort).packet.dst;
      // The range of the API server's flag service-node-port-range.
      expect([nodePort, to]).toEqual([nodePort, nodePort === 53 ? '192.168.10.100' : '172.20.1.144']);
    }
  });

  it('without a way back: nobody is told that the port is closed', () => {
    const { world, events } = dnsLab({ masquerade: 'off' });
    const outcome = world.pod('default', 'curl-pod').process.udp().sendTo(one, '10.0.2.3', 99);
    expect(outcome.verdict).toBe('refused');
    expect(captures(events, 'host/resolver-k8s-ctr').map(({ direction }) => direction)).toEqual(['In']);
  });
});

describe('a connection of a node that masquerades pods', () => {
  const sportOf = (made: ReturnType<typeof dnsLab>): number => {
    const socket = made.world.node('k8s-ctr').process.udp();
    socket.bind('0.0.0.0', 40_000);
    return socket.sendTo(one, '10.10.1.200', 53).packet.sport;
  };

  it('keeps its port, and no translation of it', () => {
    const made = dnsLab();
    expect([sportOf(made), made.world.node('k8s-ctr').nat.size]).toEqual([40_000, 0]);
  });

  it('is given another port where a pod has its own', () => {
    const made = dnsLab();
    const socket = made.world.pod('default', 'curl-pod').process.udp();
    socket.bind('0.0.0.0', 40_000);
    expect(socket.sendTo(one, '10.10.1.200', 53).packet).toMatchObject({ src: '192.168.10.100', sport: 40_000 });
    expect(sportOf(made)).not.toBe(40_000);
  });

  it('is told the size that fits a narrow link (RFC 1191)', () => {
    const { world, events } = lab({ masquerade: 'off' });
    world.addHost({
      name: 'narrow',
      interfaces: [
        { name: 'eth1', addresses: ['192.168.10.7/24'], segment: 'lan' },
        { name: 'eth2', addresses: ['10.77.0.1/24'], segment: 'far', mtu: 600 },
      ],
      forward: true,
    });
    world.addRoute('k8s-ctr', { to: '10.77.0.0/24', via: '192.168.10.7' });
    world.node('k8s-ctr').process.udp().sendTo(new Uint8Array(1000), '10.77.0.9', 53);
    const told = captures(events, 'node/k8s-ctr').filter(({ packet }) => packet.icmp);
    // From the address by which the error leaves, not that of the narrow link (RFC 1812 section 4.3.2.4).
    expect(told.map(({ packet }) => [packet.src, packet.icmp!.kind, packet.icmp!.mtu])).toEqual([
      ['192.168.10.7', 'frag-needed', 600],
    ]);
  });
});

describe('what a pod answers', () => {
  it('goes back with its own address', () => {
    const { world } = dnsLab({ nativeRoutingCidr: '172.20.0.0/16' });
    world.addRoute('router', { to: '172.20.1.0/24', via: '192.168.10.100' });
    echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
    const client = world.host('router').process.udp();
    client.sendTo(one, '172.20.1.144', 53);
    expect(client.recv()).toMatchObject({ address: '172.20.1.144', port: 53 });
    expect(world.node('k8s-ctr').nat.size).toBe(0);
  });

  it('is marked where it asked itself by way of a service', () => {
    const { world, clock } = dnsLab({ socketLb: 'off' });
    echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
    const node = world.node('k8s-ctr');
    const loops = (): boolean[] =>
      node.conntrack
        .list(node.uptime(clock.now()))
        .filter(({ direction }) => direction === 'OUT')
        .map(({ lbLoopback }) => lbLoopback);
    world.pod('default', 'curl-pod').process.udp().sendTo(one, '10.96.0.10', 53);
    expect(loops()).toEqual([false]);
    node.conntrack.flush();
    world.pod('kube-system', 'coredns-674b8bbfcf-vvgfm').process.udp().sendTo(one, '10.96.0.10', 53);
    expect(loops()).toEqual([true]);
  });
});

describe('a pod in the network of its node', () => {
  it('leaves the sockets of the node as they are when it goes', () => {
    const { world } = lab();
    const server = world.node('k8s-w1').process.udp();
    server.bind('0.0.0.0', 53);
    world.addPod({ namespace: 'kube-system', name: 'cilium', node: 'k8s-w1', hostNetwork: true });
    world.removePod('kube-system', 'cilium');
    world.node('k8s-ctr').process.udp().sendTo(one, '192.168.10.101', 53);
    expect(server.readable).toBe(1);
  });
});

describe('devices', () => {
  it('of pods have numbers that the node has not, and are told in their order', () => {
    const { world } = lab();
    const { netns } = world.node('k8s-w1');
    const highest = (): number => Math.max(...netns.interfaces.map(({ index }) => index));
    const before = highest();
    world.addPod({ namespace: 'a', name: 'drawn', node: 'k8s-w1' });
    // The end in the pod has the number between.
    expect(highest()).toBe(before + 2);
    world.addPod({ namespace: 'a', name: 'late', node: 'k8s-w1', ifindex: 50 });
    world.addPod({ namespace: 'a', name: 'early', node: 'k8s-w1', ifindex: 40 });
    const indices = netns.interfaces.map(({ index }) => index);
    expect(indices).toEqual([...indices].sort((a, b) => a - b));
    expect(indices.slice(-2)).toEqual([40, 50]);
    expect(() => world.addPod({ namespace: 'a', name: 'again', node: 'k8s-w1', ifindex: 50 })).toThrow(
      'ifindex: device number 50 is taken on k8s-w1',
    );
  });

  it('on no link are neither up nor down, and a dummy is as wide as Ethernet', () => {
    const { world } = lab();
    world.addDummy('k8s-w1', 'nodelocaldns', ['169.254.20.10']);
    const state = (name: string): string | undefined => world.host('router').netns.interface(name)?.state;
    expect(['lo', 'eth1', 'loop1'].map(state)).toEqual(['UNKNOWN', 'UP', 'UNKNOWN']);
    expect(world.node('k8s-w1').netns.interface('nodelocaldns')?.mtu).toBe(1500);
  });

  // RFC 791: every link takes 68 octets.
  it.each([
    { mtu: 67, fits: false },
    { mtu: 68, fits: true },
    { mtu: 65_535, fits: true },
    { mtu: 65_536, fits: false },
    { mtu: 1500.5, fits: false },
  ])('may have an MTU of $mtu: $fits', ({ mtu, fits }) => {
    const { world } = lab();
    const add = () => world.addHost({ name: 'h', interfaces: [{ ...machine('h', 7)[1]!, mtu }] });
    if (fits) expect(add).not.toThrow();
    else expect(add).toThrow(`mtu: got ${mtu}, want 68 to 65535`);
  });
});

describe('services', () => {
  const service = (name: string, ip: string, id?: number) => ({
    namespace: 'a',
    name,
    clusterIPs: [ip],
    ports: [{ name: 'dns', port: 53, protocol: 'UDP' as const, ...(id !== undefined && { id }) }],
  });
  const redirect = (ip: string) => ({ policy: 'a/p', ip, port: 53, protocol: 'UDP', backends: [] }) as const;

  it('may take the number of a redirect that is gone, not that of a service that was redirected', () => {
    const { world } = lab();
    world.setService(service('one', '10.96.0.1'));
    world.setRedirects('k8s-ctr', [redirect('169.254.20.10'), redirect('10.96.0.1')]);
    const numberOf = (address: string) =>
      world
        .node('k8s-ctr')
        .redirectList()
        .find(({ ip }) => ip === address)!.id;
    const [own, shared] = ['169.254.20.10', '10.96.0.1'].map(numberOf);
    world.setRedirects('k8s-ctr', [redirect('169.254.20.10'), redirect('10.96.0.1')]);
    expect(() => world.setService(service('two', '10.96.0.2', own))).toThrow(`service number ${own} is taken`);
    world.setRedirects('k8s-ctr', []);
    expect(() => world.setService(service('two', '10.96.0.2', own))).not.toThrow();
    expect(() => world.setService(service('three', '10.96.0.3', shared))).toThrow(`service number ${shared} is taken`);
  });

  it('know a backend by its number, whenever it comes back', () => {
    const { world } = lab();
    world.setService(service('one', '10.96.0.1'));
    const backend = (last: number) => ({ portName: 'dns', ip: `172.20.1.${last}`, port: 53, protocol: 'UDP' }) as const;
    const ids = (...last: number[]): (number | undefined)[] => {
      world.setBackends('a', 'one', last.map(backend));
      return world
        .node('k8s-ctr')
        .frontend('10.96.0.1', 53, 'UDP')!
        .backends.map(({ id }) => id);
    };
    const [first, second] = ids(1, 2);
    expect([first, second].map((id) => typeof id)).toEqual(['number', 'number']);
    expect(second).not.toBe(first);
    expect(ids(2)).toEqual([second]);
    expect(ids(2, 1)).toEqual([second, first]);
  });

  it.each([
    { affinity: 0, fits: false },
    { affinity: 1, fits: true },
    { affinity: 86_400, fits: true },
    { affinity: 86_401, fits: false },
  ])('keep a client for $affinity seconds: $fits', ({ affinity, fits }) => {
    const { world } = lab();
    const set = () => world.setService({ ...service('one', '10.96.0.1'), affinity });
    if (fits) expect(set).not.toThrow();
    else expect(set).toThrow(`affinity: got ${affinity}, want 1 to 86400 seconds`);
  });

  it('that are gone leave no chain of kube-proxy', () => {
    const { world } = dnsLab({ kubeProxy: true, socketLb: 'off' });
    const chains = (): number =>
      world
        .node('k8s-ctr')
        .netfilter.chains('nat')
        .filter((name) => /SVC-/.test(name)).length;
    expect(chains()).toBe(3);
    world.removeService('kube-system', 'kube-dns');
    expect(chains()).toBe(0);
  });
});

it('what a redirect of an address of its own answers comes from that address', () => {
  const { world } = dnsLab({ socketLb: 'off' });
  echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
  const addresses = ['169.254.20.10', '169.254.20.11'];
  const backends = [{ ip: '172.20.1.144', port: 53, protocol: 'UDP' as const }];
  world.setRedirects(
    'k8s-ctr',
    addresses.map((ip) => ({ policy: `a/${ip}`, ip, port: 53, protocol: 'UDP', backends })),
  );
  for (const address of addresses) {
    const client = world.pod('default', 'curl-pod').process.udp();
    client.sendTo(one, address, 53);
    expect(client.recv()?.address).toBe(address);
  }
});

it('a CiliumNode that is deleted takes the routes to its block along, and no others', () => {
  const { world } = lab({ autoDirectNodeRoutes: true });
  const routes = () => world.node('k8s-ctr').netns.routes.list().map(formatRoute);
  const before = routes();
  expect(before.filter((route) => route.startsWith('172.20.0.0/24'))).toHaveLength(1);
  world.deleteCiliumNode('k8s-w1');
  expect(routes()).toEqual(before.filter((route) => !route.startsWith('172.20.0.0/24')));
});

describe('settings that change', () => {
  it('write the rules of the agents anew', () => {
    const { world } = lab({ masquerade: 'iptables', hostRouting: 'legacy', nativeRoutingCidr: '172.20.0.0/16' });
    const rules = (): string => world.node('k8s-ctr').netfilter.lines('nat').join('\n');
    expect([rules().includes('172.20.0.0/16'), rules().includes('10.0.0.0/8')]).toEqual([true, false]);
    world.reconfigure({ nativeRoutingCidr: '10.0.0.0/8' });
    expect([rules().includes('172.20.0.0/16'), rules().includes('10.0.0.0/8')]).toEqual([false, true]);
  });

  it('may not ask for pools that the rest does not bear', () =>
    expect(() => lab({ routing: 'vxlan' }).world.setIpam({ mode: 'multi-pool' })).toThrow('config.routing'));

  it('garbage is what has expired in any of the tables', () => {
    const { world, clock } = dnsLab({ installNoConntrackRules: false });
    const node = world.node('k8s-ctr');
    world.pod('default', 'curl-pod').process.udp().sendTo(one, '10.10.1.200', 53);
    node.process.udp().sendTo(one, '192.168.10.101', 53);
    const sizes = () => [node.conntrack.size, node.kernel.size, node.nat.size];
    expect(sizes().every((size) => size > 0)).toBe(true);
    expect(world.collectGarbage()).toBe(0);
    clock.advance(1_000_000);
    expect(world.collectGarbage()).toBeGreaterThanOrEqual(3);
    expect(sizes()).toEqual([0, 0, 0]);
  });
});

it('a datagram socket that is closed is not bound again', () => {
  const socket = lab().world.node('k8s-ctr').process.udp();
  socket.close();
  expect(() => socket.bind('0.0.0.0', 53)).toThrow('EBADF');
});
