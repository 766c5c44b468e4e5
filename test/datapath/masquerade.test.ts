import { describe, expect, it } from 'vitest';
import { KernelConntrack } from '../../src/datapath/conntrack/kernel.js';
import { NatTable } from '../../src/datapath/conntrack/nat.js';
import type { Packet } from '../../src/datapath/packet.js';
import { seededRandom } from '../../src/lib/random.js';
import { DEFAULT_NON_MASQUERADE, ipMasqList } from '../../src/datapath/conntrack/masquerade.js';
import type { CaptureEvent, DatapathEvent } from '../../src/datapath/events.js';
import type { World } from '../../src/datapath/world.js';
import { lab, story } from './lab.js';

/** An HTTP server on the router and one request to it, with the sizes of the recording. */
function curl(world: World, address: string): void {
  if (world.host('router').netns.ports.list().length === 0) {
    world
      .host('router')
      .process.listen('0.0.0.0', 80, (connection) =>
        connection.handle({ onData: (c) => c.write(new Uint8Array(256)), onEnd: (c) => c.end() }),
      );
  }
  world
    .pod('default', 'curl-pod')
    .process.connect(address, 80, { onConnect: (c) => c.write(new Uint8Array(75)), onData: (c) => c.end() });
}

/** `tcpdump -i eth1 tcp port 80 -nnq`, ports masked. */
const tcpdump = (events: readonly DatapathEvent[], node: string): string[] =>
  events
    .filter(
      (event): event is CaptureEvent =>
        event.kind === 'capture' && event.netns === `node/${node}` && event.device === 'eth1',
    )
    .map(
      ({ packet }) =>
        `${packet.src}.${packet.sport === 80 ? 80 : 'P'} > ${packet.dst}.${packet.dport === 80 ? 80 : 'P'}: tcp ${packet.payload.length}`,
    );

const exchange = (client: string, server: string): string[] => {
  const out = (size: number): string => `${client}.P > ${server}.80: tcp ${size}`;
  const back = (size: number): string => `${server}.80 > ${client}.P: tcp ${size}`;
  return [out(0), back(0), out(0), out(75), back(0), back(256), out(0), out(0), back(0), out(0)];
};

function curlLab(...args: Parameters<typeof lab>) {
  const made = lab(...args);
  made.world.addPod({ namespace: 'default', name: 'curl-pod', node: 'k8s-ctr', ip: '172.20.1.205' });
  return made;
}

describe('masquerading', () => {
  it('gives the node address to what leaves the cluster, as in tcpdump-masquerade', () => {
    const { world, events } = curlLab();
    curl(world, '10.10.2.200');
    expect(tcpdump(events, 'k8s-ctr')).toEqual(exchange('192.168.10.100', '10.10.2.200'));
    expect(story(events)).toContain('curl-pod:a <- 10.10.2.200:80 to-endpoint SYN,ACK');
    expect(world.node('k8s-ctr').nat.list()).toMatchObject([
      { src: '172.20.1.205', toIp: '192.168.10.100', dst: '10.10.2.200', dport: 80 },
    ]);
  });

  it('without a return route only SYNs are seen, one second apart; the route cures it', () => {
    const { world, events, clock } = curlLab({ ipMasqAgent: { nonMasqueradeCIDRs: ['10.10.1.0/24', '10.10.2.0/24'] } });
    curl(world, '10.10.1.200');
    const first = clock.now();
    expect(world.nextTimer).toBe(first + 1000);
    clock.advance(1000);
    world.runTimers();
    const syn = '172.20.1.205.P > 10.10.1.200.80: tcp 0';
    expect(tcpdump(events, 'k8s-ctr')).toEqual([syn, syn]);
    expect(story(events, ['loss'])[0]).toBe(
      'router lost 10.10.1.200 > 172.20.1.205: no host answers for 10.0.2.2 on eth0 (nat-router)',
    );
    world.addRoute('router', { to: '172.20.1.0/24', via: '192.168.10.100' });
    events.length = 0;
    curl(world, '10.10.1.200');
    expect(tcpdump(events, 'k8s-ctr')).toEqual(exchange('172.20.1.205', '10.10.1.200'));
  });

  it.each([
    { name: 'outside', config: {}, to: '10.10.1.200', src: '192.168.10.100' },
    { name: 'a node', config: {}, to: '192.168.10.101', src: '172.20.1.205' },
    { name: 'the native block', config: { nativeRoutingCidr: '10.10.0.0/16' }, to: '10.10.1.200', src: '172.20.1.205' },
    {
      name: 'outside the own block, without a native one',
      config: { nativeRoutingCidr: undefined },
      to: '10.10.1.200',
      src: '192.168.10.100',
    },
    { name: 'a default of ip-masq-agent', config: { ipMasqAgent: {} }, to: '10.10.1.200', src: '172.20.1.205' },
    {
      name: 'by a device that does not masquerade',
      config: { masqueradeDevices: ['eth0'] },
      to: '10.10.1.200',
      src: '172.20.1.205',
    },
    { name: 'with masquerading off', config: { masquerade: 'off' as const }, to: '10.10.1.200', src: '172.20.1.205' },
    {
      name: 'by iptables',
      config: { masquerade: 'iptables' as const, hostRouting: 'legacy' as const, installNoConntrackRules: false },
      to: '10.10.1.200',
      src: '192.168.10.100',
    },
  ])('source towards $name is $src', ({ config, to, src }) => {
    const { world } = curlLab(config);
    const outcome = world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(1), to, 9999);
    expect(outcome.packet.src).toBe(src);
  });

  it('translates back by iptables too', () => {
    const { world } = curlLab({ masquerade: 'iptables', hostRouting: 'legacy', installNoConntrackRules: false });
    world
      .host('router')
      .process.udp({
        onReadable: (s) => {
          const d = s.recv()!;
          s.sendTo(d.payload, d.address, d.port, d.localAddress);
        },
      })
      .bind('0.0.0.0', 53);
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.sendTo(new Uint8Array([9]), '10.10.1.200', 53);
    expect(socket.recv()).toMatchObject({ address: '10.10.1.200', port: 53, localAddress: '172.20.1.205' });
    expect(
      world.node('k8s-ctr').kernel.list(world.node('k8s-ctr').uptime(world.pod('default', 'curl-pod').process.now())),
    ).toHaveLength(1);
  });

  it('keeps pods with the same port apart', () => {
    const { world } = curlLab();
    world.addPod({ namespace: 'default', name: 'two', node: 'k8s-ctr', ip: '172.20.1.206' });
    const ports = ['curl-pod', 'two'].map((name) => {
      const socket = world.pod('default', name).process.udp();
      socket.bind('0.0.0.0', 40_000);
      return socket.sendTo(new Uint8Array(1), '10.10.1.200', 53).packet.sport;
    });
    expect(ports[0]).toBe(40_000);
    expect(ports[1]).not.toBe(40_000);
  });

  it('drops what finds no port: reason 167', () => {
    const { world, events } = curlLab();
    const { nat } = world.node('k8s-ctr');
    for (let port = 1024; port <= 65_535; port++) {
      nat.translate(
        {
          number: 0,
          protocol: 'UDP',
          src: '172.20.1.9',
          dst: '10.10.1.200',
          sport: port,
          dport: 53,
          ttl: 64,
          payload: new Uint8Array(0),
        },
        '192.168.10.100',
        1,
      );
    }
    const outcome = world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(1), '10.10.1.200', 53);
    expect(outcome).toMatchObject({ verdict: 'dropped', reason: 'No mapping for NAT masquerade' });
    expect(story(events, ['drop'])[0]).toContain('drop 167');
  });

  it('forgets mappings with their connection', () => {
    const { world, clock } = curlLab();
    world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(1), '10.10.1.200', 53);
    clock.advance(59_000);
    world.collectGarbage();
    expect(world.node('k8s-ctr').nat.size).toBe(1);
    clock.advance(2_000);
    world.collectGarbage();
    expect(world.node('k8s-ctr').nat.size).toBe(0);
  });
});

