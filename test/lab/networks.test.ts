import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { ForwardClients } from '../../src/lab/gateway/forward-clients.js';
import { PausableNetwork, SplitNetwork } from '../../src/lab/pods/pausable-network.js';
import type { Network, OnDatagram, TcpConnection, UdpSocket } from '../../src/net/network.js';

describe('real clients of the port of a pod', () => {
  /** A network whose connected sockets are told of, and the clients on it. */
  function clients(refuses = false) {
    const clock = new ManualClock(0);
    const told: string[] = [];
    let opened = 0;
    let fail: (error: Error) => void = () => undefined;
    const network = {
      connectUdp: (_to: unknown, onDatagram: (bytes: Buffer) => void, onError: (error: Error) => void) => {
        if (refuses) return Promise.reject(new Error('no way'));
        const id = ++opened;
        fail = onError;
        return Promise.resolve({
          local: { address: '', port: id },
          send: (bytes: Buffer) => {
            told.push(`${id} asks ${bytes.toString()}`);
            onDatagram(Buffer.from(`${bytes.toString()}!`));
          },
          close: () => told.push(`${id} closed`),
        });
      },
    } as unknown as Network;
    const outside = {
      send: (bytes: Buffer, length: number, to: { port: number }) =>
        told.push(`answer ${bytes.subarray(0, length).toString()} to ${to.port}`),
    };
    const made = new ForwardClients(network, () => ({ address: '10.96.0.10', port: 53 }), { clock } as never);
    const ask = async (text: string, port: number): Promise<void> => {
      made.take(Buffer.from(text), { address: '127.0.0.1', port }, outside as unknown as UdpSocket);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { clients: made, clock, told, ask, fail: () => fail(new Error('refused')) };
  }

  it('have a socket each, for fifteen seconds after its last question', async () => {
    const { told, ask, clock } = clients();
    await ask('a', 4000);
    await ask('b', 4001);
    clock.advance(14_999);
    await ask('c', 4000);
    clock.advance(1);
    clock.advance(14_998);
    expect(told).toEqual([
      '1 asks a',
      'answer a! to 4000',
      '2 asks b',
      'answer b! to 4001',
      '1 asks c',
      'answer c! to 4000',
      '2 closed',
    ]);
    clock.advance(1);
    expect([told.at(-1), clock.pending]).toEqual(['1 closed', 0]);
  });

  it('lose it when it fails, and all when the port is closed', async () => {
    const { clients: own, told, ask, clock, fail } = clients();
    await ask('a', 4000);
    fail();
    fail();
    await ask('b', 4000);
    await ask('c', 4001);
    own.close();
    expect(told.filter((line) => line.endsWith('closed'))).toEqual(['1 closed', '2 closed', '3 closed']);
    expect(clock.pending).toBe(0);
  });

  it('get nothing where nobody can be asked', async () => {
    const { told, ask, clock } = clients(true);
    await ask('a', 4000);
    expect([told, clock.pending]).toEqual([[], 0]);
  });
});

describe('the network of a program', () => {
  /** A network that tells which calls it gets. */
  function telling(name: string) {
    const calls: string[] = [];
    let datagram: OnDatagram = () => undefined;
    let connection: (one: TcpConnection) => void = () => undefined;
    const tell = (call: string) => calls.push(`${name} ${call}`);
    const network = {
      bindUdp: async (_: unknown, on: OnDatagram) => (tell('bindUdp'), (datagram = on), {}),
      connectUdp: async () => (tell('connectUdp'), {}),
      listenTcp: async (local: object, on: typeof connection) => (
        tell('listenTcp'),
        (connection = on),
        { local, close: () => tell('close') }
      ),
      connectTcp: async () => (tell('connectTcp'), {}),
      interfaces: () => (tell('interfaces'), []),
    } as unknown as Network;
    return {
      network,
      calls,
      datagram: () => datagram(Buffer.from('x'), { address: '', port: 1 }),
      connect: (one: TcpConnection) => connection(one),
    };
  }
  const AT = { address: '', port: 53 };
  const all = async (network: Network): Promise<void> => {
    await network.bindUdp(AT, () => undefined);
    await network.connectUdp(
      AT,
      () => undefined,
      () => undefined,
    );
    await network.listenTcp(AT, () => undefined);
    await network.connectTcp(AT);
    network.interfaces();
  };

  it('that hangs takes connections, and hears nothing', async () => {
    const inner = telling('in');
    const own = new PausableNetwork(inner.network);
    const heard: string[] = [];
    own.onListening = () => heard.push(`listens at ${own.listening.size}`);
    await own.bindUdp(AT, () => heard.push('datagram'));
    const listener = await own.listenTcp(AT, () => heard.push('connection'));
    const handlers: string[] = [];
    const stream = { on: (event: string) => handlers.push(event) };
    for (const paused of [false, true, false]) {
      own.paused = paused;
      inner.datagram();
      inner.connect({ stream } as unknown as TcpConnection);
    }
    listener.close();
    expect(heard).toEqual(['listens at 1', 'datagram', 'connection', 'datagram', 'connection', 'listens at 0']);
    // A connection that nobody reads may end in an error.
    expect([handlers, inner.calls.at(-1)]).toEqual([['error'], 'in close']);
  });

  it('of a resolver that asks the real world is listened to inside, and asks outside', async () => {
    const [inside, outside] = [telling('in'), telling('out')];
    await all(new SplitNetwork(inside.network, outside.network));
    expect([...inside.calls, ...outside.calls]).toEqual([
      'in bindUdp',
      'in listenTcp',
      'in interfaces',
      'out connectUdp',
      'out connectTcp',
    ]);
    const pausable = telling('in');
    await all(new PausableNetwork(pausable.network));
    expect(pausable.calls).toHaveLength(5);
  });
});
