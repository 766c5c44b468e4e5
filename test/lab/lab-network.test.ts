import http from 'node:http';
import { describe, expect, it } from 'vitest';
import type { DatapathEvent } from '../../src/datapath/events.js';
import { LabNetwork } from '../../src/lab/network/lab-network.js';
import { GO_RESOLVER, GO_SERVER, LIBC } from '../../src/lab/network/syscall-profile.js';
import { dnsLab } from '../datapath/lab.js';

const DNS = { address: '10.96.0.10', port: 53 };

function networks() {
  const lab = dnsLab();
  const faults: unknown[] = [];
  const of = (namespace: string, name: string, habits = LIBC): LabNetwork =>
    new LabNetwork(lab.world.pod(namespace, name).process, { habits, onFault: (error) => faults.push(error) });
  return {
    ...lab,
    faults,
    client: (habits = LIBC) => of('default', 'curl-pod', habits),
    server: of('kube-system', 'coredns-674b8bbfcf-vvgfm', GO_SERVER),
  };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('UDP', () => {
  it('a question and its answer, within the call that asks', async () => {
    const { client, server } = networks();
    const socket = await server.bindUdp({ address: '', port: 53 }, (bytes, peer) =>
      socket.send(Buffer.from(`${bytes.toString()}! from ${peer.address}`), 21, peer),
    );
    const answers: string[] = [];
    const asking = await client().connectUdp(
      DNS,
      (bytes) => answers.push(bytes.toString()),
      () => undefined,
    );
    asking.send(Buffer.from('hello'));
    expect(answers).toEqual(['hello! from 172.20.1.']);
    expect([socket.local, asking.local.address]).toEqual([{ address: '', port: 53 }, '172.20.1.236']);
  });

  it.each([
    { name: 'a C library', habits: LIBC, want: ['pre-xlate-fwd', 'post-xlate-fwd', 'pre-xlate-rev', 'post-xlate-rev'] },
    {
      name: "Go's resolver",
      habits: GO_RESOLVER,
      want: ['pre-xlate-fwd', 'post-xlate-fwd', 'pre-xlate-rev', 'post-xlate-rev'],
    },
    {
      name: 'a server written in Go',
      habits: GO_SERVER,
      want: [
        'pre-xlate-fwd',
        'post-xlate-fwd',
        ...Array.from({ length: 5 }, () => ['pre-xlate-rev', 'post-xlate-rev']).flat(),
      ],
    },
  ])('leaves the events of $name', async ({ habits, want }) => {
    const { client, server, events } = networks();
    const socket = await server.bindUdp({ address: '0.0.0.0', port: 53 }, (bytes, peer) =>
      socket.send(bytes, bytes.length, peer),
    );
    const asking = await client(habits).connectUdp(
      DNS,
      () => undefined,
      () => undefined,
    );
    asking.send(Buffer.from('x'));
    const isMine = (event: DatapathEvent): boolean =>
      event.kind === 'sock' &&
      (event.source.pod?.name === 'curl-pod' || event.destination.pod?.name === 'curl-pod') &&
      event.source.port !== asking.local.port;
    expect(events.filter(isMine).map((event) => (event.kind === 'sock' ? event.point : ''))).toEqual(want);
  });

  it('an exception of a handler reaches neither the sender nor the next datagram', async () => {
    const { client, server, faults } = networks();
    let seen = 0;
    await server.bindUdp({ address: '', port: 53 }, () => {
      seen++;
      throw new Error('broken handler');
    });
    const asking = await client().connectUdp(
      DNS,
      () => undefined,
      () => undefined,
    );
    asking.send(Buffer.from('1'));
    asking.send(Buffer.from('2'));
    expect([seen, faults.map((fault) => (fault as Error).message)]).toEqual([2, ['broken handler', 'broken handler']]);
  });

  it('a refusal is an error of the connected socket', async () => {
    const { client } = networks();
    const errors: Error[] = [];
    const asking = await client().connectUdp(
      { address: '172.20.1.144', port: 53 },
      () => undefined,
      (error) => errors.push(error),
    );
    asking.send(Buffer.from('x'));
    await settle();
    expect(errors).toMatchObject([{ code: 'ECONNREFUSED' }]);
    asking.close();
    asking.send(Buffer.from('x'));
    expect(errors).toHaveLength(1);
  });

  it('what cannot be sent is lost, also after the end', async () => {
    const { client, server } = networks();
    const socket = await client().bindUdp({ address: '', port: 0 }, () => undefined);
    socket.send(Buffer.from('x'), 1, { address: 'fd00::1', port: 53 });
    socket.close();
    socket.send(Buffer.from('x'), 1, DNS);
    await expect(server.bindUdp({ address: '', port: 53 }, () => undefined)).resolves.toBeDefined();
  });

  it('answers from the address that was asked', async () => {
    const { world } = networks();
    world.addDummy('k8s-ctr', 'nodelocaldns', ['169.254.20.10', '10.96.0.99']);
    const node = new LabNetwork(world.node('k8s-ctr').process);
    const socket = await node.bindUdp({ address: '', port: 53 }, (bytes, peer) =>
      socket.send(bytes, bytes.length, peer),
    );
    for (const address of ['169.254.20.10', '10.96.0.99']) {
      const from: string[] = [];
      const asking = await node.bindUdp({ address: '192.168.10.100', port: 0 }, (_, peer) => from.push(peer.address));
      asking.send(Buffer.from('x'), 1, { address, port: 53 });
      expect(from).toEqual([address]);
    }
  });

  it.each([
    { name: 'an address of another machine', at: { address: '192.0.2.1', port: 53 }, code: 'EADDRNOTAVAIL' },
    { name: 'a port that is taken', at: { address: '', port: 53 }, code: 'EADDRINUSE' },
  ])('cannot bind $name', async ({ at, code }) => {
    const { server } = networks();
    await server.bindUdp({ address: '0.0.0.0', port: 53 }, () => undefined);
    await expect(server.bindUdp(at, () => undefined)).rejects.toMatchObject({ code });
  });

  it('cannot ask a service without backends', async () => {
    const { client, world } = networks();
    world.setBackends('kube-system', 'kube-dns', []);
    await expect(
      client().connectUdp(
        DNS,
        () => undefined,
        () => undefined,
      ),
    ).rejects.toMatchObject({ code: 'EHOSTUNREACH' });
  });
});

describe('TCP', () => {
  it('carries HTTP', async () => {
    const { client, server } = networks();
    const web = http.createServer((request, response) => response.end(`you asked ${request.url}`));
    const listener = await server.listenTcp({ address: '::', port: 9153 }, ({ stream }) =>
      web.emit('connection', stream),
    );
    const { stream, remote, local } = await client().connectTcp({ address: '10.96.0.10', port: 9153 });
    const text = await new Promise<string>((resolve, reject) => {
      http
        .get({ createConnection: () => stream, path: '/metrics', headers: { connection: 'close' } }, (response) => {
          let body = '';
          response
            .setEncoding('utf8')
            .on('data', (chunk: string) => (body += chunk))
            .on('end', () => resolve(body));
        })
        .on('error', reject);
    });
    expect([text, remote, local.address, listener.local.port]).toEqual([
      'you asked /metrics',
      { address: '10.96.0.10', port: 9153 },
      '172.20.1.236',
      9153,
    ]);
    web.closeAllConnections();
  });

  it('keeps half-open connections: an answer after the end of the question', async () => {
    const { client, server } = networks();
    await server.listenTcp({ address: '', port: 53 }, ({ stream }) => {
      stream.on('data', () => undefined).on('end', () => stream.end('late'));
    });
    const { stream } = await client().connectTcp(DNS);
    stream.end('early');
    const got: string[] = [];
    await new Promise((resolve) =>
      stream.on('data', (chunk: Buffer) => got.push(chunk.toString())).on('close', resolve),
    );
    expect(got).toEqual(['late']);
  });

  it('is refused where nobody listens, and after the listener has closed', async () => {
    const { client, server } = networks();
    await expect(client().connectTcp({ address: '172.20.1.144', port: 81 })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    const listener = await server.listenTcp({ address: '', port: 53 }, () => undefined);
    listener.close();
    await expect(client().connectTcp(DNS)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('gives up with its signal, before and while it waits', async () => {
    const { client, world } = networks();
    const reason = new Error('too late');
    await expect(client().connectTcp(DNS, AbortSignal.abort(reason))).rejects.toBe(reason);
    const waiting = new AbortController();
    const connecting = client().connectTcp({ address: '172.20.1.199', port: 53 }, waiting.signal);
    waiting.abort(reason);
    await expect(connecting).rejects.toBe(reason);
    expect(world.pod('default', 'curl-pod').netns.ports.list()).toEqual([]);
  });

  it('tells the other side of a destroyed stream', async () => {
    const { client, server } = networks();
    const errors: string[] = [];
    await server.listenTcp({ address: '', port: 53 }, ({ stream }) =>
      stream.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code!)),
    );
    const { stream } = await client().connectTcp(DNS);
    stream.destroy();
    await settle();
    expect(errors).toEqual(['ECONNRESET']);
  });

  it('an exception of the listener is told as a fault', async () => {
    const { client, server, faults } = networks();
    await server.listenTcp({ address: '', port: 53 }, () => {
      throw new Error('broken listener');
    });
    await client().connectTcp(DNS);
    expect(faults).toMatchObject([{ message: 'broken listener' }]);
  });
});

it('knows the addresses of its namespace', () => {
  expect(networks().client().interfaces()).toEqual([
    { device: 'lo', address: '127.0.0.1', loopback: true },
    { device: 'eth0', address: '172.20.1.236', loopback: false },
  ]);
});
