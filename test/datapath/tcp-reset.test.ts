import { describe, expect, it } from 'vitest';
import type { Packet, TcpFlag } from '../../src/datapath/packet.js';
import { ModelTcpListener, resetFor } from '../../src/datapath/sockets/tcp-listener.js';
import type { PacketDraft, Stack } from '../../src/datapath/sockets/stack.js';
import { lab } from './lab.js';

const segment = (flags: readonly TcpFlag[], bytes = 0, seq = 1000): Packet =>
  ({
    protocol: 'TCP',
    src: '10.0.0.1',
    dst: '10.0.0.2',
    sport: 40_000,
    dport: 53,
    tcp: { flags, seq, ack: 7000, window: 100, options: { tsVal: 5, tsEcr: 6 } },
    payload: new Uint8Array(bytes),
  }) as unknown as Packet;

describe('the reset of a segment without a connection', () => {
  it('goes back where it came from', () =>
    expect(resetFor(segment(['SYN']))).toMatchObject({
      protocol: 'TCP',
      src: '10.0.0.2',
      dst: '10.0.0.1',
      sport: 53,
      dport: 40_000,
      tcp: { window: 0, options: { tsVal: 0, tsEcr: 5 } },
      payload: new Uint8Array(0),
    }));

  // RFC 9293 section 3.5.2: it takes its number from the segment's, or acknowledges all of it.
  it.each<{ flags: TcpFlag[]; bytes?: number; seq?: number; want: string }>([
    { flags: ['SYN'], want: 'ACK,RST seq 0 ack 1001' },
    { flags: ['SYN'], bytes: 10, want: 'ACK,RST seq 0 ack 1011' },
    { flags: ['FIN'], want: 'ACK,RST seq 0 ack 1001' },
    { flags: ['SYN', 'FIN'], want: 'ACK,RST seq 0 ack 1002' },
    { flags: ['PSH'], bytes: 3, want: 'ACK,RST seq 0 ack 1003' },
    { flags: ['SYN'], seq: 2 ** 32 - 1, want: 'ACK,RST seq 0 ack 0' },
    { flags: ['ACK'], bytes: 3, want: 'RST seq 7000 ack 0' },
    { flags: ['SYN', 'ACK'], want: 'RST seq 7000 ack 0' },
  ])('$flags with $bytes bytes: $want', ({ flags, bytes, seq, want }) => {
    const { tcp } = resetFor(segment(flags, bytes, seq));
    expect(`${tcp!.flags.join(',')} seq ${tcp!.seq} ack ${tcp!.ack}`).toBe(want);
  });
});

describe('a listening socket', () => {
  it.each<{ flags: TcpFlag[]; want: string[] }>([
    { flags: ['ACK'], want: ['RST'] },
    { flags: ['SYN', 'ACK'], want: ['RST'] },
    { flags: ['FIN'], want: ['ACK,RST'] },
    { flags: ['RST'], want: [] },
    { flags: ['RST', 'ACK'], want: [] },
  ])('answers $flags for no connection with $want', ({ flags, want }) => {
    const { netns } = lab().world.node('k8s-w1');
    const sent: PacketDraft[] = [];
    const stack = {
      netns,
      nextCookie: () => 1,
      register: () => undefined,
      unregister: () => undefined,
      output: (draft: PacketDraft) => void sent.push(draft),
    } as unknown as Stack;
    const accepted: unknown[] = [];
    new ModelTcpListener(stack, '0.0.0.0', 53, (socket) => void accepted.push(socket)).receive(segment(flags));
    expect(sent.map(({ tcp }) => tcp!.flags.join(','))).toEqual(want);
    expect(accepted).toEqual([]);
  });
});
