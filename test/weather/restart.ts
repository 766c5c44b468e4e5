import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadLibc } from '../../src/fastpath/libc.js';
import { listenFirst } from '../../src/fastpath/shared-tcp.js';
import { openListening } from '../../src/fastpath/listening-socket.js';
import { compiledLauncher } from '../support/compiled.js';
import { Program } from '../support/program.js';
import { askAll, quantile } from './client.js';
import type { Figure, Scale, Weather } from './row.js';
import { WeatherServer } from './server.js';

const COREFILE = '.:1053 {\n bind 127.0.0.1\n hosts {\n 192.0.2.1 hello.nodens.test\n }\n}\n';
const RATE = 2000;
const PAUSE = 1500;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A supervisor: a shell begins the next process as soon as one has ended, and has nothing else to do. */
const SUPERVISOR = 'while :; do "$@"; done';
/** The same with sockets from descriptor 3 on, which the supervisor holds, as systemd does for a unit with its own. */
const ACTIVATING = `while :; do LISTEN_FDS=2 sh -c 'LISTEN_PID=$$ exec "$@"' sh "$@"; done`;

/** Stopped by SIGTERM, and started again by its supervisor. */
async function restarts(count: number, what: string, most: number, loop: string, held: number[]): Promise<Figure[]> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-weather-'));
  const [corefile, pidfile] = [path.join(dir, 'Corefile'), path.join(dir, 'pid')];
  writeFileSync(corefile, COREFILE);
  const command = [compiledLauncher(), '-conf', corefile, '-pidfile', pidfile];
  const supervisor = new Program(['sh', '-c', loop, 'sh', ...command], {}, undefined, held);
  const begun = (times: number): Promise<unknown> => supervisor.said(new RegExp(`(nodens-\\d[^]*){${times}}`));
  const end = (): void => void process.kill(Number(readFileSync(pidfile, 'utf8')), 'SIGTERM');
  await begun(1);
  const seconds = ((count + 1) * PAUSE) / 1000;
  const asking = askAll({
    port: 1053,
    names: new Array<string>(seconds * RATE).fill('hello.nodens.test.'),
    rate: RATE,
    patience: 2000,
  });
  const gaps: number[] = [];
  try {
    for (let i = 0; i < count; i++) {
      await sleep(PAUSE);
      const from = performance.now();
      end();
      await begun(i + 2);
      gaps.push(performance.now() - from);
    }
    const { lost, wrong, asked } = await asking;
    return [
      { what: `${count} ${what}: lost or wrong of ${asked}`, got: lost + wrong, unit: '', atMost: most, timed: true },
      { what: 'from the signal to the next banner', got: quantile(gaps.sort(), 0.5), unit: 'ms' },
    ];
  } finally {
    supervisor.child.kill('SIGKILL');
    end();
    await supervisor.ended();
    rmSync(dir, { recursive: true });
  }
}

/** Where the supervisor holds the sockets. */
async function activated(count: number): Promise<Figure[]> {
  const libc = loadLibc();
  const at = { address: '127.0.0.1', port: 1053 };
  const sockets = [openListening(libc, at, undefined), listenFirst(libc, at)];
  try {
    return await restarts(count, 'restarts, the supervisor holds the sockets', 0, ACTIVATING, sockets);
  } finally {
    for (const fd of sockets) libc.close(fd);
  }
}

/** Another process takes over, once for each of them. */
async function handOvers(count: number): Promise<Figure[]> {
  const server = await WeatherServer.start(COREFILE, ['-pidfile', 'DIR/pid']);
  const asking = askAll({
    port: 1053,
    names: new Array<string>((count + 1) * 1.5 * RATE).fill('hello.nodens.test.'),
    rate: RATE,
    patience: 2000,
  });
  try {
    for (let i = 0; i < count; i++) {
      await sleep(PAUSE);
      process.kill(server.pid, 'SIGUSR2');
    }
    const { lost, wrong, asked } = await asking;
    return [{ what: `${count} hand-overs: lost or wrong of ${asked}`, got: lost + wrong, unit: '', atMost: 0 }];
  } finally {
    await server.stop();
  }
}

/** A bad Corefile, an empty one and good ones, one after the other, by SIGUSR1. */
async function reloads(count: number): Promise<Figure[]> {
  const server = await WeatherServer.start(COREFILE);
  const asking = askAll({
    port: 1053,
    names: new Array<string>(count * 0.3 * RATE).fill('hello.nodens.test.'),
    rate: RATE,
    patience: 2000,
  });
  const texts = [COREFILE, 'nonsense {\n', '', COREFILE.replace('}\n}', '}\n cache 30\n}'), '.:1053 {\n hosts {\n'];
  try {
    for (let i = 0; i < count; i++) {
      writeFileSync(path.join(server.dir, 'Corefile'), texts[i % texts.length]!);
      server.program.child.kill('SIGUSR1');
      await sleep(250);
    }
    const { lost, wrong, asked } = await asking;
    const what = `${count} reloads, bad and empty Corefiles among them: lost or wrong of ${asked}`;
    return [{ what, got: lost + wrong, unit: '', atMost: 0 }];
  } finally {
    await server.stop();
  }
}

/** Ends and beginnings at 2,000 queries a second. */
export const restart: Weather = {
  name: 'restart',
  needs: [],
  async play(scale: Scale): Promise<Figure[]> {
    const full = scale === 'full';
    const count = full ? 3 : 1;
    return [
      ...(await restarts(count, 'plain restarts', 20 * count, SUPERVISOR, [])),
      ...(await activated(count)),
      ...(await handOvers(full ? 3 : 1)),
      ...(await reloads(full ? 20 : 5)),
    ];
  },
};
