import { describe, expect, it } from 'vitest';
import type { Aggregation } from '../../src/datapath/config.js';
import type { CaptureEvent, DatapathEvent } from '../../src/datapath/events.js';
import { formatRoute } from '../../src/datapath/netns/route.js';
import { dnsLab, echo, nodeCaptures, story } from './lab.js';

const routes = (world: ReturnType<typeof dnsLab>['world'], node: string): string[] =>
  world.node(node).netns.routes.list().map(formatRoute);
const captures = (events: readonly DatapathEvent[], node: string): CaptureEvent[] =>
  events.filter((event): event is CaptureEvent => event.kind === 'capture' && event.netns === `node/${node}`);

describe('native routing', () => {
  it('has the recorded table: remote block, one route for each pod', () => {
    const { world } = dnsLab();
    expect(routes(world, 'k8s-ctr')).toEqual([
      'default via 10.0.2.2 dev eth0 proto dhcp src 10.0.2.15 metric 100',
      '10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.15 metric 100',
      '10.0.2.2 dev eth0 proto dhcp scope link src 10.0.2.15 metric 100',
      '10.0.2.3 dev eth0 proto dhcp scope link src 10.0.2.15 metric 100',
      '10.10.0.0/16 via 192.168.10.200 dev eth1 proto static',
      '172.20.0.0/24 via 192.168.10.101 dev eth1 proto kernel',
      '172.20.1.144 dev lxcf2a822e72a6e proto kernel scope link',
      '172.20.1.236 dev lxcd63c3c1415ff proto kernel scope link',
      '192.168.10.0/24 dev eth1 proto kernel scope link src 192.168.10.100',
    ]);
    expect(world.host('router').netns.routes.list().map(formatRoute)).toContain(
      '10.10.1.0/24 dev loop1 proto kernel scope link src 10.10.1.200',
    );
  });

  it('without direct routes a remote pod is looked for by the default route', () => {
    const { world, events } = dnsLab({ autoDirectNodeRoutes: false });
    const outcome = world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(1), '172.20.0.9', 53);
    expect(outcome).toMatchObject({ verdict: 'lost', reason: 'no host answers for 10.0.2.2 on eth0 (nat-k8s-ctr)' });
    expect(nodeCaptures(events, 'k8s-ctr').at(-1)).toBe('eth0 Out 172.20.1.236:a > 172.20.0.9:53');
  });

  it('without endpoint routes the own block leads to cilium_host', () => {
    const { world } = dnsLab({ endpointRoutes: false });
    const router = world.node('k8s-ctr').ciliumNode!.routerIp;
    expect(routes(world, 'k8s-ctr')).toEqual(
      expect.arrayContaining([
        `172.20.1.0/24 via ${router} dev cilium_host proto kernel src ${router}`,
        `${router} dev cilium_host proto kernel scope link`,
      ]),
    );
    const socket = world.node('k8s-ctr').process.udp();
    echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
    socket.sendTo(new Uint8Array(1), '172.20.1.144', 53);
    expect(socket.recv()).toMatchObject({ address: '172.20.1.144', localAddress: router });
  });

  it('a node cuts what it sends to fit its link', () => {
    const { world, events } = dnsLab();
    world.node('k8s-ctr').process.udp().sendTo(new Uint8Array(2000), '192.168.10.101', 53);
    const sent = captures(events, 'k8s-ctr').filter((event) => event.direction === 'Out');
    expect(sent.map((event) => event.fragment?.length)).toEqual([1480, 528]);
  });

  it('goes through the node stack by legacy host routing', () => {
    const { world, events } = dnsLab({ hostRouting: 'legacy' });
    world.addPod({ namespace: 'default', name: 'far', node: 'k8s-w1', ip: '172.20.0.130' });
    echo(world, 'default', 'far');
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.sendTo(new Uint8Array(1), '172.20.0.130', 53);
    expect(socket.recv()).toMatchObject({ address: '172.20.0.130' });
    expect(story(events, ['trace'])).toEqual([
      'curl-pod:a -> far:53 to-stack',
      'curl-pod:a -> far:53 to-endpoint',
      'curl-pod:a <- far:53 to-stack',
      'curl-pod:a <- far:53 to-endpoint',
    ]);
    expect(
      nodeCaptures(events, 'k8s-w1').map((line) =>
        line
          .replace(/lxc\w+/, 'lxc')
          .split(' ')
          .slice(0, 2)
          .join(' '),
      ),
    ).toEqual(['eth1 In', 'lxc Out', 'lxc In', 'eth1 Out']);
  });
});

