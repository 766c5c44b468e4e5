import { describe, expect, it } from 'vitest';
import { CiliumConntrack } from '../../src/datapath/conntrack/cilium.js';
import { KernelConntrack } from '../../src/datapath/conntrack/kernel.js';
import { seededRandom } from '../../src/lib/random.js';
import type { Packet, TcpFlag } from '../../src/datapath/packet.js';
import { ensureRules, placedRules, removeRules } from '../../src/datapath/netfilter/node-cache-rules.js';
import { datagram as packet } from '../support/packet.js';
import { dnsLab } from './lab.js';

const tcp = (...flags: TcpFlag[]): Packet =>
  packet({ protocol: 'TCP', tcp: { flags, seq: 0, ack: 0, window: 0, options: { tsVal: 0, tsEcr: 0 } } });
const back = (p: Packet): Packet => ({ ...p, src: p.dst, dst: p.src, sport: p.dport, dport: p.sport });
const settings = { tcpMax: 10, anyMax: 2, reportInterval: 5, flagMask: 0xff, whenFull: 'evict' as const };

describe('CiliumConntrack', () => {
  it('has an OUT entry at the client and an IN entry at the server, client first in both', () => {
    const ct = new CiliumConntrack(settings);
    ct.create(packet(), 'egress', 100, 5);
    ct.create(packet(), 'ingress', 100, 5);
    expect(ct.list(100).map((e) => `${e.direction} ${e.src}:${e.sport} -> ${e.dst}:${e.dport} ${e.expires}`)).toEqual([
      'OUT 10.0.0.1:40000 -> 10.0.0.2:53 160',
      'IN 10.0.0.1:40000 -> 10.0.0.2:53 160',
    ]);
    expect(ct.lookup(back(packet()), 'egress', 101).state).toBe('reply');
    expect(ct.lookup(packet(), 'ingress', 101).state).toBe('established');
  });

  it('renews by each packet and forgets after 60 s', () => {
    const ct = new CiliumConntrack(settings);
    ct.create(packet(), 'egress', 100, 5);
    expect(ct.lookup(packet(), 'egress', 150).state).toBe('established');
    expect(ct.lookup(packet(), 'egress', 209).state).toBe('established');
    expect(ct.lookup(packet(), 'egress', 269).state).toBe('new');
    expect(ct.size).toBe(0);
  });

  it.each([
    { name: 'SYN', flags: [['SYN']], want: 60 },
    { name: 'established', flags: [['SYN'], ['ACK']], want: 8000 },
    { name: 'one FIN', flags: [['SYN'], ['ACK'], ['ACK', 'FIN']], want: 8000 },
    { name: 'a RST before the answer', flags: [['SYN'], ['RST']], want: 10 },
  ] as { name: string; flags: TcpFlag[][]; want: number }[])(
    'TCP lifetime after $name is $want s',
    ({ flags, want }) => {
      const ct = new CiliumConntrack(settings);
      ct.create(tcp(...flags[0]!), 'egress', 100, 5);
      for (const each of flags.slice(1)) ct.lookup(tcp(...each), 'egress', 100);
      expect(ct.list(100)[0]!.expires - 100).toBe(want);
    },
  );

  it('closes 10 s after both FINs, and opens again with a SYN', () => {
    const ct = new CiliumConntrack(settings);
    ct.create(tcp('SYN'), 'egress', 100, 5);
    ct.lookup(tcp('ACK', 'FIN'), 'egress', 100);
    ct.lookup(back(tcp('ACK', 'FIN')), 'ingress', 100);
    expect(ct.list(100)[0]).toMatchObject({ expires: 110, rxClosing: true, txClosing: true });
    expect(ct.lookup(tcp('SYN'), 'egress', 105).state).toBe('reopened');
  });

  it('is news for new flags and after the interval', () => {
    const ct = new CiliumConntrack(settings);
    ct.create(tcp('SYN'), 'egress', 100, 5);
    const report = (now: number, ...flags: TcpFlag[]): boolean => ct.lookup(tcp(...flags), 'egress', now).report;
    expect([
      report(100, 'ACK'),
      report(100, 'ACK'),
      report(100, 'ACK', 'PSH'),
      report(105, 'ACK'),
      report(105.5, 'ACK'),
    ]).toEqual([true, false, true, false, true]);
  });

  it('a full map gives up its oldest entry, or refuses', () => {
    const evict = new CiliumConntrack(settings);
    const fail = new CiliumConntrack({ ...settings, whenFull: 'fail' });
    for (const ct of [evict, fail]) for (const sport of [1, 2]) ct.create(packet({ sport }), 'egress', 100, 5);
    evict.lookup(packet({ sport: 1 }), 'egress', 101);
    evict.create(packet({ sport: 3 }), 'egress', 101, 5);
    expect(evict.list(101).map((e) => e.sport)).toEqual([1, 3]);
    expect(fail.create(packet({ sport: 3 }), 'egress', 101, 5)).toBeUndefined();
    expect(fail.create(packet({ sport: 3 }), 'egress', 161, 5)).toBeDefined();
  });

  it('drops with reason 155 where the map refuses', () => {
    const { world } = dnsLab({ ctAnyMax: 1, ctWhenFull: 'fail' });
    const send = () => world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(1), '10.10.1.200', 53);
    expect(send().verdict).not.toBe('dropped');
    expect(send()).toMatchObject({ verdict: 'dropped', reason: 'CT: Map insertion failed' });
  });

  it('relates an ICMP error to its connection', () => {
    const ct = new CiliumConntrack(settings);
    ct.create(packet(), 'egress', 100, 5);
    const error = packet({
      protocol: 'ICMP',
      src: '10.0.0.2',
      dst: '10.0.0.1',
      icmp: { kind: 'port-unreachable', id: 0, seq: 0, about: packet() },
    });
    expect(ct.lookup(error, 'ingress', 101).state).toBe('related');
  });

  it('lets a SYN to a service whose connection is closing choose a backend again', () => {
    const ct = new CiliumConntrack(settings);
    ct.createService(tcp('SYN'), 100, 1, 7);
    expect(ct.service(tcp('SYN'), 100)?.backendId).toBe(7);
    ct.service(tcp('ACK', 'FIN'), 101);
    expect(ct.service(tcp('ACK'), 102)?.backendId).toBe(7);
    expect(ct.service(tcp('SYN'), 102)).toBeUndefined();
  });

  it('forgets an address', () => {
    const ct = new CiliumConntrack(settings);
    ct.create(packet(), 'egress', 100, 5);
    ct.forget('10.0.0.2');
    expect(ct.size).toBe(0);
  });
});

