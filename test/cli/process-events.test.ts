import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Reply } from '../../src/chain/index.js';
import { guardFromPlugins } from '../../src/cli/plugin-guard.js';
import { exitQuickly } from '../../src/cli/quick-exit.js';
import { writeOnOccasion } from '../../src/cli/record-file.js';
import { Signals } from '../../src/cli/signals.js';
import { ManualClock } from '../../src/lib/clock.js';
import { DEFAULT_RECORDER, FlightRecorder } from '../../src/record/flight-recorder.js';
import type { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';
import { query } from '../support/dns.js';
import { processEvents } from '../support/process-events.js';
import { toldOnStderr } from '../support/told.js';

const said = toldOnStderr();
const tell = processEvents();
/** Until promises that are settled have been heard of. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('signals', () => {
  /** All that was done, in order; a hand-over ends when it is told how. */
  function program({ isShared = false } = {}) {
    const done: string[] = [];
    const log = new TestLog();
    let handedOver: (serves: boolean) => void = () => expect.unreachable('nothing was handed over');
    const signals = new Signals({
      log: Object.assign(log, {
        setDebug: (on: boolean) => done.push(`debug ${on}`),
        finish: async () => 'written' as const,
      }),
      isShared: () => isShared,
      closing: async () => void done.push('closing'),
      handOver: () => {
        done.push('hand over');
        return new Promise((resolve) => (handedOver = resolve));
      },
      finish: (code) => void done.push(`finish ${code}`),
    });
    const server = {
      debug: true,
      reload: async () => void done.push('reload'),
      stop: async (shared?: boolean) => void done.push(`stop ${shared}`),
    };
    const attach = (): void => signals.attach(server as unknown as Server);
    return { done, lines: log.lines, attach, handedOver: (serves: boolean) => handedOver(serves) };
  }

  const ENDING = ['[INFO] SIGTERM: Shutting down servers then terminating'];
  const HANDING = '[INFO] SIGUSR2: Handing over to a new process';
  const rows: readonly {
    name: string;
    told: readonly (string | readonly [string, ...unknown[]])[];
    early?: boolean;
    isShared?: boolean;
    done: readonly string[];
    lines?: readonly string[];
  }[] = [
    { name: 'SIGTERM', told: ['SIGTERM'], done: ['closing', 'stop false', 'finish 0'], lines: ENDING },
    { name: 'SIGTERM twice', told: ['SIGTERM', 'SIGTERM'], done: ['closing', 'stop false', 'finish 0'], lines: ENDING },
    { name: 'SIGTERM before there is a server', told: ['SIGTERM'], early: true, done: ['finish 0'], lines: ENDING },
    {
      name: 'SIGTERM where another process serves at the same sockets',
      ...{ told: ['SIGTERM'], isShared: true, done: ['closing', 'stop true', 'finish 0'], lines: ENDING },
    },
    {
      name: 'SIGINT',
      ...{ told: ['SIGINT'], done: ['closing', 'stop false', 'finish 0'], lines: ['[INFO] SIGINT: Shutting down'] },
    },
    {
      name: 'SIGINT twice',
      told: ['SIGINT', 'SIGINT'],
      done: ['closing', 'finish 2', 'stop false', 'finish 0'],
      lines: ['[INFO] SIGINT: Shutting down', '[INFO] SIGINT: Force quit'],
    },
    { name: 'SIGQUIT', told: ['SIGQUIT'], done: ['finish 0'], lines: ['[INFO] SIGQUIT: Quitting process immediately'] },
    { name: 'SIGHUP', told: ['SIGHUP'], done: [], lines: [] },
    { name: 'SIGUSR1', told: ['SIGUSR1'], done: ['reload', 'debug true'], lines: ['[INFO] SIGUSR1: Reloading'] },
    {
      name: 'SIGUSR1 before there is a server',
      ...{ told: ['SIGUSR1'], early: true, done: [], lines: ['[INFO] SIGUSR1: Reloading'] },
    },
    { name: 'SIGUSR2 before there is a server', told: ['SIGUSR2'], early: true, done: [], lines: [] },
    { name: 'SIGUSR2 twice', told: ['SIGUSR2', 'SIGUSR2'], done: ['hand over'], lines: [HANDING] },
    {
      name: 'SIGUSR2 while it ends',
      told: ['SIGTERM', 'SIGUSR2'],
      done: ['closing', 'stop false', 'finish 0'],
      lines: ENDING,
    },
    {
      name: 'an error that nothing caught',
      told: [['uncaughtException', Object.assign(new Error('it broke'), { stack: undefined })]],
      ...{ done: [], lines: ['[ERROR] uncaught: it broke'] },
    },
    {
      name: 'a rejection that nothing caught',
      told: [['unhandledRejection', Object.assign(new Error('it broke'), { stack: 'Error: it broke at x.ts:1' })]],
      ...{ done: [], lines: ['[ERROR] unhandled rejection: Error: it broke at x.ts:1'] },
    },
    {
      name: 'a rejection with what is no error',
      ...{ told: [['unhandledRejection', 7]], done: [], lines: ['[ERROR] unhandled rejection: 7'] },
    },
  ];
  it.each(rows)('$name', async ({ told, early = false, isShared = false, done, lines }) => {
    const one = program({ isShared });
    if (!early) one.attach();
    for (const event of told) expect(typeof event === 'string' ? tell(event) : tell(...event)).toBe(1);
    await settled();
    expect(one).toMatchObject({ done, lines });
  });

  it('that came before the server stop it when it is there', async () => {
    const one = program();
    tell('SIGTERM');
    one.attach();
    await settled();
    expect(one.done).toEqual(['finish 0', 'stop undefined']);
  });

  it('hand over again where that failed, and end the process, whose sockets are in use, where it did not', async () => {
    const one = program();
    one.attach();
    for (const serves of [false, true]) {
      tell('SIGUSR2');
      one.handedOver(serves);
      await settled();
    }
    expect(one.done).toEqual(['hand over', 'hand over', 'closing', 'stop true', 'finish 0']);
    expect(one.lines).toEqual([HANDING, HANDING, '[INFO] Handed over, shutting down']);
  });
});

