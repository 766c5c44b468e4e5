import { describe, expect, it } from 'vitest';
import { examine } from '../../../src/insight/doctor/examine.js';
import {
  conntrackCounter,
  snmp6Counter,
  snmpCounter,
  socketsIn,
  softnetColumn,
} from '../../../src/insight/doctor/kernel-files.js';
import { probeServer } from '../../../src/insight/doctor/probe.js';
import { ManualClock } from '../../../src/lib/clock.js';
import { FrameReader, Type, decodeMessage, encodeMessage, frame, type Message } from '../../../src/wire/index.js';
import { FakeNetwork, elapse } from '../../support/fake-network.js';

/** What a host says whose files and programs say this. */
async function facts(
  files: Readonly<Record<string, string | undefined>>,
  programs: Readonly<Record<string, string | undefined>> = {},
) {
  const clock = new ManualClock();
  const sources = {
    clock,
    // Nobody answers there.
    network: new FakeNetwork(clock),
    readFile: (path: string) => files[path],
    list: (path: string) => (path === '/sys/class/net' ? ['eth0', 'lo'] : []),
    run: (program: string, ...args: string[]) => programs[[program, ...args].join(' ')],
  };
  const options = { servers: [], name: 'a.', timeout: 1000, watch: 2000, resolvConf: '/etc/resolv.conf' };
  const found = examine(sources, options);
  await elapse(clock, 2000);
  return found;
}

describe('what is looked at of a host', () => {
  const TABLE = 'table ip filter {\n  chain x {\n  }\n}\n';
  const OWN = 'table inet own {\n}\n';
  const nft = (text: string) => ({ 'nft list ruleset': text });
  it.each([
    { name: 'no program', programs: {}, want: undefined },
    { name: 'nft alone', programs: nft(TABLE + OWN), want: TABLE + OWN },
    { name: 'iptables alone', programs: { 'iptables-save': '-A 4' }, want: '-A 4' },
    { name: 'both versions', programs: { 'iptables-save': '-A 4', 'ip6tables-save': '-A 6' }, want: '-A 4\n-A 6' },
    { name: 'both kinds', programs: { 'iptables-save': '-A 4', ...nft(TABLE + OWN) }, want: `-A 4\n${OWN}` },
    { name: 'version 6 and nft', programs: { 'ip6tables-save': '-A 6', ...nft(TABLE + OWN) }, want: `-A 6\n${OWN}` },
  ])('rules: $name', async ({ programs, want }) => expect((await facts({}, programs)).rules).toBe(want));

  const CONNTRACK = '/proc/sys/net/netfilter/nf_conntrack_';
  it.each([
    { name: 'both', files: { [`${CONNTRACK}count`]: '7', [`${CONNTRACK}max`]: '9' }, want: { count: 7, max: 9 } },
    { name: 'no count', files: { [`${CONNTRACK}max`]: '9' }, want: undefined },
    { name: 'no limit', files: { [`${CONNTRACK}count`]: '7' }, want: undefined },
  ])('connections: $name', async ({ files, want }) => expect((await facts(files)).conntrack).toEqual(want));

  it('its files', async () => {
    const found = await facts({
      '/etc/resolv.conf': 'search a\n',
      '/run/systemd/resolve/resolv.conf': 'search b\n',
      '/sys/class/net/eth0/mtu': '1500',
      '/sys/class/net/lo/mtu': '65536',
      '/proc/net/udp': 'u',
      '/proc/net/udp6': 'u6',
      '/proc/net/tcp': 't',
      '/proc/net/tcp6': 't6',
      '/proc/net/snmp': 's',
      '/proc/net/snmp6': 's6',
      '/proc/net/softnet_stat': 'n',
      '/proc/net/stat/nf_conntrack': 'c',
      '/proc/sys/net/ipv4/ip_local_port_range': '1 2',
    });
    const counters = { snmp: 's', snmp6: 's6', softnet: 'n', conntrack: 'c', udp: 'u', udp6: 'u6' };
    expect(found).toEqual({
      resolvConf: 'search a\n',
      upstreamConf: 'search b\n',
      addresses: new FakeNetwork().interfaces(),
      mtus: new Map([
        ['eth0', 1500],
        ['lo', 65_536],
      ]),
      sockets: { udp: 'u', udp6: 'u6', tcp: 't', tcp6: 't6' },
      counters: [counters, counters],
      conntrack: undefined,
      portRange: '1 2',
      rules: undefined,
      servers: [expect.objectContaining({ address: '127.0.0.1', port: 53 }) as object],
      now: expect.any(Number) as number,
    });
  });
});

