import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync } from 'node:fs';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { HostNetwork } from '../../src/net/host-network.js';
import {
  InheritedSockets,
  linkPlace,
  listeningSockets,
  parseSocketList,
  parseSockets,
} from '../../src/net/inherited-sockets.js';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const row = (local: string, peer: string, state: string, inode: number): string =>
  `   0: ${local} ${peer} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0`;
const NOBODY = '00000000:0000';

describe('parseSocketList', () => {
  it.each([
    {
      name: 'an IPv4 address',
      line: row('0A14FEA9:0035', NOBODY, '0A', 7),
      transport: 'tcp' as const,
      want: [{ transport: 'tcp', address: '169.254.20.10', port: 53, inode: '7' }],
    },
    {
      name: 'a machine of the other byte order',
      line: row('A9FE140A:0035', NOBODY, '0A', 7),
      transport: 'tcp' as const,
      little: false,
      want: [{ transport: 'tcp', address: '169.254.20.10', port: 53, inode: '7' }],
    },
    {
      name: 'an IPv6 address',
      line: row('000000FD00000000000000000A000000:1F90', NOBODY, '07', 8),
      transport: 'udp' as const,
      want: [{ transport: 'udp', address: 'fd00:0:0:0:0:0:0:a', port: 8080, inode: '8' }],
    },
    {
      name: 'all addresses',
      line: row('00000000000000000000000000000000:0035', NOBODY, '07', 9),
      transport: 'udp' as const,
      want: [{ transport: 'udp', address: '0:0:0:0:0:0:0:0', port: 53, inode: '9' }],
    },
    {
      name: 'an open connection',
      line: row('0100007F:0035', '0100007F:9C40', '01', 7),
      transport: 'tcp' as const,
      want: [],
    },
    {
      name: 'a UDP socket with a peer',
      line: row('0100007F:9C40', '0100007F:0035', '01', 7),
      transport: 'udp' as const,
      want: [],
    },
    { name: 'nothing', line: '', transport: 'udp' as const, want: [] },
  ])('reads $name', ({ line, transport, little, want }) => {
    const canonical = want.map((socket) => ({
      ...socket,
      address: new net.SocketAddress({
        address: socket.address,
        family: socket.address.includes(':') ? 'ipv6' : 'ipv4',
      }).address,
    }));
    expect(parseSocketList(`${HEAD}\n${line}\n`, transport, little ?? true)).toEqual(canonical);
  });
});

describe.skipIf(process.platform !== 'linux')('listeningSockets', () => {
  it('finds the sockets of this process at which it is reached, and no others', async () => {
    const network = new HostNetwork();
    const udp = await network.bindUdp({ address: '127.0.0.1', port: 0 }, () => undefined);
    const tcp = await network.listenTcp({ address: '::1', port: 0 }, () => undefined);
    const connected = await network.connectUdp(
      udp.local,
      () => undefined,
      () => undefined,
    );
    const own = listeningSockets().map(({ transport, address, port }) => ({ transport, address, port }));
    expect(own).toContainEqual({ transport: 'udp', address: '127.0.0.1', port: udp.local.port });
    expect(own).toContainEqual({ transport: 'tcp', address: '::1', port: tcp.local.port });
    expect(own.filter(({ port }) => port === connected.local.port)).toEqual([]);
    udp.close();
    tcp.close();
    connected.close();
  });
});

