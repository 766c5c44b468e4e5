import { describe, expect, it } from 'vitest';
import type { ModelTcpSocket } from '../../src/datapath/sockets/tcp-socket.js';
import { dnsLab, echo, lab, story } from './lab.js';

const COREDNS = 'coredns-674b8bbfcf-vvgfm';
const one = new Uint8Array([1]);

/** A lab with a server on CoreDNS's port and the client's process. */
function setup() {
  const made = dnsLab();
  return {
    ...made,
    client: made.world.pod('default', 'curl-pod').process,
    server: made.world.pod('kube-system', COREDNS).process,
  };
}
const sockEvents = (made: ReturnType<typeof setup>): string[] =>
  story(made.events, ['sock']).map((line) => line.split(' ').at(-1)!);

describe('which call the hook sees', () => {
  const fwd = ['pre-xlate-fwd', 'post-xlate-fwd'];
  const rev = ['pre-xlate-rev', 'post-xlate-rev'];
  it.each([
    { name: 'connect', act: (m: ReturnType<typeof setup>) => m.client.udp().connect('10.96.0.10', 53), want: fwd },
    {
      name: 'connect to no service',
      act: (m: ReturnType<typeof setup>) => m.client.udp().connect('172.20.1.144', 53),
      want: [],
    },
    {
      name: 'sendto, each datagram',
      act: (m: ReturnType<typeof setup>) => {
        const s = m.client.udp();
        s.sendTo(one, '10.96.0.10', 53);
        s.sendTo(one, '10.96.0.10', 53);
      },
      want: [...fwd, ...fwd],
    },
    {
      name: 'send without address',
      act: (m: ReturnType<typeof setup>) => {
        m.server.udp().bind('0.0.0.0', 53);
        const s = m.client.udp();
        s.connect('10.96.0.10', 53);
        s.send(one);
        s.send(one);
      },
      want: fwd,
    },
    {
      name: 'getpeername',
      act: (m: ReturnType<typeof setup>) => {
        const s = m.client.udp();
        s.connect('10.96.0.10', 53);
        s.getpeername();
      },
      want: [...fwd, ...rev],
    },
    {
      name: 'getpeername towards no service',
      act: (m: ReturnType<typeof setup>) => {
        const s = m.client.udp();
        s.connect('172.20.1.144', 53);
        s.getpeername();
      },
      want: ['pre-xlate-rev'],
    },
    { name: 'TCP connect', act: (m: ReturnType<typeof setup>) => m.client.connect('10.96.0.10', 53), want: fwd },
  ])('$name', ({ act, want }) => {
    const made = setup();
    act(made);
    expect(sockEvents(made)).toEqual(want);
  });

  it.each([
    { name: 'recvmsg with an address', withAddress: true, want: [...fwd, 'pre-xlate-rev', ...rev] },
    { name: 'read', withAddress: false, want: [...fwd, 'pre-xlate-rev'] },
  ])('$name; the address shown is the service', ({ withAddress, want }) => {
    const made = setup();
    echo(made.world, 'kube-system', COREDNS);
    const socket = made.client.udp();
    socket.connect('10.96.0.10', 53);
    socket.send(one);
    expect(socket.recv(withAddress)).toMatchObject({ address: '10.96.0.10', port: 53 });
    expect(sockEvents(made)).toEqual(want);
  });

  it('a service without backends is EHOSTUNREACH before any event', () => {
    const made = setup();
    made.world.setBackends('kube-system', 'kube-dns', []);
    expect(() => made.client.udp().connect('10.96.0.10', 53)).toThrow(
      'EHOSTUNREACH: 10.96.0.10:53/UDP (kube-system/kube-dns) has no backend',
    );
    expect(() => made.client.connect('10.96.0.10', 53)).toThrow('EHOSTUNREACH');
    expect(made.events).toEqual([]);
  });

  it('keeps a client with its backend for the time of the affinity, over its sockets', () => {
    const made = setup();
    const port = { portName: 'dns', port: 53, protocol: 'UDP' as const };
    const chosen = (affinity?: number): ReadonlySet<string> => {
      made.world.setService({
        namespace: 'kube-system',
        name: 'kube-dns',
        clusterIPs: ['10.96.0.10'],
        ports: [{ name: 'dns', port: 53, protocol: 'UDP' }],
        ...(affinity !== undefined && { affinity }),
      });
      const ips = [1, 2, 3, 4].map((last) => `172.20.1.${last}`);
      made.world.setBackends(
        'kube-system',
        'kube-dns',
        ips.map((ip) => ({ ...port, ip })),
      );
      made.events.length = 0;
      for (let i = 0; i < 20; i++) {
        made.client.udp().connect('10.96.0.10', 53);
        made.clock.advance(5000);
      }
      return new Set(
        made.events.flatMap((event) =>
          event.kind === 'sock' && event.destination.ip !== '10.96.0.10' ? event.destination.ip : [],
        ),
      );
    };
    expect(chosen(6).size).toBe(1);
    expect(chosen(5).size).toBeGreaterThan(1);
    expect(chosen().size).toBeGreaterThan(1);
  });

  it('marks programs of the node, which Hubble leaves out', () => {
    const made = setup();
    made.world.node('k8s-ctr').process.udp().connect('10.96.0.10', 53);
    expect(made.events[0]).toMatchObject({ kind: 'sock', hostNamespace: true });
  });

  it('ends connected UDP sockets whose backend is gone', () => {
    const made = setup();
    const socket = made.client.udp();
    socket.connect('10.96.0.10', 53);
    made.world.setBackends('kube-system', 'kube-dns', []);
    expect(() => socket.send(one)).toThrow('ECONNABORTED');
  });
});

