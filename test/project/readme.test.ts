import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { PLUGINS } from '../../src/server/directives.js';
import { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8');

/** The `dig +short` commands of the page and what it says they print. */
const digs = [...README.matchAll(/^\$ dig @127\.0\.0\.1 -p 1053 (.* \+short)\n((?:[^$`].*\n)+)/gm)].map(([, args, output]) => ({ args: args!.split(' '), output: output! }));

const noDig = spawnSync('sh', ['-c', 'command -v dig']).status !== 0;
if (noDig) console.log('test/project/readme: dig is not installed (Debian: bind9-dnsutils); its commands are skipped');

describe('README', () => {
  it('links to files that exist', () => {
    const links = [...README.matchAll(/\]\((?!http|#)([^)#]+)/g)].map((match) => match[1]!);
    expect(links.length).toBeGreaterThan(PLUGINS.length);
    expect(links.filter((link) => !existsSync(path.join(ROOT, link)))).toEqual([]);
  });

  it('names every plugin', () => expect(PLUGINS.filter(({ name }) => !README.includes(`[${name}](src/plugins/${name}/README.md)`))).toEqual([]));

  it('names scripts, folders and Corefiles that exist', () => {
    const scripts = (JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts;
    const named = [...README.matchAll(/npm (?:run )?(start|test|bench|soak)/g)].map((match) => match[1]!);
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
    expect([...README.matchAll(/^src\/\w+|\ssrc\/\w+(?=\s{2,}|$)/gm)].map((match) => match[0].trim()).filter((folder) => !existsSync(path.join(ROOT, folder)))).toEqual([]);
    expect([...README.matchAll(/`(?:corefiles\/)?([\w-]+\.Corefile)`/g)].map((match) => match[1]!).filter((file) => !existsSync(path.join(ROOT, 'corefiles', file)))).toEqual([]);
  });

  it.skipIf(noDig)('shows answers that a real dig gets', async () => {
    expect(digs).toHaveLength(3);
    const server = await Server.create({
      corefile: { name: 'kubernetes-files.Corefile', read: () => readFileSync(path.join(ROOT, 'corefiles/kubernetes-files.Corefile'), 'utf8') },
      env: { NODENS_PORT: '0', NODENS_UPSTREAM: '127.0.0.1:1' }, cwd: ROOT, log: new TestLog(),
    });
    await server.listen();
    const ask = (args: string[]): Promise<string> =>
      new Promise((resolve) => execFile('dig', ['@127.0.0.1', '-p', String(server.served[0]!.port), ...args], (_error, stdout) => resolve(stdout)));
    for (const { args, output } of digs) expect(await ask(args)).toBe(output);
    await server.stop();
  });
});
