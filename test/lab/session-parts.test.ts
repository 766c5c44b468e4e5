import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import type { CommandIo } from '../../src/lab/session/command.js';
import { CommandError, told, untilEnded } from '../../src/lab/session/command.js';
import { drive, inRealTime } from '../../src/lab/session/driven-clock.js';
import type { OptionSpec } from '../../src/lab/session/options.js';
import { OptionHelp, parseOptions } from '../../src/lab/session/options.js';
import { SessionStore } from '../../src/lab/session/store.js';

const SPECS: readonly OptionSpec[] = [
  { name: '--namespace', short: '-n', value: true },
  { name: '--output', short: '-o', value: true },
  { name: '--quiet', short: '-q' },
  { name: '--interactive', short: '-i' },
  { name: '--tty', short: '-t' },
  { name: '-l', short: '-l', value: true },
];

describe('the options of a program', () => {
  it.each<{ line: string; words?: string[]; rest?: string[]; want?: Record<string, string[]> }>([
    { line: 'a b', words: ['a', 'b'] },
    { line: '-', words: ['-'] },
    { line: '--quiet a', words: ['a'], want: { '--quiet': ['true'] } },
    { line: '--quiet=false', want: { '--quiet': ['false'] } },
    { line: '--namespace a=b', want: { '--namespace': ['a=b'] } },
    { line: '--namespace=a=b', want: { '--namespace': ['a=b'] } },
    { line: '-n x -n y', want: { '--namespace': ['x', 'y'] } },
    { line: '-n=x', want: { '--namespace': ['x'] } },
    { line: '-nx', want: { '--namespace': ['x'] } },
    { line: '-it a', words: ['a'], want: { '--interactive': ['true'], '--tty': ['true'] } },
    { line: '-qowide', want: { '--quiet': ['true'], '--output': ['wide'] } },
    { line: '-qo=wide', want: { '--quiet': ['true'], '--output': ['wide'] } },
    { line: '-qo wide a', words: ['a'], want: { '--quiet': ['true'], '--output': ['wide'] } },
    { line: 'a -- -n b', words: ['a'], rest: ['-n', 'b'] },
    { line: '-n -- a', words: ['a'], want: { '--namespace': ['--'] } },
  ])('$line', ({ line, words = [], rest = [], want = {} }) => {
    const options = parseOptions('x', line.split(' '), SPECS);
    expect([options.words, options.rest]).toEqual([words, rest]);
    for (const { name } of SPECS) {
      expect(options.all(name)).toEqual(want[name] ?? []);
      expect([options.has(name), options.get(name)]).toEqual([name in want, want[name]?.at(-1)]);
    }
  });

  it.each([
    { line: '-n', error: 'x: option -n needs a value' },
    { line: '-qo', error: 'x: option -qo needs a value' },
    { line: '--output', error: 'x: option --output needs a value' },
    {
      line: '-z',
      error:
        /^x: unknown option -z, allowed: -n, --namespace, -o, --output, -q, --quiet, -i, --interactive, -t, --tty, -l$/,
    },
    { line: '-qz', error: 'x: unknown option -qz, allowed:' },
    { line: '--no=1', error: 'x: unknown option --no, allowed:' },
  ])('$line is refused', ({ line, error }) => {
    const parse = () => parseOptions('x', line.split(' '), SPECS);
    expect(parse).toThrow(error);
    expect(parse).not.toThrow(OptionHelp);
  });

  it.each(['-h', '--help'])('%s lists them', (word) => {
    expect(() => parseOptions('x', [word], SPECS)).toThrow(OptionHelp);
    expect(() => parseOptions('x', [word], [])).toThrow('x: options: none');
  });
});

describe('a program that goes on until it is ended', () => {
  const io = (endless: boolean, signal: AbortSignal) => ({ endless, signal }) as CommandIo;

  it('is refused where nobody can end it', () =>
    expect(() => untilEnded(io(false, new AbortController().signal), 'tail -f')).toThrow(
      'tail -f would never end here: put &',
    ));

  it('ends when it is interrupted, at once where it was before', async () => {
    const ending = new AbortController();
    let over = false;
    const work = untilEnded(io(true, ending.signal), 'x').then(() => (over = true));
    await Promise.resolve();
    expect(over).toBe(false);
    ending.abort();
    await work;
    await untilEnded(io(true, ending.signal), 'x');
  });
});

it("what is the user's to fix is written with its code; a fault of the program is thrown", () => {
  const lines: string[] = [];
  const io = { error: (text: string) => void lines.push(text) };
  const missing = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open', errno: -2 });
  expect([told(new CommandError('no'), io), told(new CommandError('gone', 127), io), told(missing, io)]).toEqual([
    1, 127, 1,
  ]);
  expect(lines).toEqual(['no\n', 'gone\n', 'ENOENT: no such file\n']);
  expect(() => told(new TypeError('x is undefined'), io)).toThrow(TypeError);
});