describe('NatTable', () => {
  const packet = (sport: number): Packet => ({
    number: 0,
    protocol: 'UDP',
    src: '172.20.1.9',
    dst: '10.10.1.200',
    sport,
    dport: 53,
    ttl: 64,
    payload: new Uint8Array(0),
  });

  it('gives up its oldest mapping when it is full', () => {
    const nat = new NatTable(1, seededRandom(1));
    nat.translate(packet(40_000), '192.168.10.100', 1);
    nat.translate(packet(40_001), '192.168.10.100', 2);
    expect(nat.list().map(({ sport }) => sport)).toEqual([40_001]);
  });

  it.each([
    { port: 1023, kept: false },
    { port: 1024, kept: true },
    { port: 65_535, kept: true },
  ])('port $port is kept: $kept', ({ port, kept }) => {
    const mapping = new NatTable(10, seededRandom(1)).translate(packet(port), '192.168.10.100', 1)!;
    expect(mapping.toPort === port).toBe(kept);
    expect(mapping.toPort).toBeGreaterThanOrEqual(1024);
  });
});

describe('a port that is drawn', () => {
  const flow = { src: '172.20.1.9', sport: 80, dst: '10.10.1.200', dport: 53 };
  const packet = (sport: number): Packet => ({
    ...flow,
    number: 0,
    protocol: 'UDP',
    sport,
    ttl: 64,
    payload: new Uint8Array(0),
  });
  it.each([
    { draw: 0, want: 1024 },
    { draw: 2 ** 32 - 1, want: 65_535 },
  ])('is one that programs may have: $want', ({ draw, want }) => {
    const random = { uint32: () => draw };
    const nat = new NatTable(10, random);
    // A port of the system's own is never kept, nor is one that is taken.
    expect(nat.translate(packet(80), '192.168.10.100', 1)!.toPort).toBe(want);
    expect(nat.translate({ ...packet(want), src: '172.20.1.10' }, '192.168.10.100', 1)).toBeUndefined();
    const kernel = new KernelConntrack(10);
    const { entry } = kernel.track(packet(4000), 0)!;
    expect(kernel.translateSource(entry, '192.168.10.100', { random, draw: true })).toBe(true);
    expect(entry.reply).toMatchObject({ dst: '192.168.10.100', dport: want });
  });
});

describe('ipMasqList', () => {
  it.each([
    { name: 'no agent', agent: undefined, want: [] },
    {
      name: 'own list and link-local',
      agent: { nonMasqueradeCIDRs: ['10.10.1.0/24', '10.10.2.0/24'] },
      want: ['10.10.1.0/24', '10.10.2.0/24', '169.254.0.0/16'],
    },
    {
      name: 'link-local masqueraded',
      agent: { nonMasqueradeCIDRs: ['10.10.1.0/24'], masqLinkLocal: true },
      want: ['10.10.1.0/24'],
    },
    {
      name: 'a list that has link-local',
      agent: { nonMasqueradeCIDRs: ['169.254.0.0/16', '10.0.0.0/8'] },
      want: ['169.254.0.0/16', '10.0.0.0/8'],
    },
    { name: 'defaults', agent: {}, want: [...DEFAULT_NON_MASQUERADE, '169.254.0.0/16'] },
  ])('$name', ({ agent, want }) => {
    expect(ipMasqList(agent)).toEqual(want);
  });
});
