import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { activatedSockets } from '../../src/cli/activated-sockets.js';
import { loadLibc } from '../../src/fastpath/libc.js';
import { listenFirst } from '../../src/fastpath/shared-tcp.js';
import { openListening, portOf } from '../../src/fastpath/listening-socket.js';
import { PROGRAM } from '../support/program.js';
import { queryFor } from '../weather/client.js';

describe.skipIf(process.platform !== 'linux')('sockets of a service manager', () => {
  let dir: string;
  beforeAll(() => void (dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-activated-'))));
  afterAll(() => rmSync(dir, { recursive: true }));

  it.each([
    { name: 'no variable', env: {} },
    { name: 'another process', env: { LISTEN_PID: '1', LISTEN_FDS: '2' } },
    { name: 'no number', env: { LISTEN_PID: '77', LISTEN_FDS: 'two' } },
    { name: 'none of them', env: { LISTEN_PID: '77', LISTEN_FDS: '0' } },
  ])('are none with $name', ({ env }) => expect(activatedSockets(env, 77)).toBeUndefined());

  it('are not handed on to what this process starts', () => {
    const names = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES'];
    for (const name of names) process.env[name] = '1';
    activatedSockets({}, 77);
    expect(names.filter((name) => name in process.env)).toEqual([]);
  });

  it('are no others that the process has', () => {
    const libc = loadLibc();
    const at = { address: '127.0.0.1', port: 0 };
    const [first, second] = [openListening(libc, at, undefined), openListening(libc, at, undefined)];
    try {
      const ports = [first, second].map((fd) => ({ ...at, port: portOf(libc, fd) }));
      // So many as to end between the two.
      const env = { LISTEN_PID: '77', LISTEN_FDS: `${Math.max(first, second) - 3}` };
      const taken = ports.map((port) => activatedSockets(env, 77)!.take('udp', port));
      expect(taken).toEqual(first < second ? [first, undefined] : [undefined, second]);
    } finally {
      libc.close(first);
      libc.close(second);
    }
  });

  it('answer what came before the program was started', async () => {
    const libc = loadLibc();
    const udp = openListening(libc, { address: '127.0.0.1', port: 0 }, undefined);
    const port = portOf(libc, udp);
    const tcp = listenFirst(libc, { address: '127.0.0.1', port });
    const client = dgram.createSocket('udp4');
    const answer = once(client, 'message') as Promise<[Buffer]>;
    client.send(queryFor('hello.nodens.test.'), port, '127.0.0.1');
    const corefile = path.join(dir, 'Corefile');
    writeFileSync(corefile, `.:${port} {\n bind 127.0.0.1\n hosts {\n 192.0.2.1 hello.nodens.test\n }\n}\n`);
    const child = spawn('sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...PROGRAM, '-conf', corefile], {
      env: { PATH: process.env.PATH, LISTEN_FDS: '2' },
      stdio: ['ignore', 'ignore', 'ignore', udp, tcp],
    });
    const [bytes] = await answer;
    expect(bytes.readUInt16BE(6)).toBe(1);
    client.close();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    libc.close(udp);
    libc.close(tcp);
  });
});