describe('UDP errors', () => {
  it.each([
    {
      name: 'an address of somebody else',
      act: (m: ReturnType<typeof setup>) => m.client.udp().bind('169.254.20.10', 53),
      error: 'EADDRNOTAVAIL: pod/default/curl-pod does not have the address 169.254.20.10',
    },
    {
      name: 'a port twice',
      act: (m: ReturnType<typeof setup>) => {
        m.client.udp().bind('0.0.0.0', 53);
        m.client.udp().bind('172.20.1.236', 53);
      },
      error: 'EADDRINUSE: 172.20.1.236:53 is in use',
    },
    {
      name: 'bound twice',
      act: (m: ReturnType<typeof setup>) => {
        const s = m.client.udp();
        s.bind('0.0.0.0', 53);
        s.bind('0.0.0.0', 54);
      },
      error: 'EINVAL: socket is already bound to port 53',
    },
    { name: 'send without peer', act: (m: ReturnType<typeof setup>) => m.client.udp().send(one), error: 'ENOTCONN' },
    {
      name: 'getpeername without peer',
      act: (m: ReturnType<typeof setup>) => m.client.udp().getpeername(),
      error: 'ENOTCONN',
    },
    {
      name: 'too much',
      act: (m: ReturnType<typeof setup>) => m.client.udp().sendTo(new Uint8Array(65_508), '10.96.0.10', 53),
      error: 'EMSGSIZE: 65508 bytes do not fit a datagram, at most 65507 do',
    },
    {
      name: 'closed',
      act: (m: ReturnType<typeof setup>) => {
        const s = m.client.udp();
        s.close();
        s.recv();
      },
      error: 'EBADF',
    },
    {
      name: 'no route',
      act: (m: ReturnType<typeof setup>) => m.world.host('resolver-k8s-ctr').process.udp().sendTo(one, '192.0.2.1', 53),
      error: 'ENETUNREACH: host/resolver-k8s-ctr has no route to 192.0.2.1',
    },
    {
      name: 'a closed port',
      act: (m: ReturnType<typeof setup>) => {
        const s = m.client.udp();
        s.connect('172.20.1.144', 99);
        s.send(one);
        s.send(one);
      },
      error: 'ECONNREFUSED: 172.20.1.144:99 is closed',
    },
    {
      name: 'no address',
      act: (m: ReturnType<typeof setup>) => m.client.udp().connect('kube-dns', 53),
      error: 'address: "kube-dns" is no IP address',
    },
  ])('$name', ({ act, error }) => {
    const made = setup();
    expect(() => act(made)).toThrow(error);
  });

  it('an unconnected socket does not hear of a closed port', () => {
    const { client } = setup();
    const socket = client.udp();
    expect(socket.sendTo(one, '172.20.1.144', 99).verdict).toBe('refused');
    expect(() => socket.sendTo(one, '172.20.1.144', 99)).not.toThrow();
  });

  it('sharers of a port are chosen by flow, the same each time', () => {
    const { client, server } = setup();
    const got: string[] = [];
    for (const name of ['a', 'b'])
      server.udp({ reusePort: true, onReadable: (s) => void (s.recv(), got.push(name)) }).bind('0.0.0.0', 53);
    const socket = client.udp();
    for (let i = 0; i < 5; i++) socket.sendTo(one, '172.20.1.144', 53);
    expect(new Set(got).size).toBe(1);
    for (let i = 0; i < 30; i++) client.udp().sendTo(one, '172.20.1.144', 53);
    expect(new Set(got).size).toBe(2);
  });

  it('the node cache binds its addresses once the device is there', () => {
    const { world } = setup();
    world.addDummy('k8s-ctr', 'nodelocaldns', ['169.254.20.10', '10.96.0.10']);
    const socket = world.node('k8s-ctr').process.udp({
      onReadable: (s) => {
        const d = s.recv()!;
        s.sendTo(d.payload, d.address, d.port, d.localAddress);
      },
    });
    socket.bind('169.254.20.10', 53);
    const client = world.pod('default', 'curl-pod').process.udp();
    client.sendTo(one, '169.254.20.10', 53);
    expect(client.recv()).toMatchObject({ address: '169.254.20.10', port: 53 });
    expect(() => world.addDummy('k8s-ctr', 'nodelocaldns', [])).toThrow('k8s-ctr.nodelocaldns: the device exists');
    expect(world.removeDummy('k8s-ctr', 'nodelocaldns')).toBe(true);
    expect(() => world.node('k8s-ctr').process.udp().bind('169.254.20.10', 5353)).toThrow('EADDRNOTAVAIL');
  });
});

