import { afterEach, describe, expect, it } from 'vitest';
import { BatchedNetwork } from '../../src/fastpath/batched-network.js';
import { loadLibc } from '../../src/fastpath/libc.js';
import { HostNetwork } from '../../src/net/host-network.js';
import { Losses } from '../../src/net/losses.js';
import type { Network } from '../../src/net/network.js';

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

const NETWORKS: readonly { readonly name: string; readonly make: () => Network }[] = [
  { name: "Node's own sockets", make: () => new HostNetwork() },
  { name: 'batched calls', make: () => new BatchedNetwork(new HostNetwork(), loadLibc(), new Losses()) },
];

describe.each(NETWORKS)('the address to send from, with $name', ({ make }) => {
  it.each([
    { from: '127.0.0.9', want: '127.0.0.9' },
    { from: undefined, want: '127.0.0.1' },
  ])('is seen by the peer: $from', async ({ from, want }) => {
    const network = make();
    const host = new HostNetwork();
    const datagram = new Promise<string>((resolve) => {
      void host
        .bindUdp({ address: '127.0.0.1', port: 0 }, (_bytes, peer) => resolve(peer.address))
        .then(async (server) => {
          ends.push(() => server.close());
          const to = { address: '127.0.0.1', port: server.local.port, from };
          const socket = await network.connectUdp(
            to,
            () => undefined,
            () => undefined,
          );
          ends.push(() => socket.close());
          socket.send(Buffer.from('a'));
        });
    });
    expect(await datagram).toBe(want);
    let connected = (_address: string): void => undefined;
    const peer = new Promise<string>((resolve) => (connected = resolve));
    const listener = await host.listenTcp({ address: '127.0.0.1', port: 0 }, ({ remote, stream }) => {
      ends.push(() => void stream.destroy());
      connected(remote.address);
    });
    ends.push(() => listener.close());
    const { stream } = await network.connectTcp({ address: '127.0.0.1', port: listener.local.port, from });
    ends.push(() => void stream.destroy());
    expect(await peer).toBe(want);
  });

  it.each(['192.0.2.1', '::1'])('that is none of the host, or of another family, is an error: %s', async (from) => {
    const network = make();
    const to = { address: '127.0.0.1', port: 9, from };
    await expect(
      (async () =>
        network.connectUdp(
          to,
          () => undefined,
          () => undefined,
        ))(),
    ).rejects.toThrow();
    await expect(network.connectTcp(to)).rejects.toThrow();
  });
});
