import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostNetwork } from '../../src/net/host-network.js';
import { FrameReader, frame } from '../../src/wire/index.js';
import { Program, PROGRAM } from '../support/program.js';
import { queryFor } from '../weather/client.js';

const RESTARTS = 10;

/** Whether the test can run here; says what is missing where not. */
function missing(): boolean {
  const absent = spawnSync('sh', ['-c', 'command -v dnsperf']).status !== 0;
  if (process.platform !== 'linux') console.log('test/e2e/restart: sockets are handed over on Linux only; skipped');
  else if (absent) console.log('test/e2e/restart: dnsperf is not installed (Debian: dnsperf); skipped');
  return process.platform !== 'linux' || absent;
}

async function freePort(): Promise<number> {
  const listener = await new HostNetwork().listenTcp({ address: '127.0.0.1', port: 0 }, () => undefined);
  listener.close();
  return listener.local.port;
}

const connect = async (at: number): Promise<void> => {
  (await new HostNetwork().connectTcp({ address: '127.0.0.1', port: at })).stream.destroy();
};

describe.skipIf(missing())('restart by SIGUSR2', () => {
  let dir: string;
  let port: number;
  let program: Program;
  const pidfile = (): string => path.join(dir, 'pid');
  const pid = (): number => {
    const text = readFileSync(pidfile(), 'utf8');
    // Anything else would be a signal to this process and its group.
    if (!/^[1-9]\d*\n$/.test(text)) throw new Error(`no process id: ${JSON.stringify(text)}`);
    return Number(text);
  };

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-restart-'));
    port = await freePort();
    writeFileSync(
      path.join(dir, 'Corefile'),
      `.:${port} {\n    bind 127.0.0.1\n    hosts {\n        192.0.2.1 hello.nodens.test\n    }\n}\n`,
    );
    writeFileSync(path.join(dir, 'queries'), 'hello.nodens.test A\nhello.nodens.test AAAA\n');
    program = new Program([...PROGRAM, '-conf', 'Corefile', '-pidfile', pidfile()], {}, dir);
    await program.said(/nodens-/);
  });
  afterAll(() => {
    try {
      process.kill(pid(), 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
    rmSync(dir, { recursive: true, force: true });
  });

  /** Hands over to a new process; resolves with its id when it has written it. */
  async function restart(): Promise<number> {
    const before = pid();
    process.kill(before, 'SIGUSR2');
    const deadline = performance.now() + 20_000;
    while (pid() === before) {
      if (performance.now() > deadline) throw new Error(`no successor of ${before}:\n${program.text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return pid();
  }

  const gone = (id: number): boolean => {
    try {
      process.kill(id, 0);
      return false;
    } catch {
      return true;
    }
  };

  async function ended(id: number): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!gone(id)) {
      if (performance.now() > deadline) throw new Error(`process ${id} goes on`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** As `restart`, until the new process is the only one. */
  async function change(): Promise<void> {
    const before = pid();
    await restart();
    await ended(before);
  }

  it(`loses no query in ${RESTARTS} restarts`, async () => {
    const asking = promisify(execFile)('dnsperf', [
      '-s',
      '127.0.0.1',
      '-p',
      String(port),
      '-d',
      path.join(dir, 'queries'),
      '-l',
      '60',
      '-Q',
      '2000',
      '-c',
      '4',
    ]);
    const ids = [pid()];
    for (let i = 0; i < RESTARTS; i++) ids.push(await restart());
    asking.child.kill('SIGINT');
    const { stdout } = await asking;
    const count = (what: string): number => Number(new RegExp(`${what}: +(\\d+)`).exec(stdout)?.[1] ?? NaN);
    expect(new Set(ids).size).toBe(RESTARTS + 1);
    // 2,000 a second, while each restart takes some tenths of a second.
    expect(count('Queries sent')).toBeGreaterThan(RESTARTS * 100);
    // Stopped by a signal, dnsperf no longer waits for the last answers; it has no line for that where there were none.
    expect(count('Queries completed') + (count('Queries interrupted') || 0)).toBe(count('Queries sent'));
    expect(count('Queries lost')).toBe(0);
    expect(stdout).toMatch(/Response codes: +NOERROR \d+ \(100\.00%\)/);
    for (const id of ids.slice(0, -1)) await ended(id);
  }, 90_000);

  it('answers what comes on connections that were open before', async () => {
    const { stream } = await new HostNetwork().connectTcp({ address: '127.0.0.1', port });
    let answered = 0;
    let asked = 0;
    const frames = new FrameReader();
    stream.on('data', (chunk: Buffer) => {
      frames.push(chunk);
      while (frames.next() !== undefined) answered++;
    });
    const ended = new Promise((resolve) => stream.once('end', resolve));
    const ask = (): void => {
      asked++;
      stream.write(frame(queryFor('hello.nodens.test.', 'A', asked)));
    };
    const before = pid();
    ask();
    await restart();
    // The one before has been told that it may go, and the successor listens.
    for (let i = 0; i < 20; i++) {
      ask();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await ended;
    expect(answered).toBe(asked);
    stream.destroy();
    await ended;
    while (!gone(before)) await new Promise((resolve) => setTimeout(resolve, 20));
  }, 30_000);

  it('goes on when the successor cannot serve', async () => {
    const id = pid();
    const corefile = readFileSync(path.join(dir, 'Corefile'), 'utf8');
    writeFileSync(path.join(dir, 'Corefile'), 'nonsense {\n');
    process.kill(id, 'SIGUSR2');
    await program.said(/\[ERROR\] the new process does not serve: it ended with 1; going on/);
    writeFileSync(path.join(dir, 'Corefile'), corefile);
    expect(pid()).toBe(id);
    expect(
      spawnSync('dnsperf', ['-s', '127.0.0.1', '-p', String(port), '-d', path.join(dir, 'queries'), '-n', '1'], {
        encoding: 'utf8',
      }).stdout,
    ).toMatch(/Queries lost: +0/);
  }, 30_000);

  it('keeps no socket open that is no longer listened at', async () => {
    const [kept, dropped] = [await freePort(), await freePort()];
    const serve = (...ports: number[]): void =>
      writeFileSync(
        path.join(dir, 'Corefile'),
        ports.map((at) => `.:${at} {\n    bind 127.0.0.1\n    whoami\n}\n`).join(''),
      );
    serve(dropped, kept);
    await change();
    serve(kept);
    await change();
    await expect(connect(dropped)).rejects.toThrow('ECONNREFUSED');
    await change();
    await connect(kept);
    serve(port);
    process.kill(pid(), 'SIGUSR1');
    await program.said(/Reloading complete/);
    await expect(connect(kept)).rejects.toThrow('ECONNREFUSED');
    await connect(port);
  }, 60_000);

  it('ends in order, and takes the file with its id along', async () => {
    const id = pid();
    process.kill(id, 'SIGTERM');
    await program.said(/\[INFO\] SIGTERM: Shutting down servers then terminating/);
    await ended(id);
    expect(() => pid()).toThrow('ENOENT');
  }, 20_000);
});
