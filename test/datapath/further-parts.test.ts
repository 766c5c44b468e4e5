import { describe, expect, it } from 'vitest';
import { securityLabels } from '../../src/datapath/cluster/identity.js';
import { splitAddress } from '../../src/datapath/cluster/node.js';
import { resolveConfig } from '../../src/datapath/config.js';
import { CidrSet } from '../../src/datapath/ipam/cidr-set.js';
import { Netfilter } from '../../src/datapath/netfilter/tables.js';
import { formatCidr, parseCidr } from '../../src/lib/cidr.js';
import { lab, dnsLab, echo } from './lab.js';

it('two pools are cut into blocks, one after the other, and round again', () => {
  const set = new CidrSet(
    ['10.0.0.0/29', '10.1.0.0/29'].map((text) => parseCidr(text)!),
    30,
    'pool',
  );
  const take = (): string => formatCidr(set.allocate('a'));
  expect([take(), take(), take()]).toEqual(['10.0.0.0/30', '10.0.0.4/30', '10.1.0.0/30']);
  set.release(parseCidr('10.0.0.4/30')!);
  expect([take(), take()]).toEqual(['10.1.0.4/30', '10.0.0.4/30']);
  expect(take).toThrow('no block left for a: all 4 of 10.0.0.0/29, 10.1.0.0/29 are in use');
  set.release(parseCidr('10.1.0.4/30')!);
  expect([set.occupy(parseCidr('10.1.0.4/30')!, 'b'), set.occupy(parseCidr('10.2.0.0/30')!, 'b')]).toEqual([
    true,
    false,
  ]);
  expect(() => set.occupy(parseCidr('10.1.0.4/30')!, 'c')).toThrow('10.1.0.4/30 already belongs to b');
});

it.each([
  { size: 1, prime: false },
  { size: 2, prime: true },
  { size: 3, prime: true },
  { size: 4, prime: false },
  { size: 9, prime: false },
])('a table of $size places: $prime', ({ size, prime }) => {
  const resolve = () => resolveConfig({ maglevTableSize: size });
  if (prime) expect(resolve).not.toThrow();
  else expect(resolve).toThrow(`config.maglevTableSize: got ${size}, want a prime`);
});

it.each([
  { text: '10.0.0.1/24', ip: '10.0.0.1' },
  { text: '10.0.0.1', ip: undefined },
  { text: '/24', ip: undefined },
  { text: 'x/24', ip: undefined },
])('$text has the address $ip', ({ text, ip }) => expect(splitAddress(text)?.ip).toBe(ip));

describe('a pod that comes and goes', () => {
  it('has a loopback, its address alone, and a route to its router', () => {
    const { world } = lab();
    const { netns, ip, node } = world.addPod({ namespace: 'default', name: 'a', node: 'k8s-w1' });
    expect(netns.interface('lo')?.addresses.map((one) => one.ip)).toContain('127.0.0.1');
    expect(netns.interface('eth0')?.addresses).toEqual([{ ip, prefixLength: 32 }]);
    const router = node.ciliumNode!.routerIp;
    expect(netns.routes.lookup(router)).toMatchObject({ device: 'eth0', scope: 'link' });
    expect(netns.routes.lookup('10.9.9.9')).toMatchObject({ via: router });
  });

  it('leaves nothing of it on its node', () => {
    const { world } = lab();
    const node = world.node('k8s-w1');
    const seen = () => [node.netns.interfaces.length, node.byDevice.size, node.endpoints.size, node.netns.routes.size];
    const before = seen();
    world.addPod({ namespace: 'default', name: 'a', node: 'k8s-w1' });
    expect(seen()).not.toEqual(before);
    world.removePod('default', 'a');
    expect(seen()).toEqual(before);
  });

  it('takes its sockets along: what comes for it is not heard', () => {
    const { world } = dnsLab();
    echo(world, 'kube-system', 'coredns-674b8bbfcf-vvgfm');
    const client = world.pod('default', 'curl-pod').process.udp();
    client.connect('10.96.0.10', 53);
    expect(client.send(Buffer.from('x')).verdict).toBe('delivered');
    world.removePod('kube-system', 'coredns-674b8bbfcf-vvgfm');
    expect(client.send(Buffer.from('x')).verdict).not.toBe('delivered');
  });
});

it('what is on its way to a pod that goes is not heard, what is on its way to others is', () => {
  const later: (() => void)[] = [];
  const { world } = dnsLab({}, { schedule: (run) => later.push(run) });
  const [gone, stays] = ['gone', 'stays'].map((name) => {
    const { ip, process } = world.addPod({ namespace: 'default', name, node: 'k8s-ctr' });
    const socket = process.udp();
    socket.bind('0.0.0.0', 53);
    world.pod('default', 'curl-pod').process.udp().sendTo(Buffer.from('x'), ip, 53);
    return socket;
  });
  world.removePod('default', 'gone');
  for (const run of later) run();
  expect([gone!.readable, stays!.readable]).toEqual([0, 1]);
});

