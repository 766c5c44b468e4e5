import { describe, expect, it } from 'vitest';
import type { CaptureEvent } from '../../src/datapath/events.js';
import type { Packet } from '../../src/datapath/packet.js';
import { checksum } from '../../src/observe/tcpdump/frame-bytes.js';
import { pcapFile } from '../../src/observe/tcpdump/pcap.js';
import { Tcpdump, startTcpdump, tcpdumpLines } from '../../src/observe/tcpdump/tcpdump.js';
import { dnsText } from '../../src/observe/tcpdump/dns.js';
import { compileFilter } from '../../src/observe/tcpdump/filter.js';
import { LinePrinter } from '../../src/observe/tcpdump/line.js';
import type { CapturedFrame } from '../../src/observe/tcpdump/line.js';
import { parseTcpdumpArgs } from '../../src/observe/tcpdump/options.js';
import { Class, Flag, Opcode, Rcode, Type, encodeMessage, frame, parseRr } from '../../src/wire/index.js';
import type { Message } from '../../src/wire/index.js';
import { observed } from './lab.js';

const message = (rest: Partial<Message> = {}): Message => ({
  id: 7116,
  flags: Flag.RD,
  rcode: 0,
  question: [{ name: 'google.com.', type: Type.A, class: Class.IN }],
  answer: [],
  authority: [],
  additional: [],
  ...rest,
});
const rr = (...lines: string[]) => lines.map(parseRr);
const ANSWER = Flag.QR | Flag.RD | Flag.RA;

describe('DNS text', () => {
  it.each([
    { name: 'a query', message: message(), want: '7116+ A? google.com. (28)' },
    { name: 'without recursion', message: message({ flags: 0 }), want: '7116 A? google.com. (28)' },
    { name: 'checking disabled', message: message({ flags: Flag.RD | Flag.CD }), want: '7116+% A? google.com. (28)' },
    {
      name: 'EDNS counts as an additional record',
      message: message({ edns: { udpSize: 1232, version: 0, do: false, options: [] } }),
      want: '7116+ [1au] A? google.com. (39)',
    },
    {
      name: 'an unknown type',
      message: message({ question: [{ name: '.', type: 4242, class: Class.IN }] }),
      want: '7116+ Type4242? . (17)',
    },
    {
      name: 'another class',
      message: message({ question: [{ name: 'version.bind.', type: Type.TXT, class: Class.CH }] }),
      want: '7116+ TXT CHAOS? version.bind. (30)',
    },
    {
      name: 'a strange bit',
      message: message({ flags: Flag.RD | Flag.AA }),
      want: '7116+ [b2&3=0x500] A? google.com. (28)',
    },
    {
      name: 'a notification',
      message: message({ flags: Opcode.NOTIFY << 11 }),
      want: '7116 notify A? google.com. (28)',
    },
    { name: 'no question', message: message({ question: [] }), want: '7116+ [0q] (12)' },
    {
      name: 'an answer',
      message: message({ flags: ANSWER, answer: rr('google.com. 30 A 142.250.196.110') }),
      want: '7116 1/0/0 A 142.250.196.110 (54)',
    },
    {
      name: 'authority without recursion',
      message: message({ flags: Flag.QR | Flag.RD | Flag.AA, answer: rr('google.com. 30 AAAA 2404:6800::1') }),
      want: '7116*- 1/0/0 AAAA 2404:6800::1 (66)',
    },
    {
      name: 'several answers',
      message: message({
        flags: ANSWER,
        answer: rr('google.com. 30 CNAME www.google.com.', 'www.google.com. 30 A 192.0.2.1'),
      }),
      want: '7116 2/0/0 CNAME www.google.com., A 192.0.2.1 (96)',
    },
    {
      name: 'a name that is not there',
      message: message({ flags: ANSWER, rcode: Rcode.NXDOMAIN, authority: rr('. 30 SOA a. b. 1 2 3 4 5') }),
      want: '7116 NXDomain 0/1/0 (65)',
    },
    { name: 'a failure', message: message({ flags: ANSWER, rcode: Rcode.SERVFAIL }), want: '7116 ServFail 0/0/0 (28)' },
    { name: 'a refusal', message: message({ flags: Flag.QR, rcode: Rcode.REFUSED }), want: '7116 Refused- 0/0/0 (28)' },
    { name: 'a rare code', message: message({ flags: ANSWER, rcode: 13 }), want: '7116 Resp13 0/0/0 (28)' },
    {
      name: 'cut short, and authentic',
      message: message({ flags: ANSWER | Flag.TC | Flag.AD }),
      want: '7116|$ 0/0/0 (28)',
    },
    {
      name: 'MX',
      message: message({ flags: ANSWER, answer: rr('google.com. 30 MX 10 mail.google.com.') }),
      want: '7116 1/0/0 MX mail.google.com. 10 (69)',
    },
    {
      name: 'SRV',
      message: message({ flags: ANSWER, answer: rr('google.com. 30 SRV 0 100 53 kube-dns.') }),
      want: '7116 1/0/0 SRV kube-dns.:53 0 100 (66)',
    },
    {
      name: 'TXT',
      message: message({ flags: ANSWER, answer: rr('google.com. 30 TXT "a b" "c"') }),
      want: '7116 1/0/0 TXT "a b" "c" (56)',
    },
    {
      name: 'SOA without its data',
      message: message({ flags: ANSWER, answer: rr('google.com. 30 SOA a. b. 1 2 3 4 5') }),
      want: '7116 1/0/0 SOA (76)',
    },
  ])('$name', ({ message: made, want }) => expect(dnsText(encodeMessage(made))).toBe(want));

  it.each([
    { name: 'less than a header', bytes: new Uint8Array(5), want: 'domain [length 5 < 12] (invalid)' },
    { name: 'a query that ends early', bytes: encodeMessage(message()).subarray(0, 15), want: '7116+ [|domain]' },
    {
      name: 'an answer that ends early',
      bytes: encodeMessage(message({ flags: ANSWER, answer: rr('google.com. 30 A 192.0.2.1') })).subarray(0, 40),
      want: '7116 1/0/0 [|domain]',
    },
    {
      name: 'an answer of all sections that ends early',
      bytes: encodeMessage(
        message({
          flags: ANSWER,
          answer: rr('google.com. 30 A 192.0.2.1'),
          authority: rr('google.com. 30 NS a.', 'google.com. 30 NS b.'),
          additional: rr('a. 30 A 192.0.2.1', 'a. 30 A 192.0.2.2', 'b. 30 A 192.0.2.3'),
        }),
      ).subarray(0, 40),
      want: '7116 1/2/3 [|domain]',
    },
  ])('says when it cannot be read: $name', ({ bytes, want }) => expect(dnsText(bytes)).toBe(want));
});