describe('files of the kernel', () => {
  const SNMP = 'Ip: A B\nIp: 1 2\nUdp: In Out Late\nUdp: 5 7\n';
  it.each([
    { name: 'the first counter', got: snmpCounter(SNMP, 'Udp', 'In'), want: 5 },
    { name: 'the last one', got: snmpCounter(SNMP, 'Udp', 'Out'), want: 7 },
    { name: 'a name without a number', got: snmpCounter(SNMP, 'Udp', 'Late'), want: 0 },
    { name: 'a name that is not there', got: snmpCounter(SNMP, 'Udp', 'X'), want: 0 },
    { name: 'a group that is not there', got: snmpCounter(SNMP, 'Tcp', 'In'), want: 0 },
    { name: 'no file', got: snmpCounter(undefined, 'Udp', 'In'), want: 0 },
    { name: 'version 6', got: snmp6Counter('Udp6In \t9\nUdp6Out 3\n', 'Udp6Out'), want: 3 },
    { name: 'version 6 without the name', got: snmp6Counter('Udp6In 9\n', 'Udp6X'), want: 0 },
    { name: 'version 6 without a file', got: snmp6Counter(undefined, 'Udp6In'), want: 0 },
    { name: 'all CPUs', got: softnetColumn('0000000a 01\n00000010 02\n', 0), want: 26 },
    { name: 'another column', got: softnetColumn('0000000a 01\n00000010 02\n', 1), want: 3 },
    { name: 'a column too far', got: softnetColumn('0000000a\n', 4), want: 0 },
    { name: 'no CPU', got: softnetColumn(undefined, 0), want: 0 },
    { name: 'a column by its name', got: conntrackCounter('found drop\n01 0a\n02 10\n', 'drop'), want: 26 },
    { name: 'the first column', got: conntrackCounter('found drop\n01 0a\n02 10\n', 'found'), want: 3 },
    { name: 'no such column', got: conntrackCounter('found drop\n01 0a\n', 'x'), want: 0 },
    { name: 'no table', got: conntrackCounter(undefined, 'drop'), want: 0 },
  ])('$name', ({ got, want }) => expect(got).toBe(want));

  const line = (state: string, remote = '00000000:0000', more = '') =>
    `head\n  1: 0A14FEA9:0035 ${remote} ${state} 00000001:0000000F 00:00000000 00000000 0 0 1 2${more}\n`;
  const SOCKET = { address: '169.254.20.10', port: 53, waiting: 15, drops: 0 };
  it.each([
    { name: 'that listens', text: line('0A'), want: [SOCKET] },
    { name: 'that is connected', text: line('01'), want: [] },
    { name: 'of UDP', text: line('07'), want: [SOCKET] },
    { name: 'of UDP that has a peer', text: line('07', '01020304:0035'), want: [] },
    { name: 'of a file without drops', text: line('07', undefined, ' 0'), want: [SOCKET] },
    { name: 'that dropped some', text: line('07', undefined, ' 0 7'), want: [{ ...SOCKET, drops: 7 }] },
    {
      name: 'of version 6',
      text: line('0A').replace('0A14FEA9', 'B80D0120000000000000000001000000'),
      want: [{ ...SOCKET, address: '2001:db8::1' }],
    },
    {
      name: 'of version 4 at one of version 6',
      text: line('0A').replace('0A14FEA9', '0000000000000000FFFF00000A14FEA9'),
      want: [SOCKET],
    },
    { name: 'of no file', text: undefined, want: [] },
  ])('a socket $name', ({ text, want }) => expect(socketsIn(text)).toEqual(want));
});

