import { describe, expect, it } from 'vitest';
import type { CaptureEvent, DatapathEvent } from '../../src/datapath/events.js';
import type { World } from '../../src/datapath/world.js';
import { dnsLab, echo, nodeCaptures, story } from './lab.js';

const COREDNS = 'coredns-674b8bbfcf-vvgfm';
const query = new Uint8Array(50);

/** Asks as nslookup does: a new socket, connect, send without address, recvmsg with one. */
function ask(world: World): void {
  const socket = world.pod('default', 'curl-pod').process.udp();
  socket.connect('10.96.0.10', 53);
  socket.send(query);
  socket.recv();
  socket.close();
}

/** What Hubble shows with --port 53: events in which either port is 53. */
const onPort53 = (events: readonly DatapathEvent[]): DatapathEvent[] =>
  events.filter(
    (event) =>
      (event.kind === 'sock' || event.kind === 'trace') && (event.source.port === 53 || event.destination.port === 53),
  );

describe('a query on one node', () => {
  it('is told as in hubble-webpod', () => {
    const { world, events } = dnsLab();
    echo(world, 'kube-system', COREDNS);
    ask(world);
    ask(world);
    const block = (port: string): string[] => [
      'curl-pod <> 10.96.0.10:53 pre-xlate-fwd',
      `curl-pod <> ${COREDNS}:53 post-xlate-fwd`,
      `curl-pod:${port} -> ${COREDNS}:53 to-endpoint`,
      `curl-pod:${port} <- ${COREDNS}:53 to-endpoint`,
      `${COREDNS}:53 <> curl-pod pre-xlate-rev`,
      '10.96.0.10:53 <> curl-pod post-xlate-rev',
    ];
    expect(story(onPort53(events))).toEqual([...block('a'), ...block('b')]);
  });

  it('is captured as in tcpdump-webpod: each packet once, as it leaves its pod', () => {
    const { world, events } = dnsLab();
    echo(world, 'kube-system', COREDNS);
    ask(world);
    expect(nodeCaptures(events, 'k8s-ctr')).toEqual([
      'lxcd63c3c1415ff In 172.20.1.236:a > 172.20.1.144:53',
      'lxcf2a822e72a6e In 172.20.1.144:53 > 172.20.1.236:a',
    ]);
  });

  it('shows both directions inside the pod', () => {
    const { world, events } = dnsLab();
    echo(world, 'kube-system', COREDNS);
    ask(world);
    const inside = events.filter(
      (event): event is CaptureEvent => event.kind === 'capture' && event.netns === 'pod/default/curl-pod',
    );
    expect(inside.map((event) => `${event.device} ${event.direction} ttl ${event.packet.ttl}`)).toEqual([
      'eth0 Out ttl 64',
      'eth0 In ttl 63',
    ]);
  });
});

describe('a query that CoreDNS forwards', () => {
  /** CoreDNS as Go writes it: one upstream socket, and address calls around its set-up. */
  function forwarder(world: World): void {
    const upstream = world
      .pod('kube-system', COREDNS)
      .process.udp({ onReadable: (socket) => back(socket.recv(false)!.payload) });
    let fresh = true;
    let back: (answer: Uint8Array) => void = () => undefined;
    const server = world.pod('kube-system', COREDNS).process.udp({
      onReadable: (socket) => {
        const asked = socket.recv()!;
        back = (answer) => void server.sendTo(answer, asked.address, asked.port);
        if (fresh) {
          upstream.connect('10.0.2.3', 53);
          for (let call = 0; call < 3; call++) upstream.getpeername();
        }
        upstream.send(asked.payload);
        if (fresh) for (let call = 0; call < 2; call++) upstream.getpeername();
        fresh = false;
      },
    });
    server.bind('0.0.0.0', 53);
    const host = world.host('resolver-k8s-ctr').process.udp({
      onReadable: (socket) => {
        const asked = socket.recv()!;
        socket.sendTo(asked.payload, asked.address, asked.port);
      },
    });
    host.bind('0.0.0.0', 53);
  }

  it('is told as in hubble-google: five address calls, one line each way for the upstream flow', () => {
    const { world, events } = dnsLab();
    forwarder(world);
    for (let i = 0; i < 3; i++) ask(world);
    const lines = story(onPort53(events).filter((event) => event.kind === 'sock' || event.kind === 'trace'));
    const head = ['curl-pod <> 10.96.0.10:53 pre-xlate-fwd', `curl-pod <> ${COREDNS}:53 post-xlate-fwd`];
    const tail = [`${COREDNS}:53 <> curl-pod pre-xlate-rev`, '10.96.0.10:53 <> curl-pod post-xlate-rev'];
    const rev = `10.0.2.3:53 <> ${COREDNS} pre-xlate-rev`;
    const request = (port: string): string => `curl-pod:${port} -> ${COREDNS}:53 to-endpoint`;
    const reply = (port: string): string => `curl-pod:${port} <- ${COREDNS}:53 to-endpoint`;
    expect(lines).toEqual([
      ...head,
      request('a'),
      rev,
      rev,
      rev,
      `${COREDNS}:b -> 10.0.2.3:53 to-network`,
      rev,
      rev,
      `${COREDNS}:b <- 10.0.2.3:53 to-endpoint`,
      reply('a'),
      ...tail,
      ...head,
      request('c'),
      reply('c'),
      ...tail,
      ...head,
      request('d'),
      reply('d'),
      ...tail,
    ]);
  });

  it('is captured as in tcpdump-google: masqueraded on eth0 with the port kept, and no lxc line for the answer', () => {
    const { world, events } = dnsLab();
    forwarder(world);
    ask(world);
    ask(world);
    const upstream = [
      'lxcf2a822e72a6e In 172.20.1.144:b > 10.0.2.3:53',
      'eth0 Out 10.0.2.15:b > 10.0.2.3:53',
      'eth0 In 10.0.2.3:53 > 10.0.2.15:b',
    ];
    const client = (port: string): string[] => [
      `lxcd63c3c1415ff In 172.20.1.236:${port} > 172.20.1.144:53`,
      ...upstream,
      `lxcf2a822e72a6e In 172.20.1.144:53 > 172.20.1.236:${port}`,
    ];
    expect(nodeCaptures(events, 'k8s-ctr')).toEqual([...client('a'), ...client('c')]);
  });

  it('reports a long-lived flow again after the interval', () => {
    const { world, events, clock } = dnsLab();
    forwarder(world);
    const seen = (): number => events.filter((event) => event.kind === 'trace' && event.point === 'to-network').length;
    ask(world);
    clock.advance(5_000);
    ask(world);
    expect(seen()).toBe(1);
    clock.advance(1_000);
    ask(world);
    expect(seen()).toBe(2);
  });
});

