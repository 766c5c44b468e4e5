import { describe, expect, it } from 'vitest';
import { requirePort } from '../../src/datapath/address.js';
import { MasqueradePolicy } from '../../src/datapath/conntrack/masquerade.js';
import { CiliumConntrack } from '../../src/datapath/conntrack/cilium.js';
import { KernelConntrack } from '../../src/datapath/conntrack/kernel.js';
import { NatTable } from '../../src/datapath/conntrack/nat.js';
import { RESERVED_IDENTITY, securityLabels } from '../../src/datapath/cluster/identity.js';
import { resolveConfig, type DatapathConfig } from '../../src/datapath/config.js';
import { CidrSet } from '../../src/datapath/ipam/cidr-set.js';
import { maglevTable } from '../../src/datapath/loadbalancer/backend-choice.js';
import { rule } from '../../src/datapath/netfilter/rule.js';
import { Netfilter } from '../../src/datapath/netfilter/tables.js';
import { flowHash, fragmentsFor, ipLength, PROTOCOL_NUMBER } from '../../src/datapath/packet.js';
import { parseCidr } from '../../src/lib/cidr.js';
import { datagram } from '../support/packet.js';

describe('the size of a packet', () => {
  const bytes = (length: number) => ({ payload: new Uint8Array(length) });
  const icmp = { protocol: 'ICMP', sport: 0, dport: 0 } as const;
  const V6 = { src: 'fd00::1', dst: 'fd00::2' };
  const about = (length: number) =>
    ({ kind: 'port-unreachable', id: 0, seq: 0, about: datagram(bytes(length)) }) as const;
  it.each([
    { name: 'a datagram', packet: datagram(bytes(100)), want: 20 + 8 + 100 },
    {
      name: 'a datagram over IPv6',
      packet: datagram({ ...bytes(100), ...V6 }),
      want: 40 + 8 + 100,
    },
    // As ping says it: "56(84) bytes of data".
    {
      name: 'a ping',
      packet: datagram({ ...icmp, ...bytes(56), icmp: { kind: 'echo-request', id: 1, seq: 1 } }),
      want: 84,
    },
    { name: 'an error about a datagram', packet: datagram({ ...icmp, icmp: about(100) }), want: 20 + 8 + 128 },
    { name: 'an error about a large datagram', packet: datagram({ ...icmp, icmp: about(1400) }), want: 576 },
    // RFC 4443 section 2.4 (c): no more than the smallest MTU of IPv6.
    {
      name: 'an error about a large datagram over IPv6',
      packet: datagram({ ...icmp, ...V6, icmp: { ...about(1400), about: datagram({ ...bytes(1400), ...V6 }) } }),
      want: 1280,
    },
  ])('is that of $name', ({ packet, want }) => expect(ipLength(packet)).toBe(want));

  // RFC 791 section 3.2: all but the last hold a multiple of eight.
  it.each([
    { payload: 1472, want: [] },
    { payload: 1473, want: ['0+1480 more', '1480+1'] },
    { payload: 2952, want: ['0+1480 more', '1480+1480'] },
  ])('$payload bytes are cut for a link of 1500', ({ payload, want }) =>
    expect(
      fragmentsFor(datagram(bytes(payload)), 1500).map(
        ({ offset, length, more }) => `${offset}+${length}${more ? ' more' : ''}`,
      ),
    ).toEqual(want),
  );
  it('protocols have their numbers of IANA', () => expect(PROTOCOL_NUMBER).toEqual({ ICMP: 1, TCP: 6, UDP: 17 }));
  it('a flow has a number of 32 bits, the same both ways', () => {
    const numbers = Array.from({ length: 64 }, (_, i) => flowHash(datagram({ sport: 40_000 + i })));
    expect(flowHash(datagram({ src: '10.0.0.2', dst: '10.0.0.1', sport: 53, dport: 40_000 }))).toBe(numbers[0]);
    expect(numbers.filter((one) => one < 0 || one >= 2 ** 32)).toEqual([]);
    expect(Math.max(...numbers)).toBeGreaterThanOrEqual(2 ** 31);
  });
});

