import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BatchedNetwork } from '../../src/fastpath/batched-network.js';
import { loadLibc, type Libc } from '../../src/fastpath/libc.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { Losses } from '../../src/net/losses.js';
import type { ConnectedUdpSocket, Endpoint } from '../../src/net/network.js';

/** Counts calls, and lets the real ones do the work. */
let calls: { sendmmsg: number; recvmmsg: number };
let network: BatchedNetwork;
/** Error number that the next receive meets in place of datagrams. */
let broken: number | undefined;
const ends: (() => void)[] = [];

let losses: Losses;
/** Whether there is no room for what is sent. */
let full: boolean;

beforeEach(async () => {
  losses = new Losses();
  const libc = loadLibc();
  calls = { sendmmsg: 0, recvmmsg: 0 };
  broken = undefined;
  full = false;
  const counted: Libc = {
    ...libc,
    sendmmsg: (...args) => (++calls.sendmmsg && full ? -1 : libc.sendmmsg(...args)),
    recvmmsg: (...args) => (++calls.recvmmsg && broken === undefined ? libc.recvmmsg(...args) : -1),
    errno: () => (full ? 11 : (broken ?? libc.errno())),
  };
  network = new BatchedNetwork(new HostNetwork(), counted, losses);
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A server that says everything back; with `hold` it waits for that many and then answers all at once. */
async function echo(host = '127.0.0.1', hold = 1): Promise<Endpoint> {
  const server = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  let held: { bytes: Buffer; peer: dgram.RemoteInfo }[] = [];
  server.on('message', (bytes, peer) => {
    held.push({ bytes, peer });
    if (held.length < hold) return;
    for (const one of held) server.send(one.bytes, one.peer.port, one.peer.address);
    held = [];
  });
  server.bind(0, host);
  await once(server, 'listening');
  ends.push(() => server.close());
  return server.address();
}

interface Client {
  readonly socket: ConnectedUdpSocket;
  readonly got: Buffer[];
  readonly errors: Error[];
  /** Resolves when `count` datagrams and errors have come in all. */
  readonly until: (count: number) => Promise<void>;
}

async function connect(to: Endpoint): Promise<Client> {
  const got: Buffer[] = [];
  const errors: Error[] = [];
  let wake = (): void => undefined;
  const keep =
    <T>(list: T[]) =>
    (one: T): void => {
      list.push(one);
      wake();
    };
  const socket = await network.connectUdp(to, keep(got), keep(errors));
  ends.push(() => socket.close());
  return {
    socket,
    got,
    errors,
    until: async (count) => {
      while (got.length + errors.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}

const text = (bytes: readonly Buffer[]): string[] => bytes.map((one) => one.toString()).sort();

describe('a connected socket', () => {
  it('is told of no error when all that has come has been taken', async () => {
    const { socket, got, errors, until } = await connect(await echo());
    socket.send(Buffer.from('hello'));
    await until(1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([text(got), errors]).toEqual([['hello'], []]);
  });

  it('is forgotten when it is closed', async () => {
    const { socket } = await connect(await echo());
    const { sockets } = network as unknown as { sockets: ReadonlyMap<number, unknown> };
    expect(sockets.size).toBe(1);
    socket.close();
    expect(sockets.size).toBe(0);
  });

  it('counts what there is no room for, and is told of nothing', async () => {
    const { socket, errors } = await connect(await echo());
    full = true;
    socket.send(Buffer.from('hello'));
    socket.send(Buffer.from('hello'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([losses.of('buffer_full'), errors]).toEqual([2, []]);
  });

  it.each(['127.0.0.1', '::1'])('sends to and takes from %s, and has a port of its own', async (host) => {
    const { socket, got, until } = await connect(await echo(host));
    socket.send(Buffer.from('hello'));
    await until(1);
    expect(text(got)).toEqual(['hello']);
    expect(socket.local).toMatchObject({ address: host });
    expect(socket.local.port).toBeGreaterThan(0);
  });

  it('sends what is sent in one turn with one call, and takes it so', async () => {
    const { socket, got, until } = await connect(await echo('127.0.0.1', 60));
    const all = Array.from({ length: 60 }, (_, i) => `datagram ${i}`);
    for (const one of all) socket.send(Buffer.from(one));
    expect(calls.sendmmsg).toBe(0);
    await until(60);
    expect(text(got)).toEqual([...all].sort());
    expect(calls.sendmmsg).toBe(1);
    expect(calls.recvmmsg).toBeLessThan(30);
  });

  it('keeps to its own octets: a datagram is what it was when it was sent, and what came is not overwritten', async () => {
    const { socket, got, until } = await connect(await echo());
    const scratch = Buffer.alloc(1);
    for (let i = 0; i < 40; i++) {
      scratch[0] = 65 + (i % 26);
      socket.send(scratch);
    }
    await until(40);
    expect(text(got).join('')).toBe(
      Array.from({ length: 40 }, (_, i) => String.fromCharCode(65 + (i % 26)))
        .sort()
        .join(''),
    );
  });

  it('carries the longest datagrams', async () => {
    const { socket, got, until } = await connect(await echo('127.0.0.1', 2));
    const long = Buffer.alloc(65_507, 'x');
    socket.send(long);
    socket.send(long);
    await until(2);
    expect(got.map((bytes) => bytes.equals(long))).toEqual([true, true]);
  });

  it('keeps two sockets apart', async () => {
    const [one, other] = [await connect(await echo()), await connect(await echo())];
    for (let i = 0; i < 5; i++) {
      one.socket.send(Buffer.from(`one ${i}`));
      other.socket.send(Buffer.from(`other ${i}`));
    }
    await Promise.all([one.until(5), other.until(5)]);
    expect([text(one.got), text(other.got)]).toEqual([
      [0, 1, 2, 3, 4].map((i) => `one ${i}`),
      [0, 1, 2, 3, 4].map((i) => `other ${i}`),
    ]);
  });

  it('is told of a port that nobody listens at, after the call that sent', async () => {
    const free = dgram.createSocket('udp4');
    free.bind(0, '127.0.0.1');
    await once(free, 'listening');
    const to = free.address();
    free.close();
    await once(free, 'close');
    const { socket, errors, until } = await connect(to);
    socket.send(Buffer.from('anybody?'));
    expect(errors).toEqual([]);
    await until(1);
    expect(errors[0]).toMatchObject({ code: 'ECONNREFUSED' });
    // Still good, as sockets are after such an error.
    socket.send(Buffer.from('anybody now?'));
    await until(2);
    expect(errors[1]).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('says of an error whether it was met in receiving', async () => {
    const to = await echo();
    const { socket, errors, until } = await connect(to);
    broken = 111;
    socket.send(Buffer.from('hello'));
    await until(2);
    expect(errors).toMatchObject([
      { syscall: 'recvmmsg', code: 'ECONNREFUSED', message: `recvmmsg ECONNREFUSED 127.0.0.1:${to.port}` },
    ]);
  });

  it('sends what is waiting when it is closed, and is silent from then on', async () => {
    const server = dgram.createSocket('udp4');
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    ends.push(() => server.close());
    const { socket, got, errors } = await connect(server.address());
    const arrived = once(server, 'message') as Promise<[Buffer, dgram.RemoteInfo]>;
    socket.send(Buffer.from('last words'));
    socket.close();
    socket.send(Buffer.from('too late'));
    socket.close();
    const [bytes, peer] = await arrived;
    expect(bytes.toString()).toBe('last words');
    server.send('answer', peer.port, peer.address);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([got, errors]).toEqual([[], []]);
  });

  it('may be closed by what it delivers', async () => {
    const to = await echo('127.0.0.1', 10);
    const got: string[] = [];
    const socket = await network.connectUdp(
      to,
      (bytes) => {
        got.push(bytes.toString());
        if (got.length === 3) socket.close();
      },
      () => undefined,
    );
    for (let i = 0; i < 10; i++) socket.send(Buffer.from(String(i)));
    while (got.length < 3) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(got).toHaveLength(3);
  });
});

describe('connecting fails', () => {
  it.each([
    {
      name: 'to an address that may not be sent to',
      to: { address: '255.255.255.255', port: 53 },
      error: { code: 'EACCES', syscall: 'connect' },
    },
    {
      name: 'to a name',
      to: { address: 'dns.example.org', port: 53 },
      error: { message: "expected an IPv4 or IPv6 address, got 'dns.example.org'" },
    },
  ])('$name', async ({ to, error }) => {
    await expect(
      network.connectUdp(
        to,
        () => undefined,
        () => undefined,
      ),
    ).rejects.toMatchObject(error);
  });
});

it('leaves everything else to the inner network', async () => {
  const bound = await network.bindUdp({ address: '127.0.0.1', port: 0 }, (bytes, peer) =>
    bound.send(bytes, bytes.length, peer),
  );
  ends.push(() => bound.close());
  const listener = await network.listenTcp({ address: '127.0.0.1', port: 0 }, ({ stream }) => stream.end('tcp'));
  ends.push(() => listener.close());
  const { socket, got, until } = await connect(bound.local);
  socket.send(Buffer.from('udp'));
  await until(1);
  const { stream } = await network.connectTcp(listener.local);
  const [greeting] = (await once(stream, 'data')) as [Buffer];
  stream.destroy();
  expect([text(got), greeting.toString(), network.interfaces().map(({ address }) => address)]).toEqual([
    ['udp'],
    'tcp',
    expect.arrayContaining(['127.0.0.1']),
  ]);
});
