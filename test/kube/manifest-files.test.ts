import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NOT_THERE, findManifests } from '../../src/kube/manifests/files.js';

let dir: string;
beforeEach(() => (dir = mkdtempSync(path.join(tmpdir(), 'nodens-manifests-'))));
afterEach(() => rmSync(dir, { recursive: true }));

it('manifests are found below folders, with the folders that are to be watched for more', async () => {
  for (const folder of ['sub', 'sub/below', '.hidden', 'elsewhere']) mkdirSync(path.join(dir, folder));
  for (const file of ['a.yaml', 'sub/b.yml', 'sub/below/c.JSON', 'sub/d.txt', '.hidden/e.yaml', 'elsewhere/named.txt'])
    writeFileSync(path.join(dir, file), '');
  symlinkSync(path.join(dir, 'sub'), path.join(dir, 'sub/below/up'));
  const found = await findManifests(['sub', 'elsewhere/named.txt', 'gone'].map((name) => path.join(dir, name)));
  const names = (map: ReadonlyMap<string, string>): string[] =>
    [...map.keys()].map((name) => path.relative(dir, name)).sort();
  expect(names(found.files)).toEqual(['elsewhere/named.txt', 'sub/b.yml', 'sub/below/c.JSON']);
  expect(names(found.folders)).toEqual(['', 'elsewhere', 'sub', 'sub/below']);
  expect([...found.missing]).toEqual([[path.join(dir, 'gone'), NOT_THERE]]);
});

it('a manifest of up to 32 MiB is read', async () => {
  const sizes = { 'most.yaml': 32 * 1024 * 1024, 'more.yaml': 32 * 1024 * 1024 + 1 };
  for (const [name, size] of Object.entries(sizes)) {
    writeFileSync(path.join(dir, name), '');
    truncateSync(path.join(dir, name), size);
  }
  const { files, missing } = await findManifests([dir]);
  expect([...files.keys()]).toEqual([path.join(dir, 'most.yaml')]);
  expect([...missing.keys()]).toEqual([path.join(dir, 'more.yaml')]);
});
