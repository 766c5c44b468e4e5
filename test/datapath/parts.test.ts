import { describe, expect, it } from 'vitest';
import { drawEndpointId, type Pod } from '../../src/datapath/cluster/endpoint.js';
import { randomLxcName, randomMac, type Interface } from '../../src/datapath/netns/interface.js';
import { IpCache } from '../../src/datapath/cluster/ipcache.js';
import type { Node } from '../../src/datapath/cluster/node.js';
import { checkIpam, poolOf, type NamespaceSpec } from '../../src/datapath/cluster/pools.js';
import type { PodSpec } from '../../src/datapath/cluster/endpoint.js';
import { AGGREGATION_LEVEL, resolveConfig, routeMtu, type DatapathConfig } from '../../src/datapath/config.js';
import { SocketError } from '../../src/datapath/errors.js';
import { DROP_REASON, TRACE_POINT_NUMBER } from '../../src/datapath/events.js';
import { IpamBlock } from '../../src/datapath/ipam/node-block.js';
import { RouteTable, type Route } from '../../src/datapath/netns/route.js';
import { flagBits } from '../../src/datapath/packet.js';
import { Timers } from '../../src/datapath/timers.js';
import { parseCidr } from '../../src/lib/cidr.js';
import { seededRandom } from '../../src/lib/random.js';

const drawing = (...numbers: number[]) => ({ uint32: () => numbers.shift()! });

describe('what is drawn', () => {
  it.each([
    { name: 'the smallest number of an endpoint', draw: 0, want: 2 },
    { name: 'the largest', draw: 2 ** 32 - 1, want: 4095 },
  ])('$name', ({ draw, want }) => expect(drawEndpointId(new Set(), drawing(draw))).toBe(want));
  it.each([2, 7, 4095])('is the only number that is free: %s', (free) => {
    const taken = new Set(Array.from({ length: 4094 }, (_, i) => i + 2).filter((id) => id !== free));
    expect([0, 2 ** 31, 2 ** 32 - 1].map((draw) => drawEndpointId(taken, drawing(draw)))).toEqual([free, free, free]);
  });
  it('a hardware address is a local one of one device', () => {
    expect(randomMac(drawing(0x12345679, 0x9abcdef0))).toBe('7a:56:34:f0:de:bc');
    expect(randomMac(drawing(0x01020301, 0x00000a0b))).toBe('02:03:02:0b:0a:00');
  });
  it('a device of a pod has twelve digits', () =>
    expect([drawing(0x12345678, 0x9abcdef0), drawing(1, 2)].map(randomLxcName)).toEqual([
      'lxc12345678def0',
      'lxc000000010002',
    ]));
});