describe('a driven clock', () => {
  it('stands still for what needs no time, and moves on for what waits', async () => {
    const clock = new ManualClock(0);
    expect(await drive(clock, Promise.resolve(1))).toBe(1);
    expect(clock.now()).toBe(0);
    const rang = new Promise<number>((resolve) => clock.setTimeout(() => resolve(clock.now()), 5000));
    expect(await drive(clock, rang)).toBe(5000);
    expect(clock.now()).toBeLessThan(6000);
  });

  it('stands still for work that takes real time', async () => {
    const clock = new ManualClock(0);
    const work = async (): Promise<string> => {
      for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
      return 'done';
    };
    expect(await drive(clock, inRealTime(work()))).toBe('done');
    expect(clock.now()).toBe(0);
    await expect(drive(clock, inRealTime(Promise.reject(new Error('broken'))))).rejects.toThrow('broken');
    await drive(clock, new Promise<void>((resolve) => void clock.setTimeout(resolve, 10)));
    expect(clock.now()).toBeGreaterThan(0);
  });
});

describe('the files of a session', () => {
  const USER: Readonly<Record<string, string>> = { 'a.txt': 'user', 'sub/b.txt': 'deep', '/etc/passwd': 'secret' };
  const error = (code: string) => Object.assign(new Error(`${code}: it is so`), { code });
  const store = (): SessionStore =>
    new SessionStore(
      {
        read: (file) => {
          if (file === 'sub') throw error('EISDIR');
          if (file === 'locked') throw error('EACCES');
          const text = USER[file];
          if (text === undefined) throw error('ENOENT');
          return text;
        },
        list: (folder) => {
          if (folder === '.') return ['a.txt', 'sub'];
          if (folder === 'sub') return ['b.txt'];
          throw error('ENOENT');
        },
      },
      (file) => (file === '/etc/resolv.conf' ? 'nameserver 10.0.0.1\n' : undefined),
    );

  it.each([
    { file: 'a.txt', want: 'user' },
    { file: './a.txt', want: 'user' },
    { file: 'sub/../sub/b.txt', want: 'deep' },
    { file: '/etc/resolv.conf', want: 'nameserver 10.0.0.1\n' },
  ])('$file is read', ({ file, want }) => {
    const own = store();
    expect([own.read(file), own.kind(file)]).toEqual([want, 'file']);
  });

  it.each([
    // The machine that the lab runs on is never asked for what a node has of itself.
    { file: '/etc/passwd', error: 'cannot read /etc/passwd: no such file', kind: undefined },
    { file: 'none', error: 'cannot read none: no such file', kind: undefined },
    { file: 'sub', error: 'cannot read sub: it is a directory, allowed: a file', kind: 'folder' },
    { file: 'locked', error: 'cannot read locked: EACCES: it is so', kind: undefined },
    { file: '.', error: 'cannot read .: no such file', kind: 'folder' },
    { file: '/', error: 'cannot read /: no such file', kind: 'folder' },
    { file: '/root', error: 'cannot read /root: no such file', kind: 'folder' },
  ])('$file is not read, and is: $kind', ({ file, error: message, kind }) => {
    const own = store();
    expect(() => own.read(file)).toThrow(new CommandError(message));
    expect(own.kind(file)).toBe(kind);
  });

  it('are those that lines write, until they are removed; the own file of the user stays hidden then', () => {
    const own = store();
    own.write('a.txt', 'mine');
    own.write('new/c.txt', 'c');
    own.write('/tmp/d.txt', 'd');
    expect([own.read('a.txt'), own.read('/root/a.txt'), own.kind('new'), own.kind('new/c.txt')]).toEqual([
      'mine',
      'mine',
      'folder',
      'file',
    ]);
    expect([own.list('.'), own.list('new'), own.list('/tmp'), own.list('sub'), own.list('none')]).toEqual([
      ['a.txt', 'new', 'sub'],
      ['c.txt'],
      ['d.txt'],
      ['b.txt'],
      [],
    ]);
    own.remove('a.txt');
    own.remove('new');
    expect([own.kind('a.txt'), own.kind('new'), own.kind('new/c.txt'), own.list('.')]).toEqual([
      undefined,
      undefined,
      undefined,
      ['sub'],
    ]);
    expect(() => own.read('a.txt')).toThrow('no such file');
    expect(own.read('/tmp/d.txt')).toBe('d');
    own.write('a.txt', 'again');
    expect(own.read('a.txt')).toBe('again');
  });

  it('are meant in the folder of the session', () => {
    const own = store();
    own.folder = 'sub';
    expect([own.read('b.txt'), own.nameOf('x/'), own.nameOf('/tmp/x/')]).toEqual(['deep', 'sub/x', '/tmp/x']);
    own.makeFolder('empty');
    expect([own.kind('empty'), own.list('.')]).toEqual(['folder', ['b.txt', 'empty']]);
    own.remove('empty');
    expect(own.kind('empty')).toBeUndefined();
  });
});
