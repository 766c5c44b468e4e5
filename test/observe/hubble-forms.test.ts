import { describe, expect, it } from 'vitest';
import type { DatapathEvent, SockPoint, TraceEvent } from '../../src/datapath/events.js';
import type { IcmpKind } from '../../src/datapath/packet.js';
import { flowOf } from '../../src/observe/hubble/flow.js';
import { flowJson } from '../../src/observe/hubble/json.js';
import { HubbleMetrics } from '../../src/observe/hubble/metrics.js';
import { datagram } from '../support/packet.js';

const trace = (more: Partial<TraceEvent> = {}): TraceEvent => ({
  kind: 'trace',
  time: 0,
  seq: 1,
  node: 'a',
  point: 'to-network',
  reason: 'new',
  isReply: false,
  source: { ip: '10.0.0.1', port: 40_000, identity: 2 },
  destination: { ip: '10.0.0.2', port: 53, identity: 2 },
  packet: datagram(),
  originalSource: '',
  interface: { name: '', index: 0 },
  endpointId: 0,
  flow: 1,
  ...more,
});
/** An ICMP message of a kind between these two addresses. */
const icmp = (kind: IcmpKind, src: string, dst: string): TraceEvent =>
  trace({
    source: { ip: src, port: 0, identity: 2 },
    destination: { ip: dst, port: 0, identity: 2 },
    packet: datagram({ protocol: 'ICMP', src, dst, sport: 0, dport: 0, icmp: { kind, id: 1, seq: 1 } }),
  });
const json = (event: DatapathEvent): Record<string, unknown> =>
  flowJson(flowOf(event)!, { clusterName: 'default' })['flow'] as Record<string, unknown>;

describe('ICMP', () => {
  // RFC 792, RFC 1191 and RFC 4443; what is zero is left out.
  it.each<{ kind: IcmpKind; v4: object; v6: object; text: [string, string] }>([
    { kind: 'echo-request', v4: { type: 8 }, v6: { type: 128 }, text: ['EchoRequest', 'EchoRequest'] },
    { kind: 'echo-reply', v4: {}, v6: { type: 129 }, text: ['EchoReply', 'EchoReply'] },
    {
      kind: 'port-unreachable',
      v4: { type: 3, code: 3 },
      v6: { type: 1, code: 4 },
      text: ['DestinationUnreachable(Port)', 'DestinationUnreachable(Port)'],
    },
    {
      kind: 'host-unreachable',
      v4: { type: 3, code: 1 },
      v6: { type: 1 },
      text: ['DestinationUnreachable(Host)', 'DestinationUnreachable(NoRouteToDst)'],
    },
    {
      kind: 'frag-needed',
      v4: { type: 3, code: 4 },
      v6: { type: 2 },
      text: ['DestinationUnreachable(FragmentationNeeded)', 'PacketTooBig'],
    },
    {
      kind: 'time-exceeded',
      v4: { type: 11 },
      v6: { type: 3 },
      text: ['TimeExceeded(TTLExceeded)', 'TimeExceeded(HopLimitExceeded)'],
    },
  ])('$kind', ({ kind, v4, v6, text }) => {
    const [four, six] = [icmp(kind, '10.0.0.1', '10.0.0.2'), icmp(kind, 'fd00::1', 'fd00::2')];
    expect(json(four)).toMatchObject({ l4: { ICMPv4: v4 }, IP: { ipVersion: 'IPv4' }, Summary: `ICMPv4 ${text[0]}` });
    expect(json(six)).toMatchObject({ l4: { ICMPv6: v6 }, IP: { ipVersion: 'IPv6' }, Summary: `ICMPv6 ${text[1]}` });
    expect([json(four)['l4'], json(six)['l4']]).toEqual([{ ICMPv4: v4 }, { ICMPv6: v6 }]);
  });
});