describe.each([
  { routing: 'vxlan' as const, port: 8472 },
  { routing: 'geneve' as const, port: 6081 },
])('tunnel by $routing', ({ routing, port }) => {
  function tunnel(aggregation: Aggregation = 'medium') {
    const made = dnsLab({ routing, aggregation });
    made.world.addPod({ namespace: 'default', name: 'far', node: 'k8s-w1', ip: '172.20.0.130' });
    echo(made.world, 'default', 'far');
    return made;
  }

  it('carries the pod packet between node addresses, with the identity', () => {
    const { world, events } = tunnel();
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.sendTo(new Uint8Array(1), '172.20.0.130', 53);
    expect(socket.recv()).toMatchObject({ address: '172.20.0.130' });
    expect(story(events, ['trace'])).toEqual([
      'curl-pod:a -> far:53 to-overlay',
      'curl-pod:a -> far:53 to-endpoint',
      'curl-pod:a <- far:53 to-overlay',
      'curl-pod:a <- far:53 to-endpoint',
    ]);
    const [, tunnelOut, wire] = captures(events, 'k8s-ctr');
    expect(tunnelOut).toMatchObject({ device: `cilium_${routing}`, direction: 'Out' });
    expect(tunnelOut).not.toHaveProperty('encapsulation');
    expect(wire).toMatchObject({
      device: 'eth1',
      direction: 'Out',
      encapsulation: { type: routing, src: '192.168.10.100', dst: '192.168.10.101', dport: port, vni: 5580 },
    });
  });

  it('is left at the other end: what comes out is the packet of the pod', () => {
    const { world, events } = tunnel();
    world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(1), '172.20.0.130', 53);
    const inside = captures(events, 'k8s-w1').filter(
      ({ device, direction }) => `${device} ${direction}` === `cilium_${routing} In`,
    );
    expect(inside[0]).toMatchObject({ packet: { src: '172.20.1.236', dst: '172.20.0.130' } });
    for (const event of inside) expect(event).not.toHaveProperty('encapsulation');
  });

  it('leaves 50 bytes for itself in the pod route, not on the device', () => {
    const { world } = tunnel();
    const { netns } = world.pod('default', 'curl-pod');
    expect(netns.interface('eth0')!.mtu).toBe(1500);
    expect(netns.mtuTo('172.20.0.130')).toBe(1450);
    expect(routes(world, 'k8s-ctr')).toContain(
      `172.20.0.0/24 via ${world.node('k8s-ctr').ciliumNode!.routerIp} dev cilium_host proto ` +
        `kernel src ${world.node('k8s-ctr').ciliumNode!.routerIp} mtu 1450`,
    );
  });

  it('is told of where it comes out, where all is told', () => {
    const { world, events } = tunnel('none');
    world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(1), '172.20.0.130', 53);
    expect(story(events, ['trace'])).toContain('curl-pod:a -> far:53 from-overlay');
  });

  it('reaches a pod from the other node too', () => {
    const { world, events } = tunnel();
    const socket = world.node('k8s-ctr').process.udp();
    socket.sendTo(new Uint8Array(1), '172.20.0.130', 53);
    expect(socket.recv()).toMatchObject({ address: '172.20.0.130' });
    // What a node sends is in no table: whether it is an answer is not known.
    const [sent] = events.filter((event) => event.kind === 'trace');
    expect(sent).toMatchObject({ point: 'to-overlay', node: 'k8s-ctr', isReply: undefined });
  });

  it('cuts what comes from outside and fits the link, but not the tunnel', () => {
    const { world, events } = tunnel();
    world.addRoute('router', { to: '172.20.0.0/24', via: '192.168.10.100' });
    for (const bytes of [1422, 1423])
      world.host('router').process.udp().sendTo(new Uint8Array(bytes), '172.20.0.130', 53);
    const pieces = captures(events, 'k8s-ctr')
      .filter((event) => event.device === 'eth1' && event.direction === 'Out' && event.encapsulation)
      .map((event) => event.fragment?.length);
    // Of 1450 bytes, 20 are the header; all but the last piece hold a multiple of eight (RFC 791 section 3.2).
    expect(pieces).toEqual([undefined, 1424, 7]);
  });

  it('cuts a long datagram to fit', () => {
    const { world, events } = tunnel();
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.sendTo(new Uint8Array(2000), '172.20.0.130', 53);
    expect(socket.recv()!.payload).toHaveLength(2000);
    const pieces = captures(events, 'k8s-ctr')
      .filter((event) => event.device === 'eth1' && event.direction === 'Out')
      .map((event) => event.fragment);
    expect(pieces).toEqual([
      { offset: 0, length: 1424, more: true },
      { offset: 1424, length: 584, more: false },
    ]);
  });
});

describe('a narrow link', () => {
  it('tells the sender its size, which then fits its packets', () => {
    const { world } = dnsLab();
    const narrow = world.addHost({
      name: 'narrow',
      forward: true,
      interfaces: [
        { name: 'eth0', addresses: ['192.168.10.210/24'], segment: 'lan' },
        { name: 'eth1', addresses: ['10.30.0.1/24'], segment: 'deep', mtu: 1000 },
      ],
    });
    world.addHost({
      name: 'deep',
      interfaces: [{ name: 'eth0', addresses: ['10.30.0.2/24'], segment: 'deep', mtu: 1000, gateway: '10.30.0.1' }],
    });
    world.host('deep').process.udp().bind('0.0.0.0', 53);
    world.addRoute('k8s-ctr', { to: '10.30.0.0/24', via: '192.168.10.210' });
    const socket = world.pod('default', 'curl-pod').process.udp();
    expect(socket.sendTo(new Uint8Array(1200), '10.30.0.2', 53)).toMatchObject({
      verdict: 'lost',
      reason: '1228 bytes do not fit the 1000 of eth1',
    });
    expect(world.pod('default', 'curl-pod').netns.mtuTo('10.30.0.2')).toBe(1000);
    expect(socket.sendTo(new Uint8Array(1200), '10.30.0.2', 53).verdict).toBe('delivered');
    expect(narrow.netns.addresses).toEqual(['192.168.10.210', '10.30.0.1']);
  });
});