describe('a fault outside of any query', () => {
  const FILES = new Set(['/etc/plugins/a.mjs', '/etc/plugins/b.mjs']);
  const fault = (...lines: readonly string[]): Error => Object.assign(new Error(), { stack: lines.join('\n') });

  it.each([
    {
      name: 'an error',
      error: fault('Error: x', '    at lib.ts:1', '    at /etc/plugins/b.mjs:7'),
      at: 'Error: x at ',
    },
    { name: 'what is no error', error: 'broken\n/etc/plugins/b.mjs:7', at: 'broken ' },
  ])('of a plugin is told, and serving goes on: $name', ({ error, at }) => {
    const log = new TestLog();
    guardFromPlugins(FILES, log);
    expect(tell('uncaughtException', error)).toBe(1);
    const line = `a plugin failed outside of any query: ${at}/etc/plugins/b.mjs:7; it is served on`;
    expect([log.lines, said()]).toEqual([[`[ERROR] ${line}`], '']);
  });

  it('that is no plugin’s ends the process', () => {
    const log = new TestLog();
    const codes: unknown[] = [];
    vi.spyOn(process, 'exit').mockImplementation((code) => void codes.push(code) as never);
    guardFromPlugins(FILES, log);
    tell('uncaughtException', fault('Error: x', '    at /etc/plugins/c.mjs:7'));
    expect([codes, log.lines, said()]).toEqual([[1], [], 'Error: x\n    at /etc/plugins/c.mjs:7\n']);
  });
});

describe('what is recorded is written', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-recorded-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function recorder(queries = 1, name = 'record.json') {
    const [log, file] = [new TestLog(), path.join(folder, name)];
    const made = new FlightRecorder(DEFAULT_RECORDER, new ManualClock());
    for (let i = 0; i < queries; i++) made.atOnce(query('a.example.'), Reply.failure(2, new Error('x')), undefined);
    writeOnOccasion(made, file, log);
    const occasion = (): unknown =>
      existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { occasion: string }).occasion : undefined;
    return { log, file, occasion };
  }

  it.each([
    { event: 'SIGURG', given: undefined, want: 'SIGURG' },
    { event: 'uncaughtException', given: new Error('it broke'), want: 'uncaught: it broke' },
    { event: 'unhandledRejection', given: 'it broke', want: 'unhandled rejection: it broke' },
    { event: 'exit', given: 1, want: 'the process ends with code 1' },
    { event: 'exit', given: 0, want: undefined },
  ])('on $event with $given', ({ event, given, want }) => {
    const { log, file, occasion } = recorder(2);
    expect(tell(event, given)).toBe(1);
    expect(occasion()).toBe(want);
    expect(log.lines).toEqual(event === 'SIGURG' ? [`[INFO] SIGURG: 2 queries written to ${file}`] : []);
  });

  it.each(['SIGURG', 'exit'])('not on %s where there is nothing', (event) => {
    const { log, occasion } = recorder(0);
    tell(event, 1);
    expect(occasion()).toBeUndefined();
    expect(log.lines).toEqual(event === 'SIGURG' ? ['[INFO] SIGURG: there is no query to write'] : []);
  });

  it('or the log says why not', () => {
    const { log } = recorder(1, 'none/record.json');
    tell('exit', 1);
    expect(log.lines).toEqual([expect.stringMatching(/^\[ERROR\] -record: ENOENT/)]);
  });

  it('for nobody else to read, and not through a link that somebody has put there', () => {
    const { file, occasion } = recorder();
    const victim = path.join(folder, 'victim');
    writeFileSync(victim, 'precious');
    symlinkSync(victim, `${file}.${process.pid}`);
    tell('SIGURG');
    expect([occasion(), readFileSync(victim, 'utf8')]).toEqual(['SIGURG', 'precious']);
    expect(lstatSync(file)).toMatchObject({ mode: 0o100_600 });
  });
});

describe('the end of the process', () => {
  it.each([
    { name: 'quick', env: {}, execArgv: [], want: process.platform === 'linux' },
    { name: 'as Node has it with flags', env: {}, execArgv: ['--prof'], want: false },
    { name: 'as Node has it with options', env: { NODE_OPTIONS: '--prof' }, execArgv: [], want: false },
    { name: 'as Node has it for coverage', env: { NODE_V8_COVERAGE: '/tmp/x' }, execArgv: [], want: false },
  ])('is $name', ({ env, execArgv, want }) => {
    const watched = vi.spyOn(process, 'once');
    exitQuickly(env, execArgv);
    expect(watched.mock.calls.map(([event]) => event as string)).toEqual(want ? ['exit'] : []);
  });
});