describe('KernelConntrack', () => {
  const pass = (ct: KernelConntrack, p: Packet, now: number): string => {
    const match = ct.track(p, now);
    if (!match) return 'dropped';
    ct.confirm(match, p, now);
    return match.isNew ? 'new' : match.reply ? 'reply' : 'original';
  };
  const left = (ct: KernelConntrack, now: number): number => ct.list(now)[0]!.expires - now;

  it('keeps UDP 30 s, and 120 s once it is a stream', () => {
    const ct = new KernelConntrack(10);
    expect(pass(ct, packet(), 100)).toBe('new');
    expect(left(ct, 100)).toBe(30);
    expect(pass(ct, back(packet()), 101)).toBe('reply');
    expect(left(ct, 101)).toBe(30);
    expect(pass(ct, packet(), 103)).toBe('original');
    expect(left(ct, 103)).toBe(120);
    expect(ct.list(103)[0]).toMatchObject({ assured: true, unreplied: false });
  });

  it.each([
    { name: 'SYN_SENT', path: [['SYN', 0]], left: 120 },
    {
      name: 'SYN_RECV',
      path: [
        ['SYN', 0],
        ['SYN,ACK', 1],
      ],
      left: 60,
    },
    {
      name: 'ESTABLISHED',
      path: [
        ['SYN', 0],
        ['SYN,ACK', 1],
        ['ACK', 0],
      ],
      left: 432_000,
    },
    {
      name: 'FIN_WAIT',
      path: [
        ['SYN', 0],
        ['SYN,ACK', 1],
        ['ACK', 0],
        ['ACK,FIN', 0],
      ],
      left: 120,
    },
    {
      name: 'LAST_ACK',
      path: [
        ['SYN', 0],
        ['SYN,ACK', 1],
        ['ACK', 0],
        ['ACK,FIN', 0],
        ['ACK,FIN', 1],
      ],
      left: 30,
    },
    {
      name: 'TIME_WAIT',
      path: [
        ['SYN', 0],
        ['SYN,ACK', 1],
        ['ACK', 0],
        ['ACK,FIN', 0],
        ['ACK,FIN', 1],
        ['ACK', 0],
      ],
      left: 120,
    },
    {
      name: 'CLOSE',
      path: [
        ['SYN', 0],
        ['SYN,ACK', 1],
        ['ACK', 0],
        ['RST', 1],
      ],
      left: 10,
    },
  ] as { name: string; path: [string, number][]; left: number }[])(
    'TCP in $name lives $left s',
    ({ name, path, left: want }) => {
      const ct = new KernelConntrack(10);
      for (const [flags, reply] of path) {
        const p = tcp(...(flags.split(',') as TcpFlag[]));
        pass(ct, reply ? back(p) : p, 100);
      }
      expect(ct.list(100)[0]).toMatchObject({ tcpState: name });
      expect(left(ct, 100)).toBe(want);
    },
  );

  it('keeps nothing of a connection that is refused', () => {
    const ct = new KernelConntrack(10);
    pass(ct, tcp('SYN'), 100);
    pass(ct, back(tcp('ACK', 'RST')), 100);
    expect([ct.list(100), ct.size]).toEqual([[], 0]);
  });

  it('a full table drops new flows and keeps old ones', () => {
    const ct = new KernelConntrack(1);
    pass(ct, packet(), 100);
    expect(pass(ct, packet({ sport: 2 }), 100)).toBe('dropped');
    expect(pass(ct, back(packet()), 100)).toBe('reply');
    expect(ct.statistics.drop).toBe(1);
    expect(pass(ct, packet({ sport: 2 }), 131)).toBe('new');
  });

  it('makes room from what is not assured, where allowed to', () => {
    const ct = new KernelConntrack(1, { earlyDrop: true });
    pass(ct, packet(), 100);
    expect(pass(ct, packet({ sport: 2 }), 100)).toBe('new');
    pass(ct, back(packet({ sport: 2 })), 101);
    pass(ct, packet({ sport: 2 }), 103);
    expect(pass(ct, packet({ sport: 3 }), 103)).toBe('dropped');
  });

  it('counts the loser of two unconfirmed flows, the race of A and AAAA', () => {
    const ct = new KernelConntrack(10);
    const first = ct.track(packet(), 100)!;
    const second = ct.track(packet(), 100)!;
    ct.translateDestination(first.entry, '10.0.0.8', 53);
    ct.translateDestination(second.entry, '10.0.0.9', 53);
    expect(ct.confirm(first, packet(), 100)).toBe(true);
    expect(ct.confirm(second, packet(), 100)).toBe(false);
    expect(ct.statistics.insertFailed).toBe(1);
  });

  it('counts the loser of two unconfirmed flows that would be answered alike', () => {
    const ct = new KernelConntrack(10);
    const [first, second] = ['10.0.0.1', '10.0.0.3'].map((src) => {
      const flow = packet({ src });
      const match = ct.track(flow, 100)!;
      ct.translateSource(match.entry, '192.168.0.1', { random: seededRandom(1), draw: false });
      return () => ct.confirm(match, flow, 100);
    });
    expect([first!(), second!(), ct.statistics.insertFailed]).toEqual([true, false, 1]);
  });

  it.each([
    { name: 'another port when the own one is taken', draw: false, want: [true, false] },
    { name: 'another port each time where all are drawn', draw: true, want: [false, false] },
  ])('gives a translated source $name', ({ draw, want }) => {
    const ct = new KernelConntrack(10);
    const random = seededRandom(1);
    const ports = ['10.0.0.1', '10.0.0.3'].map((src) => {
      const p = packet({ src });
      const match = ct.track(p, 100)!;
      ct.translateSource(match.entry, '192.168.0.1', { random, draw });
      ct.confirm(match, p, 100);
      return match.entry.reply.dport;
    });
    expect(ports.map((port) => port === 40_000)).toEqual(want);
    expect(new Set(ports).size).toBe(2);
  });

  it('collects what has expired', () => {
    const ct = new KernelConntrack(10);
    pass(ct, packet(), 100);
    expect([ct.collect(129), ct.collect(130), ct.size]).toEqual([0, 1, 0]);
  });
});