describe('what a connection table says', () => {
  const settings = { tcpMax: 10, anyMax: 10, reportInterval: 5, flagMask: 0xff, whenFull: 'evict' as const };
  const tcp = (...flags: ('SYN' | 'ACK')[]) =>
    datagram({ protocol: 'TCP', tcp: { flags, seq: 0, ack: 0, window: 0, options: { tsVal: 0, tsEcr: 0 } } });
  const back = datagram({ src: '10.0.0.2', sport: 53, dst: '10.0.0.1', dport: 40_000 });

  it('counts connections of all protocols', () => {
    const table = new CiliumConntrack(settings);
    table.create(datagram(), 'egress', 100, 5);
    table.create(tcp('SYN'), 'egress', 100, 5);
    expect(table.size).toBe(2);
  });
  it('the first answer is news, however young the node', () => {
    const table = new CiliumConntrack(settings);
    table.create(datagram(), 'egress', 1, 5);
    expect(table.lookup(back, 'ingress', 2)).toMatchObject({ state: 'reply', report: true });
  });
  it('a connection to no service has no backend', () => {
    const table = new CiliumConntrack(settings);
    table.create(datagram(), 'egress', 100, 5);
    expect(table.list(100)).toMatchObject([{ backendId: 0, revNat: 0 }]);
  });
  it('an error about a connection is news each time', () => {
    const table = new CiliumConntrack(settings);
    table.create(datagram(), 'egress', 100, 5);
    const icmp = { kind: 'port-unreachable', id: 0, seq: 0, about: datagram() } as const;
    const error = datagram({ protocol: 'ICMP', src: '10.0.0.2', dst: '10.0.0.1', icmp });
    for (const now of [101, 102])
      expect(table.lookup(error, 'ingress', now)).toMatchObject({ state: 'related', report: true });
  });
  // Flags of the agent: bpf-ct-timeout-service-tcp and bpf-ct-timeout-service-tcp-grace.
  it('a service is remembered for a minute at first, then for 8000 seconds', () => {
    const table = new CiliumConntrack(settings);
    table.createService(tcp('SYN'), 100, 1, 7);
    const left = (): number[] => table.list(100).map(({ expires }) => expires - 100);
    expect(left()).toEqual([60]);
    table.service(tcp('ACK'), 100);
    expect(left()).toEqual([8000]);
  });
  it.each([
    { name: 'its ports, of a host that asks itself', flow: datagram({ dst: '10.0.0.1' }) },
    { name: 'its addresses, of servers that ask each other', flow: datagram({ sport: 53 }) },
  ])('the kernel knows the way back by $name', ({ flow }) => {
    const table = new KernelConntrack(10);
    table.confirm(table.track(flow, 100)!, flow, 100);
    const answer = { ...flow, src: flow.dst, sport: flow.dport, dst: flow.src, dport: flow.sport };
    expect([flow, answer].map((packet) => table.track(packet, 101)!.reply)).toEqual([false, true]);
  });
});

describe('a port for a translated source', () => {
  const flow = (src: string) => datagram({ src, sport: 40_000 });
  /** Draws the first port so many times, then one in the middle. */
  const drawing = (times: number) => ({ uint32: () => (times-- > 0 ? 0 : 2 ** 31) });
  // SNAT_COLLISION_RETRIES of bpf/lib/nat.h.
  it.each([
    { name: 'the 128th draw', taken: 127, found: true },
    { name: 'no more than that', taken: 128, found: false },
  ])('is looked for up to $name', ({ taken, found }) => {
    const nat = new NatTable(10, drawing(taken));
    nat.translate(flow('10.0.0.1'), '192.168.0.1', 1);
    nat.translate(datagram({ src: '10.0.0.9', sport: 1024 }), '192.168.0.1', 1);
    expect(nat.translate(flow('10.0.0.3'), '192.168.0.1', 1) !== undefined).toBe(found);
  });
  it('leads an error about a ping back to the pod that sent it', () => {
    const nat = new NatTable(10, drawing(0));
    const icmp = { kind: 'echo-request', id: 2000, seq: 1 } as const;
    const ping = datagram({ protocol: 'ICMP', sport: 0, dport: 0, icmp });
    const mapping = nat.translate(ping, '192.168.0.1', 1)!;
    const error = (dst: string) =>
      datagram({
        protocol: 'ICMP',
        src: '192.168.0.254',
        dst: '192.168.0.1',
        sport: 0,
        dport: 0,
        icmp: {
          kind: 'frag-needed',
          id: 0,
          seq: 0,
          about: { ...ping, src: '192.168.0.1', dst, icmp: { ...icmp, id: mapping.toPort } },
        },
      });
    expect(nat.reverse(error('10.0.0.2'))).toMatchObject({ src: '10.0.0.1', sport: 2000 });
    expect(nat.reverse(error('10.0.0.9'))).toBeUndefined();
  });
  // max_attempts of nf_nat_l4proto_unique_tuple (net/netfilter/nf_nat_core.c).
  it.each([
    { name: 'the 128th port', taken: 126, found: true },
    { name: 'no more than that', taken: 127, found: false },
  ])('is looked for by the kernel up to $name', ({ taken, found }) => {
    const kernel = new KernelConntrack(10);
    const translate = (src: string, sport: number, times: number): boolean => {
      const packet = datagram({ src, sport });
      const match = kernel.track(packet, 100)!;
      const done = kernel.translateSource(match.entry, '192.168.0.1', { random: drawing(times), draw: false });
      if (done) kernel.confirm(match, packet, 100);
      return done;
    };
    translate('10.0.0.1', 40_000, 0);
    translate('10.0.0.9', 1024, 0);
    expect(translate('10.0.0.3', 40_000, taken)).toBe(found);
  });
  it('is not there where all that the kernel draws are taken', () => {
    const kernel = new KernelConntrack(10);
    const choice = { random: { uint32: () => 0 }, draw: false };
    const translate = (src: string): boolean => {
      const match = kernel.track(flow(src), 100)!;
      const done = kernel.translateSource(match.entry, '192.168.0.1', choice);
      if (done) kernel.confirm(match, flow(src), 100);
      return done;
    };
    expect(['10.0.0.1', '10.0.0.3', '10.0.0.4'].map(translate)).toEqual([true, true, false]);
  });
});