describe('ports and flags as JSON', () => {
  it('of UDP', () => expect(json(trace())['l4']).toEqual({ UDP: { source_port: 40_000, destination_port: 53 } }));

  it('of TCP', () => {
    const packet = datagram({
      protocol: 'TCP',
      tcp: { flags: ['SYN', 'ACK'], seq: 0, ack: 0, window: 0, options: {} } as never,
    });
    expect(json(trace({ packet }))).toMatchObject({
      l4: { TCP: { source_port: 40_000, destination_port: 53, flags: { SYN: true, ACK: true } } },
      Summary: 'TCP Flags: SYN, ACK',
    });
  });

  // pkg/monitor/api of Cilium: SOCK_XLATE_POINT of the events that the socket hook gives.
  it.each<{ point: SockPoint; number: number; verdict: string }>([
    { point: 'pre-xlate-fwd', number: 1, verdict: 'TRACED' },
    { point: 'post-xlate-fwd', number: 2, verdict: 'TRANSLATED' },
    { point: 'pre-xlate-rev', number: 3, verdict: 'TRACED' },
    { point: 'post-xlate-rev', number: 4, verdict: 'TRANSLATED' },
  ])('of a socket without a port: $point', ({ point, number, verdict }) => {
    const { source, destination } = trace();
    const sock = {
      kind: 'sock',
      time: 0,
      seq: 1,
      node: 'a',
      point,
      protocol: 'TCP',
      cookie: 7,
      cgroupId: 8,
      source: { ...source, port: 0 },
      destination,
      hostNamespace: false,
    } as const;
    expect(json(sock)).toMatchObject({ event_type: { type: 7, sub_type: number }, verdict });
    expect(json(sock)['l4']).toEqual({ TCP: { destination_port: 53 } });
  });
});

describe('directions', () => {
  it.each([
    { point: 'to-endpoint', isReply: false, want: 'ingress' },
    { point: 'to-endpoint', isReply: true, want: 'egress' },
    { point: 'to-network', isReply: false, want: 'egress' },
    { point: 'to-network', isReply: true, want: 'ingress' },
    { point: 'to-network', isReply: undefined, want: 'unknown' },
  ] as const)('$point, reply $isReply: $want', async ({ point, isReply, want }) => {
    const metrics = new HubbleMetrics(['flow:labelsContext=traffic_direction']);
    const event = trace({ point, isReply });
    metrics.take(flowOf(event)!);
    expect(await metrics.text()).toContain(`traffic_direction="${want}"`);
    expect(json(event)['traffic_direction']).toBe(want === 'unknown' ? undefined : want.toUpperCase());
  });

  it.each([
    { src: '10.0.0.1', dst: '10.0.0.2', want: 'ICMPv4' },
    { src: 'fd00::1', dst: 'fd00::2', want: 'ICMPv6' },
  ])('count $want by its version', async ({ src, dst, want }) => {
    const metrics = new HubbleMetrics(['flow']);
    metrics.take(flowOf(icmp('echo-request', src, dst))!);
    expect(await metrics.text()).toContain(`protocol="${want}"`);
  });
});

describe('TCP flags are counted', () => {
  const SEGMENT = (...flags: string[]): TraceEvent =>
    trace({
      packet: datagram({ protocol: 'TCP', tcp: { flags, seq: 0, ack: 0, window: 0, options: {} } as never }),
    });

  it.each<{ name: string; event: DatapathEvent; want: string[] }>([
    { name: 'SYN', event: SEGMENT('SYN'), want: ['SYN'] },
    { name: 'SYN with ACK', event: SEGMENT('SYN', 'ACK'), want: ['SYN-ACK'] },
    { name: 'FIN', event: SEGMENT('FIN', 'ACK'), want: ['FIN'] },
    { name: 'RST', event: SEGMENT('RST'), want: ['RST'] },
    { name: 'none of UDP', event: trace(), want: [] },
    { name: 'none of what is dropped', event: { ...SEGMENT('SYN'), kind: 'drop', reason: 155 }, want: [] },
  ])('$name', async ({ event, want }) => {
    const metrics = new HubbleMetrics(['tcp']);
    metrics.take(flowOf(event)!);
    expect([...(await metrics.text()).matchAll(/flag="([^"]*)"/g)].map(([, flag]) => flag)).toEqual(want);
  });
});
