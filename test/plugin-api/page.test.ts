import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { HostNetwork } from '../../src/net/host-network.js';
import { nodeImport } from '../../src/plugin-api/node-import.js';
import { Folder, PluginServer } from './support.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PAGE = readFileSync(path.join(ROOT, 'docs/PLUGINS.md'), 'utf8');
const folder = new Folder();
afterAll(() => folder.remove());

/** The page's files: blocks with a file's name behind the language. */
const files = new Map([...PAGE.matchAll(/^```\w+ (\S+)\n([^]*?)^```/gm)].map(([, name, text]) => [name!, text!]));
for (const [name, text] of files) folder.write(name, text);
folder.write('names.txt', 'printer.home 192.168.1.9\n');
folder.write('package.json', '{ "type": "module" }');

const start = (corefile: string): Promise<PluginServer> =>
  PluginServer.start(corefile.replace(':1053', ':0'), { cwd: folder.path });

describe('docs/PLUGINS.md', () => {
  it('has the files that are tried here', () =>
    expect([...files.keys()]).toEqual([
      'names.js',
      'Corefile',
      'greet.js',
      'greet.Corefile',
      'table.js',
      'table.Corefile',
      'http.js',
      'timer.js',
      'typed.ts',
      'names.test.js',
    ]));

  it('links to files that exist', () =>
    expect(
      [...PAGE.matchAll(/\]\((?!http)([^)]+)\)/g)]
        .map(([, link]) => link!)
        .filter((link) => !existsSync(path.join(ROOT, 'docs', link))),
    ).toEqual([]));

  it.each(['Corefile', 'table.Corefile'])('%s serves', async (name) => {
    const server = await start(files.get(name)!);
    expect(await server.ask('printer.home.')).toBe('NOERROR | printer.home. 60 IN A 192.168.1.9');
    await server.server.stop();
  });

  it('greet.Corefile is refused in the words of the page, and serves once it is right', async () => {
    const said = /refused on purpose: `greet\.Corefile(:[^`]+)`/.exec(PAGE)![1]!.replace(/\s+/g, ' ');
    await expect(start(files.get('greet.Corefile')!)).rejects.toThrow(`Corefile${said}`);
    const server = await start(files.get('greet.Corefile')!.replace('5m', '300'));
    expect(await server.ask('x.example.org.', 'TXT')).toBe('NOERROR | x.example.org. 300 IN TXT "hello there"');
    await server.server.stop();
  });

  it('http.js takes names over HTTP', async () => {
    let port = 0;
    const network = new HostNetwork();
    const listenTcp = network.listenTcp.bind(network);
    network.listenTcp = async (at, onConnection) => {
      const listener = await listenTcp(at, onConnection);
      if (at.address === '127.0.0.1') port = listener.local.port;
      return listener;
    };
    const server = await PluginServer.start('plugin ./http.js\n.:0 {\n bind 127.0.0.2\n upload 127.0.0.1:0\n}\n', {
      cwd: folder.path,
      network,
    });
    await server.server.listen();
    const url = `http://127.0.0.1:${port}/names?name=a.home`;
    const put = async (body: string): Promise<number> => (await fetch(url, { method: 'PUT', body })).status;
    expect([(await fetch(url)).status, await put('x'.repeat(65)), await put('192.0.2.5')]).toEqual([405, 413, 204]);
    expect(await server.ask('A.home.')).toBe('NOERROR | a.home. 5 IN A 192.0.2.5');
    await server.server.stop();
  });

  it('timer.js leaves nothing behind', async () => {
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const server = await start('plugin ./timer.js\n. {\n timer\n whoami\n}\n');
    await server.server.stop();
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBeLessThanOrEqual(before);
  });

  it('typed.ts serves once it is compiled', async () => {
    const { outputText } = ts.transpileModule(files.get('typed.ts')!, {
      compilerOptions: { module: ts.ModuleKind.ESNext },
    });
    folder.write('typed.js', outputText.replace(/^import .*$/m, 'const definePlugin = (plugin) => plugin;'));
    const server = await start('plugin ./typed.js\n. {\n typed 192.0.2.7\n}\n');
    expect(await server.ask('x.')).toBe('NOERROR | x. 0 IN A 192.0.2.7');
    await server.server.stop();
  });

  it('names.test.js is of this package: its imports are there', async () => {
    const { exports } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      exports: Record<string, unknown>;
    };
    const wanted = [...[...files.values()].join('\n').matchAll(/from 'nodens(\/\w+)?'/g)].map(
      ([, part]) => `.${part ?? ''}`,
    );
    expect(wanted.filter((name) => exports[name] === undefined)).toEqual([]);
    expect(await nodeImport(pathToFileURL(path.join(folder.path, 'names.js')).href)).toHaveProperty(
      'default.name',
      'names',
    );
  });
});
