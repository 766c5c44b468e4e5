import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeRuntime } from '../../src/server/runtime.js';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(path.join(os.tmpdir(), 'nodens-runtime-'));
  for (const folder of ['zones/b', 'full']) mkdirSync(path.join(cwd, folder), { recursive: true });
  for (const file of ['c', 'b/d', 'b/a', 'a']) writeFileSync(path.join(cwd, 'zones', file), file);
  writeFileSync(path.join(cwd, 'full/file'), '');
  utimesSync(path.join(cwd, 'zones/c'), 1000, 2000);
});
afterAll(() => rmSync(cwd, { recursive: true }));

const mode = (file: string): number => statSync(path.join(cwd, file)).mode & 0o777;

describe('files of this host', () => {
  it('are listed by name, those of folders in their place', () => {
    const { runtime } = makeRuntime({ cwd });
    expect(runtime.listFiles('zones')).toEqual(['a', 'b/a', 'b/d', 'c'].map((file) => path.join(cwd, 'zones', file)));
    expect(runtime.listFiles('none')).toEqual([]);
  });

  it('have a time and a size, where they are there', () => {
    const { runtime } = makeRuntime({ cwd });
    expect(runtime.fileInfo('zones/c')).toEqual({ mtime: 2_000_000, size: 1 });
    expect(runtime.fileInfo('zones/none')).toBeUndefined();
    expect([runtime.readFile('zones/c'), runtime.readBytes('zones/c')]).toEqual(['c', Buffer.from('c')]);
  });

  it.each([
    { name: 'for all that the process lets', given: undefined, want: () => 0o666 & ~process.umask() },
    { name: 'for its user alone', given: 0o600, want: () => 0o600 },
  ])('are replaced whole, $name, and nothing else is left', ({ given, want }) => {
    const { runtime } = makeRuntime({ cwd });
    mkdirSync(path.join(cwd, 'new'));
    writeFileSync(path.join(cwd, 'new/file'), 'old and longer');
    runtime.replaceFile('new/file', Buffer.from('new'), given);
    expect([readFileSync(path.join(cwd, 'new/file'), 'utf8'), mode('new/file')]).toEqual(['new', want()]);
    expect(readdirSync(path.join(cwd, 'new'))).toEqual(['file']);
    rmSync(path.join(cwd, 'new'), { recursive: true });
  });

  it('stay where they cannot be replaced, and the error says why', () => {
    const { runtime } = makeRuntime({ cwd });
    expect(() => runtime.replaceFile('full', Buffer.from('new'))).toThrow(/rename/);
    expect(readdirSync(cwd).sort()).toEqual(['full', 'zones']);
    expect(() => runtime.replaceFile('none/file', Buffer.from('new'))).toThrow(/ENOENT.* open /);
  });
});

it('files that are handed in are read, and no others are read or written', () => {
  const files = { readFile: (file: string) => `of ${file}`, glob: () => [], fileInfo: () => ({ mtime: 1, size: 2 }) };
  const { runtime } = makeRuntime({ cwd, files });
  expect([runtime.readFile('a'), String(runtime.readBytes('a'))]).toEqual([`of ${cwd}/a`, `of ${cwd}/a`]);
  expect([runtime.listFiles('zones'), runtime.fileInfo('a')]).toEqual([[], { mtime: 1, size: 2 }]);
  expect(() => runtime.replaceFile('a', Buffer.alloc(0))).toThrow("EROFS: read-only file system, open 'a'");
});