describe('the kernel of a node', () => {
  const ask = (world: ReturnType<typeof dnsLab>['world']) =>
    world.pod('default', 'curl-pod').process.udp().sendTo(new Uint8Array(1), '169.254.20.10', 53);

  it('tracks queries to the node cache until its rules are there', () => {
    const { world } = dnsLab({ installNoConntrackRules: false });
    world.addDummy('k8s-ctr', 'nodelocaldns', ['169.254.20.10']);
    const node = world.node('k8s-ctr');
    node.process
      .udp({
        onReadable: (s) => {
          const d = s.recv()!;
          s.sendTo(d.payload, d.address, d.port, d.localAddress);
        },
      })
      .bind('169.254.20.10', 53);
    ask(world);
    expect(node.kernel.size).toBe(1);
    const rules = placedRules(['169.254.20.10']);
    ensureRules(node.netfilter, rules);
    ask(world);
    expect(node.kernel.size).toBe(1);
    removeRules(node.netfilter, rules);
    ask(world);
    expect(node.kernel.size).toBe(2);
  });

  it('says that its table is full', () => {
    const { world, events } = dnsLab({ installNoConntrackRules: false, kernelConntrackMax: 1 });
    world.addDummy('k8s-ctr', 'nodelocaldns', ['169.254.20.10']);
    world.node('k8s-ctr').process.udp().bind('169.254.20.10', 53);
    ask(world);
    expect(ask(world)).toMatchObject({ verdict: 'lost', reason: 'nf_conntrack table is full' });
    expect(events.filter((event) => event.kind === 'kernel').map((event) => event.text)).toEqual([
      'nf_conntrack: nf_conntrack: table full, dropping packet',
    ]);
  });
});
