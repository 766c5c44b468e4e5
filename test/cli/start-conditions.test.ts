import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { inheritedSockets } from '../../src/cli/handover.js';
import { rememberSockets } from '../../src/cli/remembered-sockets.js';
import { askAdmin } from '../../src/insight/admin/ask-admin.js';
import { Program, PROGRAM } from '../support/program.js';

const dirs: string[] = [];
afterEach(() => dirs.splice(0).forEach((dir) => rmSync(dir, { recursive: true })));

describe('a start', () => {
  it('with too few descriptors says so', () => {
    const [node = '', program = ''] = PROGRAM;
    const command = `ulimit -n 40; exec '${node}' '${program}' -conf /nonexistent/Corefile`;
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    expect([status, stdout, stderr]).toEqual([
      1,
      '',
      'this process may open 40 file descriptors, at least 64 are needed; ulimit -n allows more\n',
    ]);
  });

  it.each(['5', '{}', 'null', '[5]', 'nonsense', '[{"transport":"udp","address":"::","port":53,"fd":-1}]'])(
    'with NODENS_SOCKETS that is no list of sockets is refused: %s',
    (text) => {
      expect(() => inheritedSockets({ NODENS_SOCKETS: text })).toThrow('NODENS_SOCKETS: got');
    },
  );

  it('takes sockets over once: what it starts itself is not told of them', () => {
    process.env.NODENS_SOCKETS = '[]';
    expect(inheritedSockets(process.env)).toBeDefined();
    expect(process.env.NODENS_SOCKETS).toBeUndefined();
  });
});

describe('the pidfile', () => {
  it('is not written through a link that somebody has put beside it', async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-pid-'));
    dirs.push(dir);
    const [pidfile, victim] = [path.join(dir, 'pid'), path.join(dir, 'victim')];
    writeFileSync(victim, 'precious');
    const corefile = path.join(dir, 'Corefile');
    writeFileSync(corefile, '.:0 {\n    bind 127.0.0.1\n    whoami\n}\n');
    // A shell learns the number under which the server will run, and puts the link there.
    const script = `ln -s "${victim}" "${pidfile}.$$"; exec "$@"`;
    const server = new Program(['sh', '-c', script, 'sh', ...PROGRAM, '-conf', corefile, '-pidfile', pidfile]);
    await server.said(/nodens-\d/);
    expect(readFileSync(pidfile, 'utf8').trim()).toBe(String(server.child.pid));
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    await server.stop();
    expect(existsSync(pidfile)).toBe(false);
  });
});

describe('a server that tells about itself', () => {
  it('is asked where it says, and writes what it keeps when it is told to', async () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-told-'));
    dirs.push(dir);
    const [at, record, corefile] = ['admin', 'record', 'Corefile'].map((name) => path.join(dir, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(corefile, '.:0 {\n    bind 127.0.0.1\n    whoami\n}\n');
    const flags = ['-conf', corefile, '-admin', `unix:${at}`, '-record', record];
    const server = new Program([...PROGRAM, ...flags]);
    await server.said(/admin endpoint at unix:.*admin\n/);
    await server.said(/nodens-\d/);
    expect(await askAdmin({ at: { path: at }, timeout: 5000 }, '/')).toMatchObject({ pid: server.child.pid });
    server.child.kill('SIGURG');
    await server.said(/SIGURG: there is no query to write/);
    expect([await server.stop(), existsSync(at)]).toEqual([0, false]);
  });
});

describe('command lines that are remembered', () => {
  it.each([
    { before: 63, after: 64 },
    { before: 64, after: 1 },
  ])('are bounded: with one more, $before are $after', ({ before, after }) => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-remembered-'));
    dirs.push(dir);
    const folder = path.join(dir, 'kept');
    mkdirSync(folder);
    for (let i = 0; i < before; i++) writeFileSync(path.join(folder, `other-${i}`), '');
    const corefile = path.join(dir, 'Corefile');
    writeFileSync(corefile, '');
    for (let i = 0; i < 2; i++) rememberSockets(folder, ['-conf', corefile], corefile, []);
    expect(readdirSync(folder)).toHaveLength(after);
  });
});
