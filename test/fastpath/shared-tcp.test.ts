import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { sharedTcp } from '../../src/fastpath/shared-tcp.js';
import { HostNetwork } from '../../src/net/host-network.js';
import type { TcpListener } from '../../src/net/network.js';

const shared = sharedTcp();
const ignore = (): void => undefined;

describe.skipIf(shared === undefined)('TCP sockets that share a place', () => {
  const open: { close(): void }[] = [];
  const listen = async (network: HostNetwork, address: string, port: number): Promise<TcpListener> => {
    const listener = await network.listenTcp({ address, port }, ignore);
    open.push(listener);
    return listener;
  };
  afterEach(() => open.splice(0).forEach((listener) => listener.close()));

  it.each(['127.0.0.1', '0.0.0.0', '::', '::1', ''])('listen at %s beside those of another', async (address) => {
    const draw = await listen(new HostNetwork(), '127.0.0.1', 0);
    const { port } = draw.local;
    draw.close();
    const first = await listen(new HostNetwork(undefined, shared), address, port);
    const second = await listen(new HostNetwork(undefined, shared), address, port);
    expect([first.local.port, second.local]).toEqual([port, first.local]);
  });

  it('refuse a place that another has for itself', async () => {
    const { port } = (await listen(new HostNetwork(), '127.0.0.1', 0)).local;
    await expect(listen(new HostNetwork(undefined, shared), '127.0.0.1', port)).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `bind EADDRINUSE 127.0.0.1:${port}`,
    });
  });

  it('have a drawn port for themselves', async () => {
    const { port } = (await listen(new HostNetwork(undefined, shared), '127.0.0.1', 0)).local;
    await expect(listen(new HostNetwork(undefined, shared), '127.0.0.1', port)).rejects.toThrow('EADDRINUSE');
  });

  it('take connections', async () => {
    const draw = await listen(new HostNetwork(), '127.0.0.1', 0);
    draw.close();
    const taken = new Promise<string>((resolve) => {
      void new HostNetwork(undefined, shared)
        .listenTcp(draw.local, ({ stream, local }) => {
          stream.destroy();
          resolve(local.address);
        })
        .then((listener) => {
          open.push(listener);
          net.connect(listener.local.port, '127.0.0.1').on('error', ignore);
        });
    });
    expect(await taken).toBe('127.0.0.1');
  });
});

describe.skipIf(shared === undefined)('a TCP socket that turns connections away', () => {
  const open: TcpListener[] = [];
  afterEach(() => open.splice(0).forEach((listener) => listener.close()));

  /** Who took how many of 40 connections. */
  async function taken(names: readonly string[], counts: Map<string, number>): Promise<number[]> {
    counts.clear();
    const { port } = open[0]!.local;
    const all = Array.from({ length: 40 }, async () => once(net.connect(port, '127.0.0.1').resume(), 'close'));
    await Promise.all(all);
    return names.map((name) => counts.get(name) ?? 0);
  }

  it('leaves them to another one, and the next one gets its part again', async () => {
    const counts = new Map<string, number>();
    const listen = async (name: string, port: number): Promise<TcpListener> => {
      const listener = await new HostNetwork(undefined, shared).listenTcp({ address: '127.0.0.1', port }, (one) => {
        counts.set(name, (counts.get(name) ?? 0) + 1);
        one.stream.destroy();
      });
      open.push(listener);
      return listener;
    };
    const drawn = await new HostNetwork().listenTcp({ address: '127.0.0.1', port: 0 }, ignore);
    drawn.close();
    const { port } = drawn.local;
    const alone = await listen('alone', port);
    expect(alone.turnAway?.()).toBe(false);
    await listen('second', port);
    expect(alone.turnAway?.()).toBe(true);
    expect(await taken(['alone', 'second'], counts)).toEqual([0, 40]);
    alone.close();
    await listen('third', port);
    const [second = 0, third = 0] = await taken(['second', 'third'], counts);
    expect([second + third, second > 0, third > 0]).toEqual([40, true, true]);
    // The younger one may be the one that ends.
    expect(open.at(-1)!.turnAway?.()).toBe(true);
    expect(await taken(['second', 'third'], counts)).toEqual([40, 0]);
  });
});

describe('sharedTcp', () => {
  it('is not to be had without the C library', () =>
    expect(
      sharedTcp(() => {
        throw new Error('no koffi');
      }),
    ).toBeUndefined());
});

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const nodeCan = process.platform === 'linux' && (major > 23 || (major === 23 && minor >= 1));

describe("a network that shares by Node's own means", () => {
  it(nodeCan ? 'listens beside another' : 'has a place for itself before Node 23.1', async () => {
    const first = await new HostNetwork(undefined, 'node').listenTcp({ address: '127.0.0.1', port: 0 }, ignore);
    first.close();
    const open = await new HostNetwork(undefined, 'node').listenTcp(first.local, ignore);
    const second = new HostNetwork(undefined, 'node').listenTcp(first.local, ignore).then(
      (listener) => (listener.close(), 'listens'),
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(await second).toBe(nodeCan ? 'listens' : 'EADDRINUSE');
    open.close();
  });
});