describe('a server', () => {
  const TO = { address: '192.0.2.53', port: 53 };
  const record = (type: number, rdata: string) => ({
    name: '.',
    type,
    class: 1,
    ttl: 60,
    rdata: Buffer.from(rdata, 'hex'),
  });
  const KEY = record(Type.DNSKEY, '01010308aabbccdd');
  const SIGNATURE = record(Type.RRSIG, `${'00'.repeat(8)}0000000a00000005000100`);

  /** What is found of one that has no such name, and large answers; over UDP it does otherwise. */
  async function probed(
    overUdp: (query: Message) => Partial<Message> | 'garbage' | undefined,
    over: { tcp: boolean; large?: (name: string) => Message['answer'] } = { tcp: true },
  ) {
    const clock = new ManualClock();
    const network = new FakeNetwork(clock);
    const asked: unknown[] = [];
    const answer = (bytes: Buffer, more: Partial<Message>): Buffer => {
      const query = decodeMessage(bytes);
      const [{ name, type } = { name: '', type: 0 }] = query.question;
      asked.push([name, type, query.edns?.udpSize, query.edns?.do]);
      const large = { answer: over.large?.(name) ?? (name === '.' ? [KEY, SIGNATURE] : []) };
      return encodeMessage({ ...query, flags: 0x8180, ...(type === Type.A ? { rcode: 3 } : large), ...more });
    };
    const socket = await network.bindUdp(TO, (bytes, from) => {
      const more = overUdp(decodeMessage(bytes));
      if (more === undefined) return;
      const reply = more === 'garbage' ? bytes.subarray(0, 14) : answer(bytes, more);
      socket.send(reply, reply.length, from);
    });
    if (over.tcp)
      await network.listenTcp(TO, ({ stream }) => {
        const reader = new FrameReader();
        stream.on('data', (chunk: Buffer) => {
          reader.push(chunk);
          for (let query = reader.next(); query !== undefined; query = reader.next())
            stream.write(frame(answer(Buffer.from(query), {})));
        });
      });
    const found = probeServer(TO, { network, clock, timeout: 1000, name: 'a.example.' });
    await elapse(clock, 5000);
    return { ...(await found), asked };
  }
  const SIZE = 12 + 5 + 11 + (11 + 8) + (11 + 19);

  it.each([
    { name: 'whole', overUdp: () => ({}), want: 'whole' },
    { name: 'cut off', overUdp: ({ edns }: Message) => (edns ? { flags: 0x8380, answer: [] } : {}), want: 'truncated' },
    { name: 'smaller', overUdp: ({ edns }: Message) => (edns ? { answer: [KEY] } : {}), want: 'smaller' },
    { name: 'not at all', overUdp: ({ edns }: Message) => (edns ? undefined : {}), want: 'none' },
  ])('gives large answers over UDP $name', async ({ overUdp, want }) => {
    const { asked, ...found } = await probed(overUdp);
    expect(found).toEqual({
      ...TO,
      udp: { time: 2, rcode: 3 },
      tcp: { time: 4, rcode: 3 },
      large: { size: SIZE, udp: want },
      signatures: { until: 10_000, from: 5000 },
    });
    expect(asked).toContainEqual(['a.example.', Type.A, undefined, undefined]);
    expect(asked).toContainEqual(['.', Type.DNSKEY, 4096, true]);
    expect(asked).toContainEqual(['org.', Type.DNSKEY, 4096, true]);
  });
  it('gives large answers of which the largest counts, and may say what nobody can read', async () => {
    const more = Array.from({ length: 3 }, () => KEY);
    const largest = { '.': [KEY], 'org.': more };
    const over = { tcp: true, large: (name: string) => largest[name as keyof typeof largest] };
    expect((await probed(({ edns }) => (edns ? 'garbage' : {}), over)).large).toEqual({
      size: 12 + 9 + 11 + 3 * (11 + 8),
      udp: 'none',
    });
  });
  it('takes no answer with a signature that is cut short', async () => {
    const over = { tcp: true, large: () => [record(Type.RRSIG, `${'00'.repeat(8)}0000000a000000050001`)] };
    expect(await probed(() => ({}), over)).toMatchObject({ large: undefined, signatures: undefined });
  });
  it('without TCP gives none', async () =>
    expect(await probed(() => ({}), { tcp: false })).toMatchObject({
      udp: { time: 2, rcode: 3 },
      tcp: undefined,
      large: undefined,
      signatures: undefined,
    }));
});