describe('other places', () => {
  it('a server on the other node: to-network and to-endpoint on each side, pod addresses on eth1', () => {
    const { world, events } = dnsLab();
    world.addPod({ namespace: 'default', name: 'far', node: 'k8s-w1', ip: '172.20.0.130' });
    echo(world, 'default', 'far', 80);
    const socket = world.pod('default', 'curl-pod').process.udp();
    socket.sendTo(query, '172.20.0.130', 80);
    socket.recv();
    const told = events.filter((event) => event.kind === 'trace').map((event) => `${event.node}: ${story([event])[0]}`);
    expect(told).toEqual([
      'k8s-ctr: curl-pod:a -> far:80 to-network',
      'k8s-w1: curl-pod:a -> far:80 to-endpoint',
      'k8s-w1: curl-pod:a <- far:80 to-network',
      'k8s-ctr: curl-pod:a <- far:80 to-endpoint',
    ]);
    expect(nodeCaptures(events, 'k8s-ctr')).toEqual([
      'lxcd63c3c1415ff In 172.20.1.236:a > 172.20.0.130:80',
      'eth1 Out 172.20.1.236:a > 172.20.0.130:80',
      'eth1 In 172.20.0.130:80 > 172.20.1.236:a',
    ]);
  });

  it.each([
    { name: 'a pod on the other node', address: '172.20.0.130', ttl: 62 },
    { name: 'the other node', address: '192.168.10.101', ttl: 63 },
    { name: 'a pod on the same node', address: '172.20.1.144', ttl: 63 },
  ])('a ping of $name answers with ttl $ttl', ({ address, ttl }) => {
    const { world } = dnsLab();
    world.addPod({ namespace: 'default', name: 'far', node: 'k8s-w1', ip: '172.20.0.130' });
    const replies: number[] = [];
    world
      .pod('default', 'curl-pod')
      .process.ping(address, { id: 7, seq: 1, onReply: (reply) => replies.push(reply.ttl) });
    expect(replies).toEqual([ttl]);
  });

  it('the node asks its resolver: one line as host, none for the answer', () => {
    const { world, events } = dnsLab();
    const resolver = world
      .host('resolver-k8s-ctr')
      .process.udp({ onReadable: (s) => void s.sendTo(query, s.recv()!.address, 44999) });
    resolver.bind('10.0.2.3', 53);
    const socket = world.node('k8s-ctr').process.udp();
    socket.bind('0.0.0.0', 44999);
    socket.sendTo(query, '10.0.2.3', 53);
    expect(socket.readable).toBe(1);
    const traces = events.filter((event) => event.kind === 'trace');
    expect(
      traces.map(
        (event) => `${event.source.ip}:${event.source.port} ${event.source.identity} ${event.point} ${event.isReply}`,
      ),
    ).toEqual(['10.0.2.15:44999 1 to-network false']);
  });

  it('knows the node with the API server by its own identity', () => {
    const { world } = dnsLab();
    expect(world.cluster.ipcache.peer('192.168.10.100', 0, world.node('k8s-w1')).identity).toBe(7);
    expect(world.cluster.ipcache.peer('192.168.10.101', 0, world.node('k8s-ctr')).identity).toBe(6);
    expect(world.cluster.ipcache.peer('192.168.10.100', 0, world.node('k8s-ctr')).identity).toBe(1);
    expect(world.cluster.ipcache.peer('10.0.2.3', 0, world.node('k8s-ctr')).identity).toBe(2);
  });

  it('tells every point without aggregation', () => {
    const { world, events } = dnsLab({ aggregation: 'none' });
    echo(world, 'kube-system', COREDNS);
    ask(world);
    expect(events.filter((event) => event.kind === 'trace').map((event) => event.point)).toEqual([
      'from-endpoint',
      'to-endpoint',
      'from-endpoint',
      'to-endpoint',
    ]);
  });
});