const packet = (rest: Partial<Packet> = {}): Packet => ({
  number: 1,
  protocol: 'UDP',
  src: '10.0.0.1',
  dst: '10.0.0.2',
  sport: 40_000,
  dport: 9000,
  ttl: 64,
  payload: new Uint8Array(4),
  ...rest,
});
const captured = (made: Packet, rest: Partial<CaptureEvent> = {}): CaptureEvent => ({
  kind: 'capture',
  seq: 1,
  time: Date.UTC(2025, 6, 30, 14, 50, 0) + 788.456,
  node: 'n',
  netns: 'node/n',
  device: 'eth0',
  deviceIndex: 2,
  direction: 'Out',
  packet: made,
  sourceMac: '02:00:00:00:00:01',
  destinationMac: '02:00:00:00:00:02',
  ...rest,
});
const STYLE = { device: false, numeric: true, quick: false, absolute: false, noTime: true, offset: 0 };
const line = (event: CapturedFrame, style: Partial<typeof STYLE> = {}): string[] =>
  new LinePrinter({ ...STYLE, ...style }).lines(event);
const icmp = (kind: NonNullable<Packet['icmp']>['kind'], rest: Partial<NonNullable<Packet['icmp']>> = {}): Packet =>
  packet({
    protocol: 'ICMP',
    sport: 0,
    dport: 0,
    payload: new Uint8Array(56),
    icmp: { kind, id: 42, seq: 1, ...rest },
  });
const about = packet({ dport: 53 });
const tcp = { seq: 100, ack: 200, window: 502, options: { tsVal: 1, tsEcr: 2 } };