describe('the sockets that a process tells of', () => {
  const one = { transport: 'udp', address: '10.0.0.1', port: 53, fd: 4 };
  it.each([
    { name: 'none', list: [] },
    { name: 'one of each kind', list: [one, { ...one, transport: 'tcp' }, { ...one, transport: 'xdp' }] },
    { name: 'the lowest numbers', list: [{ ...one, port: 0, fd: 3 }] },
    { name: 'the highest numbers', list: [{ ...one, port: 65_535, fd: 2 ** 31 - 1 }] },
  ])('are read: $name', ({ list }) => expect(parseSockets('FDS', JSON.stringify(list), 3)).toEqual(list));

  it.each([
    { name: 'no JSON', text: 'x' },
    { name: 'no list', text: '{}' },
    { name: 'nothing', text: '[null]' },
    { name: 'a word', text: '["udp"]' },
    { name: 'another transport', text: JSON.stringify([{ ...one, transport: 'sctp' }]) },
    { name: 'no address', text: JSON.stringify([one, { ...one, address: 7 }]) },
    { name: 'a port below all', text: JSON.stringify([{ ...one, port: -1 }]) },
    { name: 'a port above all', text: JSON.stringify([{ ...one, port: 65_536 }]) },
    { name: 'half a port', text: JSON.stringify([{ ...one, port: 5.5 }]) },
    { name: 'a descriptor below the first', text: JSON.stringify([{ ...one, fd: 2 }]) },
    { name: 'a descriptor above all', text: JSON.stringify([{ ...one, fd: 2 ** 31 }]) },
  ])('are refused: $name', ({ text }) =>
    expect(() => parseSockets('FDS', text, 3)).toThrow(
      `FDS: got '${text.slice(0, 80)}', allowed: what a process sets that hands over its sockets, or nothing`,
    ),
  );

  it('have a place of their own where they are links', () =>
    expect(linkPlace(3)).toEqual({ address: 'device 3', port: 0 }));
});

describe('InheritedSockets', () => {
  it('gives each socket once, for exactly its place', () => {
    const sockets = new InheritedSockets([
      { transport: 'udp', address: '10.96.0.10', port: 53, fd: 4 },
      { transport: 'tcp', address: '10.96.0.10', port: 53, fd: 5 },
      { transport: 'udp', address: 'fd00::a', port: 53, fd: 6 },
    ]);
    expect(sockets.take('udp', { address: '10.96.0.11', port: 53 })).toBeUndefined();
    expect(sockets.take('udp', { address: '10.96.0.10', port: 54 })).toBeUndefined();
    expect(sockets.take('udp', { address: '10.96.0.10', port: 53 })).toBe(4);
    expect(sockets.take('udp', { address: '10.96.0.10', port: 53 })).toBeUndefined();
    expect(sockets.take('tcp', { address: '10.96.0.10', port: 53 })).toBe(5);
    expect(sockets.take('udp', { address: 'fd00:0:0::A', port: 53 })).toBe(6);
  });

  it('finds a link-local address by itself', () => {
    expect(
      new InheritedSockets([{ transport: 'udp', address: 'fe80::1', port: 53, fd: 4 }]).take('udp', {
        address: 'fe80::1%eth0',
        port: 53,
      }),
    ).toBe(4);
  });

  it('closes what nobody took', () => {
    const [taken, left] = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
    const sockets = new InheritedSockets([
      { transport: 'udp', address: '::1', port: 1, fd: taken },
      { transport: 'udp', address: '::1', port: 2, fd: left },
    ]);
    sockets.take('udp', { address: '::1', port: 1 });
    sockets.closeRest();
    expect(() => fstatSync(left)).toThrow('EBADF');
    closeSync(taken);
  });
});

describe.skipIf(process.platform !== 'linux')('HostNetwork', () => {
  it('listens at sockets that were passed on', async () => {
    const old = new HostNetwork();
    const tcp = await old.listenTcp({ address: '127.0.0.1', port: 0 }, ({ stream }) => stream.end('old'));
    const udp = await old.bindUdp(tcp.local, () => undefined);
    const own = listeningSockets().filter(({ port }) => port === tcp.local.port);
    const successor = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        new URL('successor.ts', import.meta.url).pathname,
        JSON.stringify(own.map((socket, i) => ({ ...socket, fd: 4 + i }))),
      ],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...own.map(({ fd }) => fd)],
      },
    );
    await once(successor, 'message');
    udp.close();
    tcp.close();
    const client = dgram.createSocket('udp4');
    client.send('hello', tcp.local.port, tcp.local.address);
    const [answer] = (await once(client, 'message')) as [Buffer];
    client.close();
    const stream = net.connect(tcp.local.port, tcp.local.address);
    const [greeting] = (await once(stream, 'data')) as [Buffer];
    stream.destroy();
    successor.kill('SIGKILL');
    await once(successor, 'exit');
    expect([answer.toString(), greeting.toString()]).toEqual(['hello', 'new']);
  });

  it('refuses a peer that cannot be reached', async () => {
    await expect(
      new HostNetwork().connectUdp(
        { address: '255.255.255.255', port: 53 },
        () => undefined,
        () => undefined,
      ),
    ).rejects.toThrow('EACCES');
  });
});
