import { describe, expect, it } from 'vitest';
import type { CaptureEvent } from '../../src/datapath/events.js';
import type { IcmpKind, Packet } from '../../src/datapath/packet.js';
import { pcapFile } from '../../src/observe/tcpdump/pcap.js';

const packet = (rest: Partial<Packet>): Packet => ({
  number: 0x10203,
  protocol: 'UDP',
  src: '10.1.2.3',
  dst: '10.4.5.6',
  sport: 40_001,
  dport: 9000,
  ttl: 63,
  payload: Buffer.from('abc'),
  ...rest,
});
const V6 = { src: 'fd00::1:2', dst: 'fd00::3:4' } as const;
const tcp = (flags: NonNullable<Packet['tcp']>['flags'], options: object): Partial<Packet> => ({
  protocol: 'TCP',
  tcp: {
    flags,
    seq: 0xfedcba98,
    ack: 0x81234567,
    window: 64_240,
    options: { tsVal: 0xfffefdfc, tsEcr: 0x01020304, ...options },
  },
});
const icmp = (kind: IcmpKind, rest: object = {}): Partial<Packet> => ({
  protocol: 'ICMP',
  sport: 0,
  dport: 0,
  icmp: { kind, id: 0x1234, seq: 0x5678, ...rest },
});
const about = packet({ payload: Buffer.from('quoted') });
const tunnel = { src: '192.0.2.1', dst: '192.0.2.2', sport: 50_000, dport: 6081, vni: 0xabcdef };

/** Frames whose fields and sums tshark takes for right, from the Ethernet header on. */
const FRAMES: readonly { name: string; made: Partial<Packet>; rest?: Partial<CaptureEvent>; want: string }[] = [
  {
    name: 'UDP',
    made: {},
    want: '02000000000202000000000108004500001f020300003f115ebe0a0102030a04 05069c412328000b60fe616263',
  },
  {
    name: 'UDP over IPv6',
    made: V6,
    want: '02000000000202000000000186dd60000000000b113ffd000000000000000000 000000010002fd0000000000000000000000000300049c412328000b82006162 63',
  },
  {
    name: 'a SYN',
    made: { ...tcp(['SYN'], { mss: 1460, sackOk: true, windowScale: 7 }), payload: Buffer.alloc(0) },
    want: '02000000000202000000000108004500003c020340003f061eac0a0102030a04 05069c412328fedcba9881234567a002faf0f0950000020405b40402080afffe fdfc0102030401030307',
  },
  {
    name: 'a SYN without window scale and selective acknowledgements',
    made: { ...tcp(['SYN', 'ACK'], { mss: 1440 }), ...V6, payload: Buffer.alloc(0) },
    want: '02000000000202000000000186dd600000000028063ffd000000000000000000 000000010002fd0000000000000000000000000300049c412328fedcba988123 4567a012faf014a40000020405a00101080afffefdfc0102030401030300',
  },
  {
    name: 'a segment with data',
    made: tcp(['ACK', 'PSH'], {}),
    want: '020000000002020000000001080045000037020340003f061eb10a0102030a04 05069c412328fedcba98812345678018faf05ae500000101080afffefdfc0102 0304616263',
  },
  {
    name: 'the end of a connection',
    made: tcp(['FIN', 'RST'], {}),
    want: '020000000002020000000001080045000037020340003f061eb10a0102030a04 05069c412328fedcba98812345678005faf05af800000101080afffefdfc0102 0304616263',
  },
  {
    name: 'an echo request',
    made: icmp('echo-request'),
    want: '02000000000202000000000108004500001f020300003f015ece0a0102030a04 05060800caf012345678616263',
  },
  {
    name: 'an echo reply over IPv6',
    made: { ...icmp('echo-reply'), ...V6 },
    want: '02000000000202000000000186dd60000000000b3a3ffd000000000000000000 000000010002fd0000000000000000000000000300048100579f123456786162 63',
  },
  {
    name: 'port unreachable',
    made: icmp('port-unreachable', { about }),
    want: '02000000000202000000000108004500003e020300003f015eaf0a0102030a04 05060303182a0000000045000022020300003f115ebb0a0102030a0405069c41 2328000edf0c71756f746564',
  },
  {
    name: 'host unreachable',
    made: icmp('host-unreachable', { about: packet(tcp(['ACK'], {})) }),
    want: '020000000002020000000001080045000053020300003f015e9a0a0102030a04 0506030118360000000045000037020340003f061eb10a0102030a0405069c41 2328fedcba98812345678010faf05aed00000101080afffefdfc010203046162 63',
  },
  {
    name: 'fragmentation needed',
    made: icmp('frag-needed', { about, mtu: 1400 }),
    want: '02000000000202000000000108004500003e020300003f015eaf0a0102030a04 0506030412b10000057845000022020300003f115ebb0a0102030a0405069c41 2328000edf0c71756f746564',
  },
  {
    name: 'packet too big, over IPv6',
    made: { ...icmp('frag-needed', { about: packet(V6), mtu: 70_000 }), ...V6 },
    want: '02000000000202000000000186dd60000000003b3a3ffd000000000000000000 000000010002fd000000000000000000000000030004020080df000111706000 0000000b113ffd000000000000000000000000010002fd000000000000000000 0000000300049c412328000b8200616263',
  },
  {
    name: 'time exceeded',
    made: icmp('time-exceeded', { about }),
    want: '02000000000202000000000108004500003e020300003f015eaf0a0102030a04 05060b00102d0000000045000022020300003f115ebb0a0102030a0405069c41 2328000edf0c71756f746564',
  },
  {
    name: 'the first fragment',
    made: {},
    rest: { fragment: { offset: 0, length: 8, more: true } },
    want: '02000000000202000000000108004500001c020320003f113ec10a0102030a04 05069c412328000b60fe',
  },
  {
    name: 'the last fragment',
    made: {},
    rest: { fragment: { offset: 8, length: 3, more: false } },
    want: '020000000002020000000001080045000017020300013f115ec50a0102030a04 0506616263',
  },
  {
    name: 'VXLAN',
    made: {},
    rest: { encapsulation: { type: 'vxlan', ...tunnel, dport: 8472 } },
    want: '020000000002020000000001080045000051020340004011b495c0000201c000 0202c3502118003d000008000000abcdef000200000000020200000000010800 4500001f020300003f115ebe0a0102030a0405069c412328000b60fe616263',
  },
  {
    name: 'Geneve around IPv6',
    made: V6,
    rest: { encapsulation: { type: 'geneve', ...tunnel } },
    want: '020000000002020000000001080045000065020340004011b481c0000201c000 0202c35017c10051000000006558abcdef0002000000000202000000000186dd 60000000000b113ffd000000000000000000000000010002fd00000000000000 00000000000300049c412328000b8200616263',
  },
];

describe('bytes of a frame', () => {
  it.each(FRAMES)('$name', ({ made, rest, want }) => {
    const event: CaptureEvent = {
      kind: 'capture',
      seq: 1,
      time: 0,
      node: 'n',
      netns: 'node/n',
      device: 'eth0',
      deviceIndex: 2,
      direction: 'Out',
      packet: packet(made),
      sourceMac: '02:00:00:00:00:01',
      destinationMac: '02:00:00:00:00:02',
      ...rest,
    };
    const bytes = pcapFile([event], 1).toString('hex', 40);
    expect(bytes.replace(/.{64}(?=.)/g, '$& ')).toBe(want);
  });
});