describe('whether a pod gets the address of its node', () => {
  const facts = { podBlocks: [parseCidr('172.20.0.0/24')!], isNodeAddress: (ip: string) => ip === '192.168.10.101' };
  it.each<{ name: string; config?: Partial<DatapathConfig>; dst?: string; want: boolean }>([
    { name: 'outside', want: true },
    { name: 'a node', dst: '192.168.10.101', want: false },
    { name: 'a pod of the node', dst: '172.20.0.9', want: false },
    { name: 'inside the native block', config: { nativeRoutingCidr: '10.0.0.0/8' }, want: false },
    {
      name: 'a pod that the native block leaves out',
      config: { nativeRoutingCidr: '10.0.0.0/8' },
      dst: '172.20.0.9',
      want: true,
    },
    { name: 'IPv6', dst: 'fd00::1', want: false },
    { name: 'by a device of the list', config: { masqueradeDevices: ['eth0', 'eth1'] }, want: true },
    { name: 'by a device that is not on the list', config: { masqueradeDevices: ['eth0'] }, want: false },
    { name: 'by a device of a prefix', config: { masqueradeDevices: ['eth+'] }, want: true },
    { name: 'by a device whose whole name is a prefix', config: { masqueradeDevices: ['eth1+'] }, want: true },
    { name: 'by a device of another prefix', config: { masqueradeDevices: ['ens+'] }, want: false },
    { name: 'by a device of a prefix that ends otherwise', config: { masqueradeDevices: ['etx+'] }, want: false },
    { name: 'by a device whose name only begins so', config: { masqueradeDevices: ['eth'] }, want: false },
    { name: 'where nothing is masqueraded', config: { masquerade: 'off' }, want: false },
    {
      name: 'where the agent of masquerading leaves it alone',
      config: { ipMasqAgent: { nonMasqueradeCIDRs: ['10.10.0.0/16'] } },
      want: false,
    },
    {
      name: 'beside what that leaves alone',
      config: { ipMasqAgent: { nonMasqueradeCIDRs: ['10.11.0.0/16'] } },
      want: true,
    },
  ])('towards $name: $want', ({ config, dst = '10.10.1.200', want }) =>
    expect(new MasqueradePolicy(resolveConfig(config)).applies(dst, 'eth1', facts)).toBe(want),
  );
});

describe('rules of netfilter', () => {
  const facts = {
    src: '10.0.0.1',
    dst: '10.0.0.2',
    protocol: 'UDP',
    sport: 40_000,
    dport: 53,
    inDevice: '',
    outDevice: 'eth0',
    mark: 0,
    state: 'NEW',
    bytes: 60,
    localDestination: false,
  } as const;
  const random = { uint32: () => 0 };
  it.each([
    { device: 'eth0', not: false, verdict: 'drop' },
    { device: 'eth1', not: false, verdict: 'accept' },
    { device: 'eth0', not: true, verdict: 'accept' },
    { device: 'eth1', not: true, verdict: 'drop' },
  ])('for the device $device (not: $not)', ({ device, not, verdict }) => {
    const tables = new Netfilter();
    tables.append('filter', 'OUTPUT', rule().outDevice(device, not).drop());
    expect(tables.evaluate('filter', 'OUTPUT', facts, random).verdict).toBe(verdict);
  });
  it.each([
    { name: 'a quarter', drawn: 2 ** 30, verdict: 'drop' },
    { name: 'a half', drawn: 2 ** 31, verdict: 'accept' },
  ])('a chance of two in five: $name is drawn', ({ drawn, verdict }) => {
    const tables = new Netfilter();
    tables.append('filter', 'OUTPUT', rule().probability(0.4).drop());
    expect(tables.evaluate('filter', 'OUTPUT', facts, { uint32: () => drawn }).verdict).toBe(verdict);
  });
  it('NOTRACK does not end the walk (iptables-extensions(8))', () => {
    const tables = new Netfilter();
    tables.append('raw', 'OUTPUT', rule().notrack(), rule().drop());
    expect(tables.evaluate('raw', 'OUTPUT', facts, random)).toMatchObject({ notrack: true, verdict: 'drop' });
  });
  it('chains are followed as deep as any rule set goes, and a circle comes to an end', () => {
    const tables = new Netfilter();
    tables.append('filter', 'OUTPUT', rule().jump('C1'));
    for (let i = 1; i < 12; i++) tables.setChain('filter', `C${i}`, [rule().jump(`C${i + 1}`)]);
    tables.setChain('filter', 'C12', [rule().drop()]);
    expect(tables.evaluate('filter', 'OUTPUT', facts, random).verdict).toBe('drop');
    tables.setChain('filter', 'C12', [rule().jump('C1')]);
    expect(tables.evaluate('filter', 'OUTPUT', facts, random).verdict).toBe('accept');
  });
});