describe('TCP', () => {
  const flags = (made: ReturnType<typeof setup>): string[] =>
    made.events.flatMap((e) =>
      e.kind === 'capture' && e.netns === 'pod/default/curl-pod'
        ? [`${e.direction} ${e.packet.tcp!.flags.join(',')} ${e.packet.payload.length}`]
        : [],
    );

  it('opens, sends both ways and closes', () => {
    const made = setup();
    let closed = 0;
    made.server.listen('0.0.0.0', 53, (c) =>
      c.handle({ onData: (s, data) => s.write(data), onEnd: (s) => s.end(), onClose: () => closed++ }),
    );
    const got: number[] = [];
    made.client.connect('10.96.0.10', 53, {
      onConnect: (s) => s.write(new Uint8Array(3000)),
      onData: (s, data) => {
        got.push(data.length);
        if (got.length === 3) s.end();
      },
      onClose: () => closed++,
    });
    expect(got).toEqual([1448, 1448, 104]);
    expect(closed).toBe(2);
    expect(flags(made).slice(0, 6)).toEqual([
      'Out SYN 0',
      'In SYN,ACK 0',
      'Out ACK 0',
      'Out ACK 1448',
      'Out ACK 1448',
      'Out ACK,PSH 104',
    ]);
    expect(flags(made).slice(-3)).toEqual(['Out ACK,FIN 0', 'In ACK,FIN 0', 'Out ACK 0']);
  });

  it('is reported as in the recordings: new flags, and the last ACK', () => {
    const made = setup();
    made.server.listen('0.0.0.0', 53, (c) => c.handle({ onData: (s, data) => s.write(data), onEnd: (s) => s.end() }));
    made.client.connect('172.20.1.144', 53, { onConnect: (s) => s.write(one), onData: (s) => s.end() });
    const told = story(made.events, ['trace']).map((line) => line.replace(/^\S+ (\S+) .* (\S+)$/, '$1 $2'));
    expect(told).toEqual([
      '-> SYN',
      '<- SYN,ACK',
      '-> ACK',
      '-> ACK,PSH',
      '<- ACK,PSH',
      '-> ACK,FIN',
      '<- ACK,FIN',
      '-> ACK',
    ]);
  });

  it.each([
    { name: 'a closed port', address: '172.20.1.144', error: 'ECONNREFUSED: 172.20.1.144:53 refused the connection' },
    { name: 'silence', address: '192.0.2.1', error: 'ETIMEDOUT: 192.0.2.1:53 does not answer' },
  ])('fails upon $name', ({ address, error }) => {
    const made = setup();
    const errors: string[] = [];
    made.client.connect(address, 53, { onClose: (_, e) => errors.push(e!.message) });
    while (made.world.nextTimer !== undefined) {
      made.clock.advance(made.world.nextTimer - made.clock.now());
      made.world.runTimers();
    }
    expect(errors).toEqual([error]);
  });

  it('sends a SYN again after 1, 3, 7, 15, 31 and 63 seconds', () => {
    const made = setup();
    const start = made.clock.now();
    made.client.connect('192.0.2.1', 53);
    const times: number[] = [];
    while (made.world.nextTimer !== undefined) {
      times.push((made.world.nextTimer - start) / 1000);
      made.clock.advance(made.world.nextTimer - made.clock.now());
      made.world.runTimers();
    }
    expect(times).toEqual([1, 3, 7, 15, 31, 63, 127]);
  });

  it('a RST ends the other side', () => {
    const made = setup();
    const errors: (string | undefined)[] = [];
    let accepted: ModelTcpSocket | undefined;
    made.server.listen('172.20.1.144', 53, (c) => {
      accepted = c;
    });
    made.client.connect('172.20.1.144', 53, { onClose: (_, e) => errors.push(e?.code) });
    expect(accepted!.getpeername()).toMatchObject({ ip: '172.20.1.236' });
    accepted!.destroy();
    expect(errors).toEqual(['ECONNRESET']);
    expect(() => accepted!.write(one)).toThrow('ENOTCONN: the connection is CLOSED');
  });

  it('an ACK of a FIN waits for the answer, 40 ms at most', () => {
    const made = setup();
    let accepted: ModelTcpSocket | undefined;
    made.server.listen('0.0.0.0', 53, (c) => {
      accepted = c;
    });
    const client = made.client.connect('172.20.1.144', 53);
    client.end();
    expect(client.state).toBe('FIN_WAIT_1');
    made.clock.advance(40);
    made.world.runTimers();
    expect(client.state).toBe('FIN_WAIT_2');
    accepted!.end();
    expect(client.state).toBe('TIME_WAIT');
    expect(accepted!.state).toBe('CLOSED');
  });

  it.each([
    {
      name: 'an address of somebody else',
      act: (m: ReturnType<typeof setup>) => m.client.listen('10.0.0.1', 53, () => undefined),
      error: 'EADDRNOTAVAIL',
    },
    {
      name: 'a taken port',
      act: (m: ReturnType<typeof setup>) => {
        m.client.listen('', 53, () => undefined);
        m.client.listen('0.0.0.0', 53, () => undefined);
      },
      error: 'EADDRINUSE',
    },
    {
      name: 'a foreign source',
      act: (m: ReturnType<typeof setup>) => m.client.connect('172.20.1.144', 53, { localAddress: '10.0.0.1' }),
      error: 'EADDRNOTAVAIL',
    },
  ])('refuses $name', ({ act, error }) => {
    expect(() => act(setup())).toThrow(error);
  });
});

describe('a schedule', () => {
  it('decides when programs see their packets, at times with the latency of the way', () => {
    const later: { run: () => void; at: number }[] = [];
    const made = lab({}, { schedule: (run, at) => later.push({ run, at }), latency: { local: 0.01, wire: 0.3 } });
    made.world.addPod({ namespace: 'a', name: 'a', node: 'k8s-ctr' });
    made.world.addPod({ namespace: 'a', name: 'b', node: 'k8s-w1', ip: '172.20.0.9' });
    const server = made.world.pod('a', 'b').process.udp();
    server.bind('0.0.0.0', 53);
    made.world.pod('a', 'a').process.udp().sendTo(one, '172.20.0.9', 53);
    expect(server.readable).toBe(0);
    expect(later[0]!.at - made.clock.now()).toBeCloseTo(0.33, 3);
    later[0]!.run();
    expect(server.readable).toBe(1);
  });
});