describe('lines', () => {
  it.each([
    {
      name: 'UDP of no known protocol',
      event: captured(packet()),
      want: ['IP 10.0.0.1.40000 > 10.0.0.2.9000: UDP, length 4'],
    },
    {
      name: 'IPv6',
      event: captured(packet({ src: 'fd00::1', dst: 'fd00::2' })),
      want: ['IP6 fd00::1.40000 > fd00::2.9000: UDP, length 4'],
    },
    {
      name: 'an echo',
      event: captured(icmp('echo-request')),
      want: ['IP 10.0.0.1 > 10.0.0.2: ICMP echo request, id 42, seq 1, length 64'],
    },
    {
      name: 'an answered echo',
      event: captured(icmp('echo-reply')),
      want: ['IP 10.0.0.1 > 10.0.0.2: ICMP echo reply, id 42, seq 1, length 64'],
    },
    {
      name: 'a closed port',
      event: captured(icmp('port-unreachable', { about })),
      want: ['IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 udp port 53 unreachable, length 40'],
    },
    {
      name: 'a closed port that a large datagram was for: no more than 576 bytes come back',
      event: captured(icmp('port-unreachable', { about: { ...about, payload: new Uint8Array(1000) } })),
      want: ['IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 udp port 53 unreachable, length 556'],
    },
    {
      name: 'no such host',
      event: captured(icmp('host-unreachable', { about })),
      want: ['IP 10.0.0.1 > 10.0.0.2: ICMP host 10.0.0.2 unreachable, length 40'],
    },
    {
      name: 'too big',
      event: captured(icmp('frag-needed', { about, mtu: 1400 })),
      want: ['IP 10.0.0.1 > 10.0.0.2: ICMP 10.0.0.2 unreachable - need to frag (mtu 1400), length 40'],
    },
    {
      name: 'too far',
      event: captured(icmp('time-exceeded', { about })),
      want: ['IP 10.0.0.1 > 10.0.0.2: ICMP time exceeded in-transit, length 40'],
    },
    {
      name: 'a later fragment',
      event: captured(packet(), { fragment: { offset: 1480, length: 8, more: false } }),
      want: ['IP 10.0.0.1 > 10.0.0.2: ip-proto-17'],
    },
    {
      name: 'a refusal by TCP',
      event: captured(packet({ protocol: 'TCP', payload: new Uint8Array(0), tcp: { ...tcp, flags: ['ACK', 'RST'] } })),
      want: [
        'IP 10.0.0.1.40000 > 10.0.0.2.9000: Flags [R.], seq 100, ack 200, win 502, options [nop,nop,TS val 1 ecr 2], length 0',
      ],
    },
    {
      name: 'DNS over TCP',
      event: captured(
        packet({
          protocol: 'TCP',
          dport: 53,
          payload: frame(encodeMessage(message())),
          tcp: { ...tcp, flags: ['ACK', 'PSH'] },
        }),
      ),
      want: [
        'IP 10.0.0.1.40000 > 10.0.0.2.53: Flags [P.], seq 100:130, ack 200, win 502, options [nop,nop,TS val 1 ecr 2], length 30 7116+ A? google.com. (28)',
      ],
    },
    {
      name: 'part of a message',
      event: captured(
        packet({ protocol: 'TCP', dport: 53, payload: new Uint8Array([0, 50, 1]), tcp: { ...tcp, flags: ['ACK'] } }),
      ),
      want: [
        'IP 10.0.0.1.40000 > 10.0.0.2.53: Flags [.], seq 100:103, ack 200, win 502, options [nop,nop,TS val 1 ecr 2], length 3 [prefix length(50) != length(1)] (invalid)',
      ],
    },
    {
      name: 'less than the length of a message',
      event: captured(
        packet({ protocol: 'TCP', dport: 53, payload: new Uint8Array(1), tcp: { ...tcp, flags: ['ACK'] } }),
      ),
      want: [
        'IP 10.0.0.1.40000 > 10.0.0.2.53: Flags [.], seq 100:101, ack 200, win 502, options [nop,nop,TS val 1 ecr 2], length 1 [DNS over TCP: length 1 < 2] (invalid)',
      ],
    },
    {
      name: 'the middle of an HTTP answer',
      event: captured(
        packet({ protocol: 'TCP', sport: 80, payload: Buffer.from('abc'), tcp: { ...tcp, flags: ['ACK'] } }),
      ),
      want: [
        'IP 10.0.0.1.80 > 10.0.0.2.9000: Flags [.], seq 100:103, ack 200, win 502, options [nop,nop,TS val 1 ecr 2], length 3: HTTP',
      ],
    },
    {
      name: 'VXLAN',
      event: captured(packet(), {
        encapsulation: {
          type: 'vxlan',
          src: '192.168.10.100',
          dst: '192.168.10.101',
          sport: 50_000,
          dport: 8472,
          vni: 5580,
        },
      }),
      want: [
        'IP 192.168.10.100.50000 > 192.168.10.101.8472: OTV, flags [I] (0x08), overlay 0, instance 5580',
        'IP 10.0.0.1.40000 > 10.0.0.2.9000: UDP, length 4',
      ],
    },
    {
      name: 'Geneve',
      event: captured(packet(), {
        encapsulation: {
          type: 'geneve',
          src: '192.168.10.100',
          dst: '192.168.10.101',
          sport: 50_000,
          dport: 6081,
          vni: 256,
        },
      }),
      want: [
        'IP 192.168.10.100.50000 > 192.168.10.101.6081: Geneve, Flags [none], vni 0x100: IP 10.0.0.1.40000 > 10.0.0.2.9000: UDP, length 4',
      ],
    },
  ])('$name', ({ event, want }) => expect(line(event)).toEqual(want));

  it.each([
    {
      name: 'ports by name',
      style: { numeric: false },
      want: 'IP 10.0.0.1.40000 > 10.0.0.2.domain: 7116+ A? google.com. (28)',
    },
    { name: 'quick', style: { quick: true }, want: 'IP 10.0.0.1.40000 > 10.0.0.2.53: UDP, length 28' },
    {
      name: 'with device',
      style: { device: true },
      want: 'eth0  Out IP 10.0.0.1.40000 > 10.0.0.2.53: 7116+ A? google.com. (28)',
    },
    {
      name: 'with the time of Seoul',
      style: { noTime: false, offset: 540 },
      want: '23:50:00.788456 IP 10.0.0.1.40000 > 10.0.0.2.53: 7116+ A? google.com. (28)',
    },
  ])('$name', ({ style, want }) =>
    expect(line(captured(packet({ dport: 53, payload: encodeMessage(message()) })), style)).toEqual([want]),
  );

  it('ports of a cluster by their names', () => {
    const names = [22, 67, 68, 80, 123, 179, 443, 853, 8080, 8081].map((dport) => {
      const [text] = line(captured(packet({ dport })), { numeric: false });
      return /10\.0\.0\.2\.(\S+):/.exec(text!)![1];
    });
    expect(names.join(' ')).toBe('ssh bootps bootpc http ntp bgp https domain-s http-alt 8081');
  });

  it('absolute numbers with -S', () => {
    const printer = new LinePrinter({ ...STYLE, absolute: true });
    const made = captured(packet({ protocol: 'TCP', payload: new Uint8Array(1), tcp: { ...tcp, flags: ['ACK'] } }));
    expect([...printer.lines(made), ...printer.lines(made)].map((text) => /seq \S+ ack \d+/.exec(text)![0])).toEqual([
      'seq 100:101, ack 200',
      'seq 100:101, ack 200',
    ]);
  });
});