describe('the pool of a pod', () => {
  const at = (pool: string) => ({ annotations: { 'ipam.cilium.io/ip-pool': pool } });
  const pod = (more: object = {}) => more as PodSpec;
  const namespace = { name: 'a', ...at('b') } as NamespaceSpec;
  it.each([
    { name: 'its own', got: poolOf(pod(at('a')), namespace, 'multi-pool'), want: 'a' },
    { name: 'that of its namespace', got: poolOf(pod(), namespace, 'multi-pool'), want: 'b' },
    { name: 'the default', got: poolOf(pod(), undefined, 'multi-pool'), want: 'default' },
    { name: 'the default in other modes', got: poolOf(pod(at('a')), namespace, 'cluster-pool'), want: 'default' },
  ])('is $name', ({ got, want }) => expect(got).toBe(want));

  const iptables = { masquerade: 'iptables', hostRouting: 'legacy' } as const;
  it.each<{ name: string; config: Partial<DatapathConfig>; mode?: 'cluster-pool'; error?: string }>([
    { name: 'native routing', config: {} },
    { name: 'tunnels', config: { routing: 'vxlan' }, error: 'config.routing' },
    { name: 'one route for a block', config: { endpointRoutes: false }, error: 'config.endpointRoutes' },
    { name: 'masquerading by iptables', config: iptables, error: 'config.masqueradeDevices' },
    { name: 'its devices', config: { ...iptables, masqueradeDevices: ['eth0'] } },
    { name: 'none of this elsewhere', config: { routing: 'vxlan' }, mode: 'cluster-pool' },
  ])('multi-pool and $name', ({ config, mode = 'multi-pool', error }) => {
    const check = () => checkIpam({ mode } as Parameters<typeof checkIpam>[0], resolveConfig(config));
    if (error === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(error);
  });
});

describe('who has which address', () => {
  const pod = (name: string) => ({ ip: '10.0.0.1', spec: { name } }) as unknown as Pod;
  const node = (name: string) => ({ name }) as Node;
  const device = (segment: string | undefined, ...ips: string[]) =>
    ({ segment, addresses: ips.map((ip) => ({ ip })) }) as unknown as Interface;

  it('a pod that goes leaves the address to the one that has it by then', () => {
    const cache = new IpCache();
    const [old, young] = [pod('old'), pod('young')];
    cache.addPod(old);
    cache.addPod(young);
    cache.removePod(old);
    expect(cache.podByIp('10.0.0.1')).toBe(young);
    cache.removePod(young);
    expect(cache.podByIp('10.0.0.1')).toBeUndefined();
  });
  it('a node that goes has its addresses no more', () => {
    const cache = new IpCache();
    cache.addNodeAddress('10.0.0.2', node('a'));
    expect(cache.nodeByAddress('10.0.0.2')?.name).toBe('a');
    cache.removeNodeAddress('10.0.0.2');
    expect(cache.nodeByAddress('10.0.0.2')).toBeUndefined();
  });
  it('a link has each address once, as long as its device is there', () => {
    const cache = new IpCache();
    const first = device('lan', '10.0.0.1', '10.0.0.2');
    cache.attach(node('a'), first, 'nodes[0]');
    cache.attach(node('b'), device('wan', '10.0.0.1'), 'nodes[1]');
    cache.attach(node('b'), device(undefined, '10.0.0.1'), 'nodes[1]');
    const again = () => cache.attach(node('b'), device('lan', '10.0.0.2'), 'nodes[1]');
    expect(again).toThrow("nodes[1].addresses: 10.0.0.2 is already a's on link lan");
    cache.detach(device(undefined, '10.0.0.1'));
    expect(cache.attached('lan', '10.0.0.1')?.owner.name).toBe('a');
    cache.detach(first);
    expect(cache.attached('lan', '10.0.0.1')).toBeUndefined();
    expect(cache.attached('wan', '10.0.0.1')?.owner.name).toBe('b');
    again();
    expect(cache.attached('lan', '10.0.0.2')?.owner.name).toBe('b');
  });
});

describe('a block of addresses', () => {
  const block = (text: string) => new IpamBlock(parseCidr(text)!);
  it.each([
    { text: '10.0.0.0/24', capacity: 254, first: '10.0.0.1', last: '10.0.0.254' },
    { text: '10.0.0.0/30', capacity: 2, first: '10.0.0.1', last: '10.0.0.2' },
    { text: '10.0.0.0/31', capacity: 2, first: '10.0.0.0', last: '10.0.0.1' },
    { text: '10.0.0.0/32', capacity: 1, first: '10.0.0.0', last: '10.0.0.0' },
  ])('$text gives $capacity', ({ text, capacity, first, last }) => {
    const own = block(text);
    const given = Array.from({ length: capacity }, () => own.allocate('a', seededRandom(1)));
    const numbers = given.map((ip) => Number(ip.split('.')[3])).sort((a, b) => a - b);
    expect([own.capacity, own.inUse, new Set(given).size]).toEqual([capacity, capacity, capacity]);
    expect([`10.0.0.${numbers[0]}`, `10.0.0.${numbers.at(-1)}`]).toEqual([first, last]);
    expect(() => own.allocate('a', seededRandom(1))).toThrow(`all ${capacity} addresses are in use`);
  });
  it('gives none that is kept while there is another, wherever the draw falls', () => {
    const ips = Array.from({ length: 6 }, (_, i) => `10.0.0.${i + 1}`);
    const given = ips.map((free) =>
      block('10.0.0.0/29').allocate('a', { uint32: () => 0 }, new Set(ips.filter((ip) => ip !== free))),
    );
    expect(given).toEqual(ips);
  });
  it('offers what it has and nobody uses', () => {
    const own = block('10.0.0.0/30');
    const taken = own.allocate('a', seededRandom(1), new Set(['10.0.0.1']));
    expect(taken).toBe('10.0.0.2');
    const ips = ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.1.1'];
    expect(ips.map((ip) => own.offers(ip))).toEqual([false, true, false, false, false]);
    expect(ips.map((ip) => own.contains(ip))).toEqual([true, true, true, true, false]);
    expect(own.allocate('b', seededRandom(1), new Set(['10.0.0.1']))).toBe('10.0.0.1');
  });
});

describe('numbers and names of others', () => {
  it('points where packets are seen are numbered in the order of the monitor', () => {
    const points =
      'to-endpoint to-proxy to-host to-stack to-overlay from-endpoint from-proxy from-host from-stack from-overlay ' +
      'from-network to-network';
    for (const [point, number] of Object.entries(TRACE_POINT_NUMBER)) expect(points.split(' ')[number]).toBe(point);
  });
  it('reasons to drop are those of Cilium', () =>
    expect([133, 134, 155, 158, 160, 167, 168, 169, 196].filter((code) => !(code in DROP_REASON))).toEqual([]));
  it('levels of aggregation rise', () => {
    const levels = Object.values(AGGREGATION_LEVEL);
    expect(levels).toEqual([...new Set(levels)].sort((a, b) => a - b));
  });
  it('a tunnel takes fifty bytes of each packet', () =>
    expect((['native', 'vxlan', 'geneve'] as const).map((routing) => routeMtu(resolveConfig({ routing })))).toEqual([
      1500, 1450, 1450,
    ]));
  it('flags have the bits of a TCP header', () =>
    expect([flagBits([]), flagBits(['SYN', 'ACK']), flagBits(['FIN', 'RST', 'PSH'])]).toEqual([0, 18, 13]));
  it('an error of a socket says what it is', () =>
    expect(String(new SocketError('ECONNREFUSED', 'nobody listens'))).toBe(
      'SocketError: ECONNREFUSED: nobody listens',
    ));
});

describe('a table of routes', () => {
  const route = (to: string, device: string, metric?: number) =>
    ({ destination: parseCidr(to)!, device, ...(metric !== undefined && { metric }) }) as Route;
  const DEFAULT = route('0.0.0.0/0', 'up');
  const table = (...routes: readonly Route[]): RouteTable => {
    const made = new RouteTable();
    for (const one of [DEFAULT, ...routes]) made.add(one);
    return made;
  };
  const first = route('10.0.0.9/32', 'first', 100);
  const better = route('10.0.0.9/32', 'better', 50);
  it.each([
    { name: 'the better metric', routes: [first, better], want: 'better' },
    { name: 'the better metric, whichever came first', routes: [better, first], want: 'better' },
    { name: 'none as metric', routes: [better, route('10.0.0.9/32', 'none')], want: 'none' },
    { name: 'the first of one metric', routes: [first, route('10.0.0.9/32', 'late', 100)], want: 'first' },
    { name: 'the longest prefix', routes: [route('10.0.0.0/24', 'long'), route('10.0.0.0/8', 'short')], want: 'long' },
    {
      name: 'the better metric of one prefix',
      routes: [route('10.0.0.0/8', 'a', 2), route('10.0.0.0/8', 'b', 1)],
      want: 'b',
    },
    { name: 'the default', routes: [route('10.0.1.0/24', 'other')], want: 'up' },
  ])('takes $name', ({ routes, want }) => expect(table(...routes).lookup('10.0.0.9')?.device).toBe(want));
  it.each([
    { name: 'the best', routes: [first, better], gone: better, want: 'first' },
    { name: 'the best that came first', routes: [better, first], gone: better, want: 'first' },
    { name: 'the other', routes: [first, better], gone: first, want: 'better' },
    { name: 'all', routes: [first], gone: first, want: 'up' },
  ])('that has lost $name takes the next', ({ routes, gone, want }) => {
    const made = table(...routes);
    expect(made.remove((one) => one === gone)).toBe(1);
    expect([made.size, made.lookup('10.0.0.9')?.device]).toEqual([routes.length, want]);
  });
  it('has a route once', () => {
    const made = table(first, { ...first, metric: 7 }, route('10.0.0.0/8', 'a', 1), route('10.0.0.0/8', 'a', 2));
    expect(made.list().map(({ device, metric }) => [device, metric])).toEqual([
      ['up', undefined],
      ['a', 2],
      ['first', 7],
    ]);
  });
  it('is told by addresses, the default first', () => {
    const made = table(first, route('10.0.0.0/24', 'c'), route('10.0.0.0/8', 'b', 2), route('10.0.0.0/8', 'a', 1));
    expect(made.list().map(({ device }) => device)).toEqual(['up', 'a', 'b', 'c', 'first']);
  });
});

it('timers run by their time, those of one time as they were set', () => {
  const timers = new Timers();
  const [ran, earlier]: [string[], (number | undefined)[]] = [[], []];
  timers.onEarlier = () => earlier.push(timers.next);
  const set = (name: string, at: number) => timers.set(at, () => ran.push(name));
  set('b', 20);
  const away = set('away', 10);
  set('c', 20);
  set('a', 10);
  set('late', 31);
  away();
  away();
  timers.set(30, () => set('meanwhile', 30));
  expect(earlier).toEqual([20, 10]);
  expect([timers.runUntil(9), timers.runUntil(30), timers.next]).toEqual([0, 5, 31]);
  expect(ran).toEqual(['a', 'b', 'c', 'meanwhile']);
});
