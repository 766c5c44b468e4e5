import { once } from 'node:events';
import http from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { HostNetwork, hasReusePort } from '../../src/net/host-network.js';
import { JsonClient } from '../../src/net/json-client.js';
import type { ConnectedUdpSocket, Endpoint, TcpConnection } from '../../src/net/network.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
const closing = <T extends { close(): unknown }>(thing: T): T => {
  ends.push(() => thing.close());
  return thing;
};
const ignore = (): void => undefined;
const until = (holds: () => boolean): Promise<boolean> => vi.waitUntil(holds, { timeout: 20_000, interval: 5 });
const hasIpv6 = Object.values(os.networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

/** A socket that sends to `to`, and what comes back. */
async function asking(network: HostNetwork, to: Endpoint): Promise<{ socket: ConnectedUdpSocket; got: string[] }> {
  const got: string[] = [];
  const socket = closing(await network.connectUdp(to, (bytes) => void got.push(bytes.toString()), ignore));
  return { socket, got };
}

describe('sockets of the system', () => {
  it.each([
    { at: '127.0.0.1', from: ['127.0.0.1'], needs: true },
    { at: '', from: ['127.0.0.1', '::1'], needs: hasIpv6 },
    { at: '::1', from: ['::1'], needs: hasIpv6 },
  ])("take datagrams at '$at' and answer them, to as many bytes as are said", async ({ at, from, needs }) => {
    if (!needs) return;
    const network = new HostNetwork();
    const peers: string[] = [];
    const server = closing(
      await network.bindUdp({ address: at, port: 0 }, (bytes, peer) => {
        peers.push(peer.address);
        server.send(Buffer.concat([bytes, Buffer.from(' and no more')]), bytes.length, peer);
      }),
    );
    for (const address of from) {
      const { socket, got } = await asking(network, { address, port: server.local.port });
      socket.send(Buffer.from('hello'));
      await until(() => got.length > 0);
      expect([got, socket.local.address]).toEqual([['hello'], address]);
    }
    expect(peers).toEqual(from);
  });

  it('share a port, one at an address and one at all', async () => {
    const network = new HostNetwork();
    const one = closing(await network.bindUdp({ address: '127.0.0.1', port: 0 }, ignore));
    const { port } = one.local;
    expect(closing(await network.bindUdp({ address: '0.0.0.0', port }, ignore)).local.port).toBe(port);
  });

  it('send nothing when they are closed', async () => {
    const network = new HostNetwork();
    const socket = await network.bindUdp({ address: '127.0.0.1', port: 0 }, ignore);
    socket.close();
    expect(() => socket.close()).not.toThrow();
    expect(() => socket.send(Buffer.from('a'), 1, { address: '127.0.0.1', port: 9 })).not.toThrow();
  });

  it('answer many datagrams in a row', async () => {
    const network = new HostNetwork();
    const server = closing(await network.bindUdp({ address: '127.0.0.1', port: 0 }, ignore));
    const peer = closing(await network.bindUdp({ address: '127.0.0.1', port: 0 }, () => taken++));
    let taken = 0;
    for (let i = 0; i < 100; i++) server.send(Buffer.from('a'), 1, peer.local);
    await until(() => taken === 100);
    expect(network.losses.of('buffer_full')).toBe(0);
  });

  it.each([
    { name: 'that is drawn, by Node', port: 0, want: 'listens' },
    { name: 'that is named, as it is said', port: 10_053, want: 'shared at 10053' },
  ])('are shared with other processes at a port $name', async ({ port, want }) => {
    const open = (at: Endpoint): number => {
      throw new Error(`shared at ${at.port}`);
    };
    const network = new HostNetwork(undefined, { open, listens: () => () => true });
    const opened = network.listenTcp({ address: '127.0.0.1', port }, ignore).then((listener) => {
      closing(listener);
      return 'listens';
    });
    expect(await opened.catch((error: Error) => error.message)).toBe(want);
  });

  it('are shared by what Node has for that, at a port that is named too', async () => {
    const { port } = await new HostNetwork().listenTcp({ address: '127.0.0.1', port: 0 }, ignore).then((free) => {
      free.close();
      return free.local;
    });
    const listener = closing(
      await new HostNetwork(undefined, 'node').listenTcp({ address: '127.0.0.1', port }, ignore),
    );
    expect([listener.local.port, listener.turnAway?.()]).toEqual([port, false]);
  });

  // The option `reusePort` of server.listen() came with Node 23.1.0.
  it.each([
    { platform: 'linux', version: '22.12.0', want: false },
    { platform: 'linux', version: '23.0.0', want: false },
    { platform: 'linux', version: '23.1.0', want: true },
    { platform: 'linux', version: '24.0.0', want: true },
    { platform: 'darwin', version: '24.0.0', want: false },
  ] as const)('may be shared by Node $version on $platform: $want', ({ platform, version, want }) =>
    expect(hasReusePort(platform, version)).toBe(want),
  );

  it.each([
    { name: 'UDP', open: (network: HostNetwork, at: Endpoint) => network.bindUdp(at, ignore) },
    { name: 'TCP', open: (network: HostNetwork, at: Endpoint) => network.listenTcp(at, ignore) },
  ])('are refused at an address that is none of the host: $name', async ({ open }) => {
    const at = { address: '192.0.2.1', port: 0 };
    await expect(open(new HostNetwork(), at)).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });

  it('say what comes of a datagram that nobody takes', async () => {
    const network = new HostNetwork();
    const gone = await network.bindUdp({ address: '127.0.0.1', port: 0 }, ignore);
    const errors: Error[] = [];
    const socket = closing(await network.connectUdp(gone.local, ignore, (error) => void errors.push(error)));
    gone.close();
    await until(() => {
      if (errors.length === 0) socket.send(Buffer.from('a'));
      return errors.length > 0;
    });
    expect(errors[0]).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it.each([
    { at: '127.0.0.1', needs: true },
    { at: '', needs: hasIpv6 },
  ])("take connections at '$at', which may be closed on one side", async ({ at, needs }) => {
    if (!needs) return;
    const network = new HostNetwork();
    const taken: TcpConnection[] = [];
    const listener = closing(
      await network.listenTcp({ address: at, port: 0 }, (connection) => void taken.push(connection)),
    );
    const { port } = listener.local;
    const { stream, local, remote } = await network.connectTcp({ address: '127.0.0.1', port });
    ends.push(() => stream.destroy());
    await until(() => taken.length > 0);
    const [there] = taken as [TcpConnection];
    expect([there.remote, there.local, remote]).toEqual([local, remote, { address: '127.0.0.1', port }]);
    for (const [one, other] of [
      [stream, there.stream],
      [there.stream, stream],
    ] as const) {
      other.resume();
      one.end('bye');
      await once(other, 'end');
      if (one === stream) expect(other.writable).toBe(true);
    }
    expect(listener.turnAway?.()).toBe(false);
    await expect(network.listenTcp({ address: at, port }, ignore)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it.each([
    { name: 'before', abort: true },
    { name: 'meanwhile', abort: false },
  ])('are not connected for those who have given up $name', async ({ abort }) => {
    const network = new HostNetwork();
    const listener = closing(
      await network.listenTcp({ address: '127.0.0.1', port: 0 }, ({ stream }) => stream.on('error', ignore).destroy()),
    );
    const controller = new AbortController();
    if (abort) controller.abort(new Error('given up'));
    const connecting = network.connectTcp(listener.local, controller.signal);
    controller.abort(new Error('given up'));
    await expect(connecting).rejects.toThrow('given up');
  });

  it('outlive who gives up when they are connected', async () => {
    const network = new HostNetwork();
    const listener = closing(
      await network.listenTcp({ address: '127.0.0.1', port: 0 }, ({ stream }) => stream.on('error', ignore).end('a')),
    );
    const controller = new AbortController();
    const { stream } = await network.connectTcp(listener.local, controller.signal);
    controller.abort();
    stream.on('error', ignore);
    expect(stream.destroyed).toBe(false);
    stream.destroy();
    listener.close();
    await expect(network.connectTcp(listener.local)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('are of devices, the loopback among them', () => {
    const all = new HostNetwork().interfaces();
    expect(all).toContainEqual({ device: 'lo', address: '127.0.0.1', loopback: true });
    expect(all.filter(({ device, loopback }) => loopback !== /^lo\d*$/.test(device))).toEqual([]);
  });
});

describe('a service that speaks JSON', () => {
  /** One that answers as it is told to; requests as they came. */
  async function service(
    answer: (response: http.ServerResponse) => void,
    at: { port: number } | { path: string } = { port: 0 },
  ): Promise<{ url: URL; asked: string[]; connections: () => number }> {
    const asked: string[] = [];
    let connections = 0;
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { method, url, headers } = request;
        asked.push([method, url, headers['content-type'] ?? '-', headers['x-own'] ?? '-', body].join(' '));
        answer(response);
      });
    });
    server.on('connection', () => connections++);
    await new Promise<void>((resolve) => server.listen({ ...at, host: '127.0.0.1' }, resolve));
    ends.push(() => (server.closeAllConnections(), server.close()));
    const url = 'path' in at ? `unix://${at.path}` : `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { url: new URL(url), asked, connections: () => connections };
  }
  const get = { method: 'GET', path: '/a?b=c', timeout: 30_000 } as const;

  it('is asked over one connection, and an error is an answer', async () => {
    const { url, asked, connections } = await service((response) => response.writeHead(503).end('{"a": [1]}'));
    const client = closing(new JsonClient({ url }));
    const post = { ...get, method: 'POST', body: { x: 1 }, headers: { 'x-own': 'y' } } as const;
    for (const request of [get, post]) expect(await client.request(request)).toEqual({ status: 503, body: { a: [1] } });
    expect(asked).toEqual(['GET /a?b=c - - ', 'POST /a?b=c application/json y {"x":1}']);
    expect(connections()).toBe(1);
  });

  it('at a socket of the file system', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-json-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    const { url } = await service((response) => response.end(''), { path: path.join(folder, 'of it') });
    expect(await closing(new JsonClient({ url })).request(get)).toEqual({ status: 200, body: undefined });
  });

  it.each<{ name: string; answer: (response: http.ServerResponse) => void; timeout?: number; want: string }>([
    {
      name: 'is none',
      answer: (response) => response.end('x'.repeat(101)),
      want: `an answer that is no JSON: ${'x'.repeat(100)}`,
    },
    {
      name: 'is too long',
      answer: (response) => response.end(Buffer.alloc((16 << 20) + 1, ' ')),
      want: 'an answer of more than 16777216 bytes',
    },
    { name: 'is closed', answer: (response) => response.destroy(), want: 'socket hang up' },
    { name: 'does not come in time', answer: ignore, timeout: 20, want: 'no answer in time' },
  ])('is in error where its answer $name', async ({ answer, timeout = 30_000, want }) => {
    const { url } = await service(answer);
    const asked = closing(new JsonClient({ url })).request({ ...get, timeout });
    await expect(asked).rejects.toMatchObject({ code: 'NODENS_SERVICE', message: `${url.href}: ${want}` });
  });

  it('may answer with as much as there is room for', async () => {
    const { url } = await service((response) => response.end(`1${' '.repeat((16 << 20) - 1)}`));
    expect((await closing(new JsonClient({ url })).request(get)).body).toBe(1);
  });

  it('is asked by TLS where that is said', async () => {
    const { url } = await service((response) => response.end('1'));
    const client = closing(new JsonClient({ url: new URL(url.href.replace('http:', 'https:')) }));
    await expect(client.request(get)).rejects.toThrow(/SSL|wrong version|EPROTO/i);
  });
});
