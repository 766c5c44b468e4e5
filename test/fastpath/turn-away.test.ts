import dgram from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { loadLibc, type Libc } from '../../src/fastpath/libc.js';
import { openListening, portOf, turnAway } from '../../src/fastpath/listening-socket.js';
import { Batch } from '../../src/fastpath/batch.js';
import { MSG_DONTWAIT } from '../../src/fastpath/libc.js';
import { until } from '../support/kube.js';

let libc: Libc | undefined;
try {
  libc = loadLibc();
} catch (error) {
  console.log(`test/fastpath/turn-away: ${(error as Error).message}; skipped`);
}

describe.skipIf(libc === undefined)('a socket that is turned away', () => {
  const ends: (() => void)[] = [];
  afterEach(() => ends.splice(0).forEach((end) => end()));

  it.each([
    { at: '127.0.0.1', from: '127.0.0.1' },
    { at: '0.0.0.0', from: '127.0.0.1' },
    { at: '', from: '127.0.0.1' },
    { at: '', from: '::1' },
    { at: '::1', from: '::1' },
  ])('at "$at" gets nothing more from $from, and keeps what it has', async ({ at, from }) => {
    const open = (port: number): number => {
      const fd = openListening(libc!, { address: at, port }, undefined);
      ends.push(() => libc!.close(fd));
      return fd;
    };
    const first = open(0);
    const port = portOf(libc!, first);
    const batch = new Batch(libc!, 64, 64);
    const taken = (fd: number): number => {
      const count = libc!.recvmmsg(fd, batch.pointer, 64, MSG_DONTWAIT, null);
      for (let i = 0; i < count; i++) batch.reset(i);
      return Math.max(0, count);
    };
    /** From as many ports: the kernel deals them out by where they come from. */
    const send = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const socket = dgram.createSocket(from.includes(':') ? 'udp6' : 'udp4').bind(0, from);
        await once(socket, 'listening');
        await new Promise((resolve) => socket.send('x', port, from, resolve));
        socket.close();
      }
    };
    await send(3);
    const second = open(port);
    expect(turnAway(libc!, first, { address: at, port })).toBe(true);
    await send(32);
    let got = 0;
    await until(() => (got += taken(second)) >= 32, 'what was sent').catch(() => undefined);
    expect([got, taken(first)]).toEqual([32, 3]);
  });
});
