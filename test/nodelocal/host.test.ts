import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/lib/clock.js';
import { WatchedFolder, hostFiles, type Folder } from '../../src/nodelocal/folder.js';
import { RunError, hostRun, output } from '../../src/nodelocal/run.js';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-folder-'))));
afterEach(() => rmSync(dir, { recursive: true }));

/** A ConfigMap as a kubelet mounts it: files are links through `..data` to a folder that is exchanged as a whole. */
function mount(version: string, files: Record<string, string>): void {
  mkdirSync(path.join(dir, `..${version}`));
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, `..${version}`, name), text);
  rmSync(path.join(dir, '..data'), { force: true });
  symlinkSync(`..${version}`, path.join(dir, '..data'));
  for (const name of Object.keys(files)) {
    rmSync(path.join(dir, name), { force: true });
    symlinkSync(`..data/${name}`, path.join(dir, name));
  }
}

describe('hostFiles', () => {
  it('reads a mounted ConfigMap without its hidden versions and folders', () => {
    mount('1', { stubDomains: '{}', upstreamNameservers: '[]' });
    mkdirSync(path.join(dir, 'folder'));
    symlinkSync('..2/gone', path.join(dir, 'gone'));
    expect([...hostFiles.folder(dir)]).toEqual([
      ['stubDomains', '{}'],
      ['upstreamNameservers', '[]'],
    ]);
  });

  it('writes and reads a file, and knows what is there', () => {
    const file = path.join(dir, 'Corefile');
    expect(hostFiles.exists(file)).toBe(false);
    hostFiles.write(file, '.:53 {\n}\n');
    expect([hostFiles.exists(file), hostFiles.read(file)]).toEqual([true, '.:53 {\n}\n']);
  });
});

describe('WatchedFolder', () => {
  it('tells of a version that differs, once', () => {
    const clock = new ManualClock();
    const seen: Folder[] = [];
    const errors: Error[] = [];
    mount('1', { Corefile: 'a' });
    const watched = new WatchedFolder(hostFiles, dir);
    watched.read();
    watched.watch(
      clock,
      10_000,
      (folder) => seen.push(folder),
      (error) => errors.push(error),
    );
    mount('2', { Corefile: 'a' });
    clock.advance(10_000);
    mount('3', { Corefile: 'b' });
    clock.advance(20_000);
    watched.close();
    mount('4', { Corefile: 'c' });
    clock.advance(20_000);
    expect(seen).toEqual([new Map([['Corefile', 'b']])]);
    expect(errors).toEqual([]);
  });

  it('tells of a look that failed', () => {
    const clock = new ManualClock();
    const errors: string[] = [];
    const watched = new WatchedFolder(hostFiles, path.join(dir, 'nowhere'));
    watched.watch(
      clock,
      10_000,
      () => undefined,
      (error) => errors.push(error.message),
    );
    clock.advance(10_000);
    watched.close();
    expect(errors).toEqual([expect.stringContaining('ENOENT')]);
  });
});

describe('hostRun', () => {
  const run = hostRun({ PATH: process.env.PATH });

  it.each([
    { name: 'success', command: 'printf', args: ['a b'], want: { code: 0, stdout: 'a b', stderr: '' } },
    {
      name: 'failure',
      command: 'sh',
      args: ['-c', 'echo why >&2; exit 3'],
      want: { code: 3, stdout: '', stderr: 'why\n' },
    },
    { name: 'silent failure', command: 'false', args: [], want: { code: 1, stdout: '', stderr: '' } },
    { name: 'no program', command: '/', args: [], want: { code: 126, stdout: '', stderr: 'spawn / EACCES' } },
    {
      name: 'no such program',
      command: 'nodens-no-such-program',
      args: [],
      want: { code: 127, stdout: '', stderr: 'nodens-no-such-program: not found; it has to be installed' },
    },
    { name: 'language', command: 'sh', args: ['-c', 'printf $LC_ALL'], want: { code: 0, stdout: 'C', stderr: '' } },
  ])('$name', async ({ command, args, want }) => expect(await run(command, args)).toEqual(want));

  it('hands over standard input', async () => expect(await output(run, 'cat', [], 'table\n')).toBe('table\n'));

  it('is not troubled by a program that reads none of it', async () =>
    expect(await run('true', [], 'x'.repeat(1 << 20))).toEqual({ code: 0, stdout: '', stderr: '' }));
});

describe('output', () => {
  it.each([
    { name: 'with what was said', stderr: 'line one\nline two\n', message: 'ip link: line one line two (exit 2)' },
    { name: 'with silence', stderr: '', message: 'ip link: no message (exit 2)' },
  ])('rejects $name', async ({ stderr, message }) => {
    const failing = output(() => Promise.resolve({ code: 2, stdout: '', stderr }), 'ip', ['link']);
    await expect(failing).rejects.toThrow(RunError);
    await expect(failing).rejects.toThrow(message);
  });
});