describe('numbers', () => {
  it.each([
    { port: 0, fits: false },
    { port: 1, fits: true },
    { port: 65_535, fits: true },
    { port: 65_536, fits: false },
    { port: 1.5, fits: false },
  ])('$port is a port: $fits', ({ port, fits }) => {
    const read = () => requirePort(port, 'x');
    if (fits) expect(read()).toBe(port);
    else expect(read).toThrow(`x: port ${port} is not in 1 to 65535`);
  });
  // Defaults of cilium-agent's flags bpf-ct-global-*-max and bpf-nat-global-max, and of the map cilium_lb4_reverse_sk.
  it('tables are as large as those of Cilium', () =>
    expect(resolveConfig({})).toMatchObject({
      ctTcpMax: 524_288,
      ctAnyMax: 262_144,
      natMax: 524_288,
      sockRevNatMax: 262_144,
    }));
  // docs.cilium.io, "Special Identities" and pkg/identity/numericidentity.go.
  it('identities that are reserved have their numbers', () => {
    const names =
      'unknown host world unmanaged health init remote-node kube-apiserver ingress world-ipv4 world-ipv6'.split(' ');
    expect(RESERVED_IDENTITY).toEqual(Object.fromEntries(names.map((name, number) => [name, number])));
  });

  it.each([
    { block: 'fd00::/112', mask: 126, fits: true },
    { block: 'fd00::/112', mask: 127, fits: false },
    { block: 'fd00::/112', mask: 112, fits: true },
    { block: 'fd00::/112', mask: 111, fits: false },
    { block: '10.0.0.0/24', mask: 30, fits: true },
    { block: '10.0.0.0/24', mask: 31, fits: false },
    { block: '10.0.0.0/24', mask: 24, fits: true },
    { block: '10.0.0.0/24', mask: 23, fits: false },
    { block: '10.0.0.0/24', mask: 24.5, fits: false },
  ])('$block is cut into blocks of /$mask: $fits', ({ block, mask, fits }) => {
    const make = () => new CidrSet([parseCidr(block)!], mask, 'pool');
    if (fits) expect(make).not.toThrow();
    else expect(make).toThrow(`pool: mask size ${mask} does not fit ${block}`);
  });

  it('each place of a Maglev table has a backend, and each backend about as many', () => {
    for (let first = 0; first < 40; first++) {
      const backends = [0, 1, 2].map((i) => ({ ip: `10.0.${first}.${i}`, port: 53, protocol: 'UDP' }) as never);
      const counts = [0, 0, 0];
      for (const index of maglevTable(backends, 7)) counts[index]!++;
      expect(counts.sort((a, b) => a - b)).toEqual([2, 2, 3]);
    }
  });
});

it('labels of an identity tell of the namespace, the cluster and the service account', () =>
  expect(
    securityLabels({
      labels: { app: 'curl', 'pod-template-hash': '674b8bbfcf', 'app.kubernetes.io/name': 'curl' },
      namespace: 'default',
      namespaceLabels: { team: 'dns' },
      clusterName: 'kind',
      serviceAccount: 'robot',
    }),
  ).toEqual([
    'k8s:app.kubernetes.io/name=curl',
    'k8s:app=curl',
    'k8s:io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name=default',
    'k8s:io.cilium.k8s.namespace.labels.team=dns',
    'k8s:io.cilium.k8s.policy.cluster=kind',
    'k8s:io.cilium.k8s.policy.serviceaccount=robot',
    'k8s:io.kubernetes.pod.namespace=default',
  ]));
