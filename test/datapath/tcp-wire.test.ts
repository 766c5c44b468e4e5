import { describe, expect, it } from 'vitest';
import type { CaptureEvent } from '../../src/datapath/events.js';
import type { Packet } from '../../src/datapath/packet.js';
import type { ModelTcpSocket } from '../../src/datapath/sockets/tcp-socket.js';
import { dnsLab, lab, type Lab } from './lab.js';

const COREDNS = 'coredns-674b8bbfcf-vvgfm';
const SERVER = '172.20.1.144';
const one = new Uint8Array([1]);

/** Segments at the client's device, as a capture there has them. */
const segments = ({ events }: Lab): readonly { direction: string; packet: Packet }[] =>
  events.filter((event): event is CaptureEvent => event.kind === 'capture' && event.netns === 'pod/default/curl-pod');
const flagsOf = (made: Lab): string[] =>
  segments(made).map(({ direction, packet }) => `${direction} ${packet.tcp!.flags.join(',')}`);

/** A lab whose server keeps each connection that it takes. */
function setup(config: Parameters<typeof dnsLab>[0] = {}) {
  const made = dnsLab(config);
  const accepted: ModelTcpSocket[] = [];
  const server = made.world.pod('kube-system', COREDNS).process;
  const listener = server.listen('0.0.0.0', 53, (socket) => void accepted.push(socket));
  const { process, netns } = made.world.pod('default', 'curl-pod');
  const pass = (milliseconds: number): void => {
    made.clock.advance(milliseconds);
    made.world.runTimers();
  };
  return { ...made, accepted, listener, client: process, clientNetns: netns, pass };
}

describe('a connection as a capture shows it', () => {
  it('has the windows and the scale that Linux announces', () => {
    const made = setup();
    const client = made.client.connect(SERVER, 53);
    client.write(one);
    made.accepted[0]!.write(one);
    client.write(one);
    const told = segments(made).map(({ direction, packet }) => {
      const { window, options } = packet.tcp!;
      return `${direction} ${packet.tcp!.flags.join(',')} ${window} ${'windowScale' in options ? options.windowScale : '-'}`;
    });
    // What tcpdump shows of curl in a pod, with an MTU of 1500.
    expect([...new Set(told)]).toEqual([
      'Out SYN 64240 7',
      'In SYN,ACK 65160 7',
      'Out ACK 502 -',
      'Out ACK,PSH 502 -',
      'In ACK 509 -',
      'In ACK,PSH 509 -',
      'Out ACK 501 -',
      'Out ACK,PSH 501 -',
    ]);
  });

  it('acknowledges a FIN after 40 ms where the program stays silent', () => {
    const { client, pass } = setup();
    const socket = client.connect(SERVER, 53);
    socket.end();
    pass(39);
    expect(socket.state).toBe('FIN_WAIT_1');
    pass(1);
    expect(socket.state).toBe('FIN_WAIT_2');
  });

  it('keeps its port for a minute after both have ended', () => {
    const { client, clientNetns, accepted, pass } = setup();
    const socket = client.connect(SERVER, 53);
    socket.end();
    pass(40);
    accepted[0]!.end();
    pass(59_999);
    expect([socket.state, clientNetns.ports.list().length]).toEqual(['TIME_WAIT', 1]);
    pass(1);
    expect([socket.state, clientNetns.ports.list().length]).toEqual(['CLOSED', 0]);
  });

  it('is broken off in silence before it is there and after it has ended', () => {
    const made = setup();
    const early = made.client.connect('192.0.2.1', 53);
    early.destroy();
    expect(flagsOf(made)).toEqual(['Out SYN']);
    expect([early.state, made.world.nextTimer]).toEqual(['CLOSED', undefined]);
    made.events.length = 0;
    const late = made.client.connect(SERVER, 53);
    late.end();
    made.pass(40);
    made.accepted[0]!.end();
    late.destroy();
    expect(flagsOf(made).filter((line) => line.includes('RST'))).toEqual([]);
  });

  it('sends nothing again once it is broken off', () => {
    const made = setup();
    const socket = made.client.connect(SERVER, 53);
    made.listener.close();
    made.world.removePod('kube-system', COREDNS);
    socket.write(one);
    socket.destroy();
    made.events.length = 0;
    made.pass(1_000_000);
    expect(flagsOf(made)).toEqual([]);
  });

  it('ends with a FIN that comes together with data', () => {
    const made = setup();
    const got: number[] = [];
    let ended = 0;
    const socket = made.client.connect(SERVER, 53, {
      onData: (_, data) => got.push(data.length),
      onEnd: () => ended++,
    });
    const syn = segments(made).find(({ packet }) => packet.tcp!.flags.join() === 'SYN,ACK')!.packet;
    const seq = (syn.tcp!.seq + 1) % 2 ** 32;
    const fin: Packet = {
      ...syn,
      tcp: { ...syn.tcp!, flags: ['ACK', 'FIN'], seq, options: { tsVal: 0, tsEcr: 0 } },
      payload: new Uint8Array(3),
    };
    socket.receive(fin);
    expect({ got, ended, state: socket.state }).toEqual({ got: [3], ended: 1, state: 'CLOSE_WAIT' });
    made.pass(40);
    // The FIN counts as a byte of its own (RFC 9293 section 3.4).
    expect(segments(made).at(-1)!.packet.tcp!.ack).toBe((seq + 4) % 2 ** 32);
  });
});

describe('what the socket hook remembers', () => {
  it('goes with the connection', () => {
    const { world, client } = setup();
    const { socketLb } = world.node('k8s-ctr');
    const socket = client.connect('10.96.0.10', 53);
    expect(socketLb.size).toBe(1);
    socket.destroy();
    expect(socketLb.size).toBe(0);
  });

  it('gives way to what was used later, where the map is full', () => {
    const { client } = setup({ sockRevNatMax: 2 });
    const connect = () => {
      const socket = client.udp();
      socket.connect('10.96.0.10', 53);
      return socket;
    };
    const [first, second] = [connect(), connect()];
    const shown = (socket: ReturnType<typeof connect>): string => socket.getpeername().ip;
    expect([shown(first), shown(first)]).toEqual(['10.96.0.10', '10.96.0.10']);
    const third = connect();
    expect([first, second, third].map(shown)).toEqual(['10.96.0.10', SERVER, '10.96.0.10']);
  });
});

describe('a packet that arrives when its socket has gone', () => {
  it.each(['UDP', 'TCP'] as const)('is not heard: %s', (protocol) => {
    const later: (() => void)[] = [];
    const made = lab({}, { schedule: (run) => later.push(run) });
    made.world.addPod({ namespace: 'a', name: 'a', node: 'k8s-ctr' });
    made.world.addPod({ namespace: 'a', name: 'b', node: 'k8s-ctr', ip: '172.20.1.9' });
    const [client, server] = ['a', 'b'].map((name) => made.world.pod('a', name).process);
    let heard = 0;
    if (protocol === 'UDP') {
      const socket = server!.udp({ onReadable: () => heard++ });
      socket.bind('0.0.0.0', 53);
      client!.udp().sendTo(one, '172.20.1.9', 53);
      socket.close();
    } else {
      const listener = server!.listen('0.0.0.0', 53, () => heard++);
      client!.connect('172.20.1.9', 53);
      listener.close();
    }
    while (later.length > 0) later.shift()!();
    expect(heard).toBe(0);
    expect(
      made.events.filter((event) => event.kind === 'capture' && event.netns === 'pod/a/b' && event.direction === 'Out'),
    ).toEqual([]);
  });
});
