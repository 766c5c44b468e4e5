import { once } from 'node:events';
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { descriptorPassing, type DescriptorPassing } from '../../src/fastpath/descriptor-passing.js';
import { EAGAIN } from '../support/errno.js';

const ENOENT = 2;

describe.skipIf(process.platform !== 'linux')('descriptors between processes', () => {
  let dir: string;
  let passing: DescriptorPassing;
  const ends: (() => void)[] = [];
  beforeEach(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-passing-'));
    passing = descriptorPassing();
  });
  afterEach(() => {
    ends.splice(0).forEach((end) => end());
    rmSync(dir, { recursive: true });
  });

  /** Both ends of a connection; the first one waits 20 ms. */
  async function pair(): Promise<{ here: number; there: number; socket: net.Socket }> {
    const server = net.createServer();
    const file = path.join(dir, 'a.sock');
    server.listen(file);
    await once(server, 'listening');
    const connected = once(server, 'connection') as Promise<[net.Socket]>;
    const here = passing.connect(file, 20);
    const [socket] = await connected;
    ends.push(() => {
      passing.close(here);
      socket.destroy();
      server.close();
    });
    const { fd } = (socket as unknown as { readonly _handle: { readonly fd: number } })._handle;
    return { here, there: fd, socket };
  }

  it.each([0, 1, 2, 3, 253])('%i go with a message, and are the same files', async (count) => {
    const { here, there } = await pair();
    const file = path.join(dir, 'file');
    writeFileSync(file, '');
    const own = openSync(file, 'r');
    const bytes = Buffer.from(`message of ${count}`);
    passing.send(there, { bytes, fds: Array.from({ length: count }, () => own) });
    passing.send(there, { bytes: Buffer.from('next'), fds: [] });
    const got = passing.receive(here);
    const inodes = got.fds.map((fd) => fstatSync(fd).ino);
    expect([got.bytes.toString(), inodes]).toEqual([
      bytes.toString() + (count === 0 ? 'next' : ''),
      inodes.map(() => fstatSync(own).ino),
    ]);
    expect(new Set([own, ...got.fds]).size).toBe(count + 1);
    if (count > 0) expect(passing.receive(here)).toEqual({ bytes: Buffer.from('next'), fds: [] });
    [own, ...got.fds].forEach((fd) => closeSync(fd));
  });

  it('are 253 at most, and go with 64 KiB at most', async () => {
    const { here, there } = await pair();
    const most = Buffer.alloc(65_536, 'x');
    passing.send(there, { bytes: most, fds: [] });
    expect(passing.receive(here).bytes.equals(most)).toBe(true);
    const fds = Array.from({ length: 254 }, () => there);
    expect(() => passing.send(there, { bytes: Buffer.alloc(1), fds })).toThrow('message too large');
    expect(() => passing.send(there, { bytes: Buffer.alloc(65_537), fds: [] })).toThrow('message too large');
  });

  it('are waited for, but not for long', async () => {
    const { here } = await pair();
    expect(() => passing.receive(here)).toThrow(expect.objectContaining({ errno: -EAGAIN, syscall: 'recvmsg' }));
  });

  it('come no more where the other end has closed', async () => {
    const { here, socket } = await pair();
    socket.destroy();
    await once(socket, 'close');
    expect(passing.receive(here)).toEqual({ bytes: Buffer.alloc(0), fds: [] });
  });

  it('cannot be sent to who has gone', async () => {
    const { here, socket } = await pair();
    socket.destroy();
    await once(socket, 'close');
    expect(() => passing.send(here, { bytes: Buffer.from('x'), fds: [] })).toThrow(
      expect.objectContaining({ syscall: 'sendmsg' }),
    );
  });

  it.each([
    { length: 107, want: { errno: -ENOENT, syscall: 'connect' } },
    { length: 108, want: { code: 'EINVAL' } },
  ])('have no way to a path of $length bytes', ({ length, want }) =>
    expect(() => passing.connect(`/${'x'.repeat(length - 1)}`, 20)).toThrow(expect.objectContaining(want)),
  );
});
