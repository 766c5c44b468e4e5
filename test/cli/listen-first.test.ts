import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rememberSockets } from '../../src/cli/remembered-sockets.js';
import { AF_INET, AF_INET6, loadLibc } from '../../src/fastpath/libc.js';
import { openListening } from '../../src/fastpath/listening-socket.js';
import { freePort } from '../support/debian-server.js';

const ADDRESS = '127.0.0.1';
/** Stands for Node: says what it was given, and which UDP ports are bound in its network then. */
const NODE = '#!/bin/sh\necho "$*"\necho "$NODENS_EARLY_SOCKETS"\ncat /proc/net/udp /proc/net/udp6\n';

const missing = process.platform !== 'linux' || !existsSync('/usr/bin/perl');
if (missing) console.log('test/cli/listen-first: it needs Linux and /usr/bin/perl; skipped');

describe.skipIf(missing)('the launcher, where a server was started before', () => {
  let dir: string;
  let port: number;
  const args = ['-conf', 'Corefile'];
  const launcher = (): string => path.join(dir, 'bin/nodens');

  beforeEach(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-first-'));
    port = await freePort();
    cpSync(path.resolve(import.meta.dirname, '../../bin'), path.join(dir, 'bin'), { recursive: true });
    mkdirSync(path.join(dir, 'programs'));
    writeFileSync(path.join(dir, 'programs/node'), NODE);
    chmodSync(path.join(dir, 'programs/node'), 0o755);
    writeFileSync(path.join(dir, 'Corefile'), 'as it was\n');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  /** As a server of this command line would. */
  function remember(asked: string): void {
    const family = asked === '' ? AF_INET6 : AF_INET;
    const address = asked === '' ? '::' : asked;
    const back = process.cwd();
    process.chdir(dir);
    const opened = (['tcp', 'udp'] as const).map((transport) => ({
      listed: { transport, address, port, fd: 9 },
      asked,
      family,
    }));
    rememberSockets(path.join(dir, 'dist/bin/cache/listening'), args, 'Corefile', opened);
    process.chdir(back);
  }

  /** What Node is told, and whether the UDP port is bound by then. */
  function start(words: readonly string[] = args, [name, value]: readonly string[] = [], cwd = dir) {
    const text = execFileSync(launcher(), words, {
      encoding: 'utf8',
      cwd,
      env: { PATH: `${dir}/programs:/usr/bin:/bin`, ...(name && { [name]: value }) },
    });
    const [command = '', told = ''] = text.split('\n');
    const bound = text.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} 0000`);
    return { command, told: told === '' ? undefined : (JSON.parse(told) as unknown), bound };
  }

  it.each([
    { name: 'of an address', asked: ADDRESS, listed: ADDRESS },
    { name: 'of all addresses', asked: '', listed: '::' },
  ])('opens its sockets before Node begins: $name', ({ asked, listed }) => {
    remember(asked);
    const at = { address: listed, port, fd: expect.any(Number) as number };
    expect(start()).toEqual({
      command: `${launcher()} -conf Corefile`,
      told: [
        { transport: 'tcp', ...at },
        { transport: 'udp', ...at },
      ],
      bound: true,
    });
  });

  const unopened = { told: undefined, bound: false };

  it.each([
    { name: 'other flags', words: ['-conf', 'Corefile', '-quiet'] },
    { name: 'a command', words: ['check', 'Corefile'] },
    { name: 'another folder', cwd: '/' },
    { name: 'sockets of another process', env: ['NODENS_SOCKETS', '[]'] },
    { name: 'sockets of a service manager', env: ['LISTEN_FDS', '1'] },
  ])('opens none for $name', ({ words, env, cwd }) => {
    remember(ADDRESS);
    expect(start(words, env, cwd)).toEqual({ ...unopened, command: `${launcher()} ${(words ?? args).join(' ')}` });
  });

  it('opens none for a Corefile that has changed since', () => {
    remember(ADDRESS);
    writeFileSync(path.join(dir, 'Corefile'), 'as it is now\n');
    expect(start()).toMatchObject(unopened);
  });

  it('opens none where a file of its own was changed by somebody', () => {
    remember(ADDRESS);
    execFileSync('sh', ['-c', `sed -i 's/^2 /nonsense /' ${dir}/dist/bin/cache/listening/*`]);
    expect(start()).toMatchObject(unopened);
  });

  it('opens none where another server listens, and begins none the less', async () => {
    remember(ADDRESS);
    const other = net.createServer().listen(port, ADDRESS);
    await once(other, 'listening');
    expect(start()).toEqual({ ...unopened, command: `${launcher()} -conf Corefile` });
    other.close();
  });

  it('opens sockets that a server of the same place may join', () => {
    remember(ADDRESS);
    const libc = loadLibc();
    const fd = openListening(libc, { address: ADDRESS, port }, undefined);
    expect(start()).toMatchObject({ told: [{ transport: 'tcp' }, { transport: 'udp' }] });
    closeSync(fd);
  });
});
