import dgram from 'node:dgram';
import { once } from 'node:events';
import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { earlySockets, openEarly } from '../../src/cli/early-sockets.js';
import { freePort } from '../support/debian-server.js';

const ADDRESS = '127.0.0.1';

describe.skipIf(process.platform !== 'linux')('sockets that are opened before the program is loaded', () => {
  let dir: string;
  let port: number;
  const file = (): string => path.join(dir, 'Corefile');
  const taken = (transport: 'udp' | 'tcp'): boolean => {
    const fd = earlySockets()?.take(transport, { address: ADDRESS, port });
    if (fd !== undefined) closeSync(fd);
    return fd !== undefined;
  };

  beforeEach(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-early-'));
    port = await freePort();
  });
  afterEach(() => {
    earlySockets()?.closeRest();
    rmSync(dir, { recursive: true });
  });

  it.each([
    { name: 'of an address', corefile: '.:PORT {\n bind ADDRESS\n}' },
    { name: 'of a device', corefile: '.:PORT {\n bind lo {\n except ::1\n }\n}' },
    { name: 'at the port of the flag', corefile: '. {\n bind ADDRESS\n}', args: ['-dns.port', 'PORT'] },
    { name: 'of two blocks at one address', corefile: 'a:PORT {\n bind ADDRESS\n}\nb:PORT {\n bind ADDRESS\n}' },
    { name: 'none for another scheme', corefile: 'tls://.:PORT {\n bind ADDRESS\n}', opens: false },
    { name: 'none for a Corefile with a fault', corefile: '.:PORT {\n bind ADDRESS\n', opens: false },
    {
      name: 'none for a Corefile with a fault elsewhere',
      corefile: '.:PORT {\n bind ADDRESS\n}\nx:99999 {\n}\n',
      opens: false,
    },
    {
      name: 'of an address, whatever is at other ports',
      corefile: 'a:PORT {\n bind ADDRESS\n}\nb:0 {\n}\nc:0 {\n bind ADDRESS\n}\n',
    },
    { name: 'none where no address is left', corefile: '.:PORT {\n bind ADDRESS nowhere\n}', opens: false },
    { name: 'none at a port that is shared', corefile: 'a:PORT {\n bind ADDRESS\n}\nb:PORT\n', opens: false },
    { name: 'none for other flags', corefile: '.:PORT {\n bind ADDRESS\n}', args: ['-localip', '1'], opens: false },
    { name: 'none for the version', corefile: '.:PORT {\n bind ADDRESS\n}', args: ['-version'], opens: false },
    {
      name: 'none where another process passes some on',
      corefile: '.:PORT {\n bind ADDRESS\n}',
      env: { NODENS_SOCKETS: '[]' },
      opens: false,
    },
  ])('$name', ({ corefile, args = [], env = {}, opens = true }) => {
    const filled = (text: string): string => text.replaceAll('ADDRESS', ADDRESS).replaceAll('PORT', `${port}`);
    writeFileSync(file(), filled(corefile));
    openEarly([...args.map(filled), '-conf', file()], env, dir);
    expect([taken('tcp'), taken('udp')]).toEqual([opens, opens]);
  });

  it('none for a command', () => {
    writeFileSync(file(), `.:${port} {\n bind ${ADDRESS}\n}\n`);
    openEarly(['check', file()], {}, dir);
    expect([taken('tcp'), taken('udp')]).toEqual([false, false]);
  });

  it('none where another server listens, whose datagrams would come here', async () => {
    const other = net.createServer().listen(port, ADDRESS);
    await once(other, 'listening');
    writeFileSync(file(), `.:${port} {\n bind ${ADDRESS}\n}\n`);
    openEarly(['-conf', file()], {}, dir);
    expect([taken('tcp'), taken('udp')]).toEqual([false, false]);
    other.close();
  });

  it('holds a datagram for whoever takes the socket', async () => {
    writeFileSync(file(), `.:${port} {\n bind ${ADDRESS}\n}\n`);
    openEarly(['-conf', file()], {}, dir);
    const client = dgram.createSocket('udp4');
    await new Promise((resolve) => client.send('early', port, ADDRESS, resolve));
    client.close();
    const server = dgram.createSocket('udp4');
    server.bind({ fd: earlySockets()!.take('udp', { address: ADDRESS, port })! });
    const [bytes] = (await once(server, 'message')) as [Buffer];
    expect(bytes.toString()).toBe('early');
    server.close();
  });
});