describe('filters', () => {
  const dns = captured(packet({ dport: 53 }));
  const arp: CapturedFrame = {
    kind: 'arp',
    seq: 1,
    time: 0,
    node: 'n',
    netns: 'node/n',
    device: 'eth0',
    deviceIndex: 2,
    direction: 'In',
    operation: 'request',
    senderIp: '10.0.0.9',
    senderMac: '',
    targetIp: '10.0.0.1',
    targetMac: '',
  };
  const v6 = captured(packet({ src: 'fd00::1', dst: 'fd00::2', protocol: 'TCP', dport: 80 }));
  const tunnel = captured(packet({ dport: 53 }), {
    encapsulation: { type: 'vxlan', src: '192.168.10.100', dst: '192.168.10.101', sport: 50_000, dport: 8472, vni: 1 },
  });
  const tail = captured(packet({ dport: 53 }), { fragment: { offset: 1480, length: 8, more: false } });
  const frames = { dns, arp, v6, tunnel, tail, ping: captured(icmp('echo-request')) };
  it.each([
    { text: '', want: ['dns', 'arp', 'v6', 'tunnel', 'tail', 'ping'] },
    { text: 'udp port 53', want: ['dns'] },
    { text: 'port domain', want: ['dns'] },
    { text: 'tcp port 80', want: ['v6'] },
    { text: 'udp', want: ['dns', 'tunnel', 'tail'] },
    { text: 'icmp', want: ['ping'] },
    { text: 'icmp6', want: [] },
    { text: 'arp', want: ['arp'] },
    { text: 'ip', want: ['dns', 'tunnel', 'tail', 'ping'] },
    { text: 'ip6 and tcp', want: ['v6'] },
    { text: 'host 10.0.0.1', want: ['dns', 'arp', 'tail', 'ping'] },
    { text: '10.0.0.9', want: ['arp'] },
    { text: 'src host 10.0.0.1 and dst port 53', want: ['dns'] },
    { text: 'src or dst port 53', want: ['dns'] },
    { text: 'src and dst net 10.0.0.0/8', want: ['dns', 'arp', 'tail', 'ping'] },
    { text: 'net 192.168.10.0/24', want: ['tunnel'] },
    { text: 'src and dst host 10.0.0.1', want: [] },
    { text: 'portrange 50-60', want: ['dns'] },
    { text: 'portrange 50-53', want: ['dns'] },
    { text: 'portrange 54-60', want: [] },
    { text: 'port 53 or 80', want: ['dns', 'v6'] },
    { text: 'not udp and not arp', want: ['v6', 'ping'] },
    { text: '!(udp || arp)', want: ['v6', 'ping'] },
    { text: '(port 53 or port 8472) && udp', want: ['dns', 'tunnel'] },
    { text: 'udp dst port 53', want: ['dns'] },
  ])('$text', ({ text, want }) => {
    const test = compileFilter(text);
    expect(
      Object.entries(frames)
        .filter(([, one]) => test(one))
        .map(([name]) => name),
    ).toEqual(want);
  });

  it.each([
    { text: 'port', error: 'tcpdump: can\'t parse filter expression "port": it ends where a value is expected' },
    { text: 'port dns', error: '"dns" is no port' },
    { text: 'portrange 60-50', error: '"60-50" is no range of ports' },
    { text: 'udp and', error: 'it ends where a condition is expected' },
    { text: '(udp', error: 'a bracket is not closed' },
    { text: 'udp )', error: '")" is not expected here' },
    { text: 'host webpod', error: '"webpod" is no address: names are not looked up' },
    { text: 'host 10.0.0.0/8', error: '"10.0.0.0/8" is a block: use net' },
    { text: 'net x', error: '"x" is no address block' },
    { text: 'vlan', error: '"vlan" is neither an address nor a word of pcap-filter(7)' },
    { text: 'src and udp', error: '"and" stands where a value is expected' },
  ])('refuses $text', ({ text, error }) => expect(() => compileFilter(text)).toThrow(error));
});

