import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { PLUGINS } from '../../src/server/directives.js';
import { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';
import { drawnHttpPorts, manualPage, pageEnv, pageExamples } from '../support/manual-pages.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-examples-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Starts a Corefile with all its sockets, and stops it. Rejects when it does not start. */
async function startOnce(name: string, text: string, env: Record<string, string> = {}): Promise<string[]> {
  const server = await Server.create({ corefile: { name, read: () => text }, log: new TestLog(), env, cwd: ROOT });
  try {
    await server.listen();
    return server.banner();
  } finally {
    await server.stop();
  }
}

/**
 * Drawn ports in place of fixed ones, in the keys and where a plugin listens for HTTP; and no time in which a server
 * still answers before it ends.
 */
const anyPorts = (text: string): string =>
  drawnHttpPorts(text.replace(/^(?=\S)(.*)\{\s*$/gm, (line) => line.replace(/:\d+/g, ':0'))).replace(
    /(lameduck) \d+s/,
    '$1 1ms',
  );

/** Corefiles that are there to be started as they are, by what they lie below. */
const FOLDERS = ['corefiles', 'examples/own-namespace'];

describe('Corefiles of the project', () => {
  const env = {
    NODENS_PORT: '0',
    NODENS_METRICS: '127.0.0.1:0',
    NODENS_METRICS_PORT: '0',
    NODENS_HEALTH: '127.0.0.1:0',
    NODENS_READY: '127.0.0.1:0',
    NODENS_UPSTREAM: '127.0.0.1:1',
    NODENS_LAMEDUCK: '1ms',
  };
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(path.join(ROOT, folder))
      .filter((file) => file.endsWith('Corefile'))
      .map((file) => `${folder}/${file}`),
  );
  it.each(files)('%s starts', async (file) => {
    const banner = await startOnce(file, readFileSync(path.join(ROOT, file), 'utf8'), env);
    expect(banner.length).toBeGreaterThan(0);
  });
});

describe('manual pages', () => {
  it.each(PLUGINS.map((plugin) => plugin.name))(
    '%s has one, with its name, description, syntax and examples',
    (plugin) => {
      expect(existsSync(path.join(ROOT, 'src/plugins', plugin, 'README.md'))).toBe(true);
      for (const section of ['Description', 'Syntax', 'Examples'])
        expect(manualPage(plugin)).toMatch(new RegExp(`^## ${section}`, 'm'));
    },
  );

  const examples = PLUGINS.flatMap(({ name }) => {
    if (!existsSync(path.join(ROOT, 'src/plugins', name, 'README.md'))) return [];
    return pageExamples(name);
  });
  it.each(examples)('example $name starts', async ({ name, text }) => {
    writeFileSync(path.join(dir, 'empty'), '');
    const banner = await startOnce(name, anyPorts(text), pageEnv(dir));
    expect(banner.length).toBeGreaterThan(0);
  });

  it('have an example each', () => {
    expect(
      PLUGINS.map((plugin) => plugin.name).filter(
        (plugin) => !examples.some((example) => example.name.startsWith(`${plugin} `)),
      ),
    ).toEqual([]);
  });
});
