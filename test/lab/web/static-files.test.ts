import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { StaticFiles } from '../../../src/lab/web/static-files.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-static-test-'));
const [source, built] = [path.join(folder, 'source'), path.join(folder, 'built')];
beforeAll(() => {
  for (const one of [source, built]) mkdirSync(one);
  // A folder without the page's program is none of a built page.
  writeFileSync(path.join(source, 'index.html'), 'source');
  for (const name of ['index.html', 'page.js', 'page.css', 'icon.svg']) writeFileSync(path.join(built, name), name);
});
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  { url: '/', type: 'text/html; charset=utf-8', text: 'index.html' },
  { url: '/page.js', type: 'text/javascript; charset=utf-8', text: 'page.js' },
  { url: '/page.css', type: 'text/css; charset=utf-8', text: 'page.css' },
  { url: '/icon.svg', type: 'image/svg+xml', text: 'icon.svg' },
])('$url is of the built page, with a tag of what is in it', ({ url, type, text }) => {
  const file = new StaticFiles([path.join(folder, 'none'), source, built]).get(url);
  const tag = createHash('sha256').update(text).digest('base64url').slice(0, 22);
  expect(file).toEqual({ type, body: Buffer.from(text), etag: `"${tag}"` });
});

it.each(['/index.html', '/none', '/toString', ''])('%s is no file of the page', (url) =>
  expect(new StaticFiles([built]).get(url)).toBeUndefined(),
);

it('a page that was not built is missing, and found when it is built', () => {
  const files = new StaticFiles([source]);
  expect(files.get('/')).toBe('missing');
  expect(files.get('/none')).toBeUndefined();
  writeFileSync(path.join(source, 'page.js'), '');
  expect(files.get('/')).toMatchObject({ body: Buffer.from('source') });
  // What is served stays as it was first read.
  writeFileSync(path.join(source, 'index.html'), 'another');
  expect(files.get('/')).toMatchObject({ body: Buffer.from('source') });
});