describe('options', () => {
  it('reads joined switches and leaves the filter', () => {
    expect(parseTcpdumpArgs(['-i', 'eth1', 'tcp', 'port', '80', '-nnq', '-c3'])).toMatchObject({
      device: 'eth1',
      numeric: true,
      quick: true,
      count: 3,
      absolute: false,
    });
    expect(parseTcpdumpArgs(['-ieth1', '-w', 'x.pcap'])).toMatchObject({
      device: 'eth1',
      file: 'x.pcap',
      numeric: false,
    });
  });

  it.each([
    { args: ['-i'], error: "tcpdump: option requires an argument -- 'i'" },
    { args: ['-Z'], error: "tcpdump: invalid option -- 'Z'" },
    { args: ['-c', '0'], error: 'tcpdump: invalid packet count 0: want a number above 0' },
    { args: ['-v'], error: 'tcpdump: -v is not supported' },
  ])('refuses $args', ({ args, error }) => expect(() => parseTcpdumpArgs(args)).toThrow(error));

  it('refuses a device that is not there', () => {
    const { world } = observed();
    expect(() => new Tcpdump(['-i', 'eth7'], { netns: world.node('k8s-ctr').netns })).toThrow(
      'tcpdump: eth7: No such device exists in node/k8s-ctr: there are any, lo, eth0, eth1',
    );
  });

  it('ends after -c frames, and when it is stopped', () => {
    const { world, ask } = observed();
    const lines: string[] = [];
    const { capture, stop } = startTcpdump(world, ['-i', 'any', '-c', '3'], {
      netns: world.node('k8s-ctr').netns,
      onLine: (text) => lines.push(text),
    });
    ask();
    ask();
    expect([lines.length, capture.done, capture.count]).toEqual([3, true, 3]);
    stop();
    expect(capture.banner()).toEqual([
      'tcpdump: verbose output suppressed, use -v[v]... for full protocol decode',
      'listening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 262144 bytes',
    ]);
  });

  it('sees its own namespace only', () => {
    const { world, events, ask } = observed();
    ask();
    expect(tcpdumpLines(['-i', 'any'], world.node('k8s-w1').netns, events)).toEqual([]);
    expect(tcpdumpLines(['-i', 'eth0'], world.pod('default', 'curl-pod').netns, events)).toHaveLength(2);
  });
});