describe('a node', () => {
  it('is told of when it comes', () => {
    const { world } = lab();
    const told: string[] = [];
    world.changes.subscribe((change) => told.push(`${change.kind} ${'name' in change ? change.name : ''}`));
    world.addNode({
      name: 'late',
      interfaces: [{ name: 'eth1', addresses: ['192.168.10.102/24'], segment: 'lan' }],
      podCidr: '172.20.2.0/24',
    });
    world.setService({ namespace: 'default', name: 'web', clusterIPs: ['10.96.0.99'], ports: [] });
    expect(told).toEqual(['node late', 'service web']);
  });

  it('and all others have a loopback, which is the first of their devices', () => {
    const { world } = lab();
    for (const { netns } of [world.node('k8s-w1'), world.host('router')])
      expect(netns.interface('lo')).toMatchObject({ index: 1, addresses: [{ ip: '127.0.0.1', prefixLength: 8 }] });
  });

  it('counts its seconds from a boot that was before all else', () => {
    const { world, clock } = lab();
    const node = world.node('k8s-w1');
    const before = node.uptime(clock.now());
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(10 * 365 * 86_400);
    clock.advance(5000);
    expect(node.uptime(clock.now())).toBe(before + 5);
  });

  it("has its agent's devices one after the other, a dummy behind them", () => {
    const { world } = lab();
    world.addDummy('k8s-w1', 'dummy0', ['169.254.20.10', 'fd00::1']);
    const { netns } = world.node('k8s-w1');
    const index = (name: string): number => netns.interface(name)!.index;
    expect(index('cilium_host')).toBe(index('cilium_net') + 1);
    expect(index('dummy0')).toBe(Math.max(...netns.interfaces.map((device) => device.index)));
    expect(netns.interface('dummy0')!.addresses.map(({ prefixLength }) => prefixLength)).toEqual([32, 128]);
    expect([netns.removeInterface('dummy0'), netns.removeInterface('dummy0')]).toEqual([true, false]);
  });

  it('has the redirects that were said last, and no others', () => {
    const { world } = dnsLab();
    const node = world.node('k8s-ctr');
    const redirect = (ip: string) => ({ policy: 'default/p', ip, port: 53, protocol: 'UDP', backends: [] }) as const;
    world.setRedirects('k8s-ctr', [redirect('10.96.0.10'), redirect('169.254.20.10')]);
    world.setRedirects('k8s-ctr', [redirect('169.254.20.10')]);
    expect([...node.redirects.values()].map(({ ip, localOnly }) => [ip, localOnly])).toEqual([
      ['169.254.20.10', false],
    ]);
  });
});

describe('a ping', () => {
  it('has 56 bytes where nothing is said, and no ports', () => {
    const { world } = dnsLab();
    const replies: number[] = [];
    const outcome = world
      .node('k8s-ctr')
      .process.ping('192.168.10.101', { id: 1, seq: 1, onReply: ({ payload }) => replies.push(payload.length) });
    expect(outcome.packet).toMatchObject({ sport: 0, dport: 0 });
    expect(replies).toEqual([56]);
  });

  it('is answered at once where the world has no latency', () => {
    const { world, clock } = dnsLab();
    const times: number[] = [];
    world.node('k8s-ctr').process.ping('192.168.10.101', { id: 1, seq: 1, onReply: (_, at) => times.push(at) });
    expect(times).toEqual([clock.now()]);
  });
});

it('a datagram to a port that is closed comes back as an ICMP error: no ports, no data of its own', () => {
  const { world, events } = dnsLab();
  world.pod('default', 'curl-pod').process.udp().sendTo(Buffer.from('x'), '172.20.1.144', 99);
  const errors = events.flatMap((event) => (event.kind === 'capture' && event.packet.icmp ? [event.packet] : []));
  expect(errors[0]).toMatchObject({
    src: '172.20.1.144',
    dst: '172.20.1.236',
    sport: 0,
    dport: 0,
    icmp: { kind: 'port-unreachable', id: 0, seq: 0, about: { dport: 99 } },
    payload: new Uint8Array(0),
  });
});

it('a closed datagram socket takes and sends nothing', () => {
  const { world } = dnsLab();
  const socket = world.pod('default', 'curl-pod').process.udp();
  socket.bind('0.0.0.0', 4000);
  socket.close();
  expect(() => socket.sendTo(Buffer.from('x'), '10.96.0.10', 53)).toThrow('EBADF');
  expect(() => socket.recv()).toThrow('EBADF');
  expect(world.pod('default', 'curl-pod').netns.ports.list()).toEqual([]);
});

it('a TCP listener leaves its port when it ends, and shares it with none', () => {
  const { world } = dnsLab();
  const { process, netns } = world.pod('default', 'curl-pod');
  const listen = () => process.listen('', 80, () => undefined);
  const first = listen();
  expect(listen).toThrow('EADDRINUSE');
  first.close();
  expect(netns.ports.list()).toEqual([]);
  expect(listen).not.toThrow();
});

it('a chain lists what is not of the hooks by name; what is not there is not deleted', () => {
  const tables = new Netfilter();
  const own = ['Z', 'A', 'M'];
  for (const chain of own) tables.setChain('nat', chain, []);
  expect(tables.chains('nat').slice(-3)).toEqual(['A', 'M', 'Z']);
  const rule = { text: 'x' } as never;
  expect(['A', 'nosuch'].map((chain) => tables.delete('nat', chain, rule))).toEqual([false, false]);
});

it('labels of an identity are in their order', () => {
  const labels = securityLabels({
    labels: { z: '1', a: '2', 'k8s-app': 'x' },
    namespace: 'default',
    clusterName: 'c',
    serviceAccount: 's',
  } as never);
  expect(labels).toEqual([...labels].sort());
  expect(labels.length).toBeGreaterThan(3);
});
