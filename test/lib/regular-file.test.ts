import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRegularFile, readRegularFileAside, unfit } from '../../src/lib/regular-file.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-files-'));
  execFileSync('mkfifo', [path.join(dir, 'pipe')]);
  writeFileSync(path.join(dir, 'file'), 'text');
});
afterAll(() => rmSync(dir, { recursive: true }));

describe.each([
  { how: 'at once', read: async (file: string, longest?: number) => readRegularFile(file, longest) },
  { how: 'aside', read: readRegularFileAside },
])('a file, $how,', ({ read }) => {
  it('is read', async () => expect((await read(path.join(dir, 'file'))).toString()).toBe('text'));
  it('is closed', async () => {
    const file = path.join(dir, 'file');
    await read(file);
    const open = readdirSync('/proc/self/fd').map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return 'the folder itself, which is closed by now';
      }
    });
    expect(open).not.toContain(file);
  });
  it('that the system makes up is read', async () =>
    expect((await read('/proc/self/limits')).length).toBeGreaterThan(0));
  it('that stands for nothing is empty', async () => expect(await read('/dev/null')).toHaveLength(0));

  it.each([
    { name: 'a pipe', file: 'pipe', error: 'got a pipe, a device or a socket, allowed: a regular file' },
    {
      name: 'an endless device',
      file: '/dev/zero',
      error: 'got a pipe, a device or a socket, allowed: a regular file',
    },
    { name: 'a folder', file: '.', error: 'EISDIR' },
    { name: 'what is not there', file: 'none', error: 'ENOENT' },
    { name: 'one that is too long', file: 'file', longest: 3, error: 'got 4 bytes, allowed: at most 3' },
  ])('is refused, and not waited for: $name', async ({ file, longest, error }) => {
    await expect(read(path.resolve(dir, file), longest)).rejects.toThrow(error);
  });
});

it.each([
  { size: 128 * 1024 * 1024, want: undefined },
  { size: 128 * 1024 * 1024 + 1, want: 'got 134217729 bytes, allowed: at most 134217728' },
])('a file may have 128 MiB: $size, $want', ({ size, want }) =>
  expect(unfit({ isFile: () => true, isDirectory: () => false, size })).toBe(want),
);