describe('capture files', () => {
  const sum = (bytes: Buffer, src: Buffer, dst: Buffer, protocol: number): number => {
    const tail =
      src.length === 4
        ? [0, protocol, bytes.length >> 8, bytes.length & 255]
        : [0, 0, bytes.length >> 8, bytes.length & 255, 0, 0, 0, protocol];
    return checksum(Buffer.concat([src, dst, Buffer.from(tail)]), bytes);
  };

  it('have a header, a record header and an Ethernet frame of the wire', () => {
    const file = pcapFile([captured(packet({ payload: Buffer.from('ab') }))], 1);
    expect(file.toString('hex', 0, 24)).toBe('d4c3b2a1020004000000000000000000000004000100' + '0000');
    expect([file.readUInt32LE(24), file.readUInt32LE(28), file.readUInt32LE(32), file.readUInt32LE(36)]).toEqual([
      Date.UTC(2025, 6, 30, 14, 50) / 1000,
      788_456,
      44,
      44,
    ]);
    expect(file.toString('hex', 40)).toBe(
      '020000000002020000000001' +
        '0800' +
        '4500001e0001000040' +
        '1166cc' +
        '0a0000010a000002' +
        '9c402328000a' +
        file.toString('hex', 80, 82) +
        '6162',
    );
  });

  it.each([
    { name: 'UDP', made: packet({ payload: Buffer.from('odd') }), protocol: 17, link: 1 as const, skip: 14 },
    {
      name: 'TCP with the options of a SYN',
      made: packet({
        protocol: 'TCP',
        payload: new Uint8Array(0),
        tcp: {
          flags: ['SYN'],
          seq: 1,
          ack: 0,
          window: 64_240,
          options: { mss: 1460, sackOk: true, windowScale: 7, tsVal: 5, tsEcr: 0 },
        },
      }),
      protocol: 6,
      link: 1 as const,
      skip: 14,
    },
    {
      name: 'TCP with data',
      made: packet({ protocol: 'TCP', payload: Buffer.from('GET'), tcp: { ...tcp, flags: ['ACK', 'PSH'] } }),
      protocol: 6,
      link: 276 as const,
      skip: 20,
    },
    { name: 'IPv6', made: packet({ src: 'fd00::1', dst: 'fd00::2' }), protocol: 17, link: 276 as const, skip: 20 },
  ])('sums are right: $name', ({ made, protocol, link, skip }) => {
    const datagram = pcapFile([captured(made)], link).subarray(40 + skip);
    const [from, size] = made.src.includes(':') ? [8, 40] : [12, 20];
    const length = (size - from) / 2;
    if (size === 20) {
      expect(checksum(datagram.subarray(0, 20))).toBe(0);
      expect(datagram.readUInt16BE(2)).toBe(datagram.length);
    }
    expect(
      sum(
        datagram.subarray(size),
        datagram.subarray(from, from + length),
        datagram.subarray(from + length, size),
        protocol,
      ),
    ).toBe(0);
  });

  it('a UDP sum of zero is sent as all ones: zero means that there is none', () => {
    const sumOf = (payload: Uint8Array): number =>
      pcapFile([captured(packet({ payload }))], 1).readUInt16BE(40 + 14 + 20 + 6);
    const missing = sumOf(new Uint8Array(2));
    expect(sumOf(Uint8Array.of(missing >> 8, missing & 0xff))).toBe(0xffff);
  });

  it('a TCP header says where its data begins', () => {
    const made = packet({ protocol: 'TCP', payload: Buffer.from('GET'), tcp: { ...tcp, flags: ['ACK'] } });
    const segment = pcapFile([captured(made)], 1).subarray(40 + 14 + 20);
    expect(segment.toString('latin1', (segment[12]! >> 4) * 4)).toBe('GET');
  });

  it('ICMP over IPv6 has the number of ICMPv6', () => {
    const made = { ...icmp('echo-request'), src: 'fd00::1', dst: 'fd00::2' };
    expect(pcapFile([captured(made)], 1)[40 + 14 + 6]).toBe(58);
  });

  it('sums are right: ICMP, with the packet it is about', () => {
    const datagram = pcapFile([captured(icmp('frag-needed', { about, mtu: 1400 }))], 1).subarray(54);
    expect([
      checksum(datagram.subarray(20)),
      datagram.length,
      datagram.readUInt16BE(26),
      datagram.subarray(28)[0],
    ]).toEqual([0, 60, 1400, 0x45]);
  });

  it('a cooked header names the direction and the device', () => {
    const header = pcapFile([captured(packet())], 276).subarray(40, 60);
    expect(header.toString('hex')).toBe('0800' + '0000' + '00000002' + '0001' + '04' + '06' + '020000000001' + '0000');
  });

  it('fragments carry their offset and end', () => {
    const made = packet({ payload: new Uint8Array(2000) });
    const [first, last] = [
      { offset: 0, length: 1480, more: true },
      { offset: 1480, length: 528, more: false },
    ].map((fragment) => pcapFile([captured(made, { fragment })], 1).subarray(54));
    expect([first!.readUInt16BE(6), first!.length, last!.readUInt16BE(6), last!.length]).toEqual([
      0x2000, 1500, 185, 548,
    ]);
  });

  it('a tunnel is around an Ethernet frame', () => {
    const bytes = pcapFile(
      [
        captured(packet(), {
          encapsulation: {
            type: 'vxlan',
            src: '192.168.10.100',
            dst: '192.168.10.101',
            sport: 50_000,
            dport: 8472,
            vni: 5580,
          },
        }),
      ],
      1,
    ).subarray(54);
    expect([bytes.readUInt16BE(22), bytes.readUIntBE(32, 3), bytes.readUInt16BE(48), bytes[50]]).toEqual([
      8472, 5580, 0x0800, 0x45,
    ]);
  });

  it('ARP', () => {
    const arp: CapturedFrame = {
      kind: 'arp',
      seq: 1,
      time: 0,
      node: 'n',
      netns: 'node/n',
      device: 'eth0',
      deviceIndex: 2,
      direction: 'In',
      operation: 'request',
      senderIp: '10.0.0.9',
      senderMac: '02:00:00:00:00:09',
      targetIp: '10.0.0.1',
      targetMac: '00:00:00:00:00:00',
    };
    expect(pcapFile([arp], 1).toString('hex', 40)).toBe(
      'ffffffffffff' +
        '020000000009' +
        '0806' +
        '0001080006040001' +
        '020000000009' +
        '0a000009' +
        '000000000000' +
        '0a000001',
    );
  });

  it('come from a running capture with -w, without lines', () => {
    const { world, ask } = observed();
    const parts: Buffer[] = [];
    const lines: string[] = [];
    const names = new Set<string>();
    const { capture } = startTcpdump(world, ['-i', 'any', '-w', 'dns.pcap', 'port', '53'], {
      netns: world.node('k8s-ctr').netns,
      onLine: (text) => lines.push(text),
      onBytes: (bytes, file) => {
        parts.push(bytes);
        names.add(file);
      },
    });
    ask();
    expect([parts.length, lines.length, [...names], parts[0]!.readUInt32LE(20)]).toEqual([3, 0, ['dns.pcap'], 276]);
    expect(capture.banner()).toEqual([
      'tcpdump: listening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 262144 bytes',
    ]);
  });
});
