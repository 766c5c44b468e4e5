import { createHash } from 'node:crypto';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Server } from '../../src/server/server.js';
import { TestLog } from '../support/block.js';
import { Folder, PluginServer } from './support.js';

const folder = new Folder();
afterAll(() => folder.remove());

const plugin = (name: string, address: string, more = ''): string => `export default {
  name: '${name}',
  api: 1,
  ${more}
  setup: () => (query, next) =>
    query.name.startsWith('mine') ? { answers: [{ name: query.name, type: 'A', ttl: 60, data: '${address}' }] } : next(),
};
`;

let count = 0;
/** A plugin file of a name of its own. */
const file = (text: string, ending = 'mjs'): string => path.basename(folder.write(`p${count++}.${ending}`, text));
const start = (corefile: string): Promise<PluginServer> => PluginServer.start(corefile, { cwd: folder.path });

describe('the plugin statement', () => {
  it('loads a file that the Corefile names, relative to itself', async () => {
    const server = await start(`plugin ./${file(plugin('names', '192.0.2.1'))}\n. {\n names\n}\n`);
    expect(await server.ask('mine.example.')).toBe('NOERROR | mine.example. 60 IN A 192.0.2.1');
    expect(await server.ask('other.example.')).toBe('SERVFAIL');
    await server.server.stop();
  });

  it('loads a module of the older kind, and a package', async () => {
    const old = file(plugin('old', '192.0.2.2').replace('export default', 'module.exports ='), 'cjs');
    folder.write(
      'node_modules/nodens-names/package.json',
      '{ "name": "nodens-names", "type": "module", "exports": { ".": { "types": "./x.d.ts", "import": "./main.js" } } }',
    );
    folder.write('node_modules/nodens-names/main.js', plugin('packed', '192.0.2.3'));
    const server = await start(`plugin ./${old}\nplugin nodens-names\na. {\n old\n}\n. {\n packed\n}\n`);
    expect(await server.ask('mine.a.')).toBe('NOERROR | mine.a. 60 IN A 192.0.2.2');
    expect(await server.ask('mine.b.')).toBe('NOERROR | mine.b. 60 IN A 192.0.2.3');
    await server.server.stop();
  });

  it('takes a hash, and a plugin of the command line', async () => {
    const text = plugin('hashed', '192.0.2.4');
    const hash = createHash('sha256').update(text).digest('base64');
    const server = await start(`plugin ./${file(text)} sha256-${hash}\n. {\n hashed\n}\n`);
    expect(await server.ask('mine.example.')).toContain('192.0.2.4');
    await server.server.stop();
  });

  it('is a server block where a brace follows', async () => {
    const server = await start('plugin example.org {\n whoami\n}\n');
    expect(server.server.served.length).toBe(1);
    await server.server.stop();
  });
});

describe('the order of the chain', () => {
  const tagged = (
    name: string,
    more = '',
  ): string => `export default { name: '${name}', api: 1, dependsOn: 'question', ${more} setup: () => async (query, next) => {
    const reply = await next();
    return { ...reply, rcode: 'NOERROR', answers: [...reply.answers, { name: query.name, type: 'TXT', ttl: 0, data: '${name}' }] };
  } };`;
  const orders: [string, string[], string][] = [
    ['before cache where nothing is said', ['a'], 'a'],
    ['in the order of the statements at one place', ['a', 'b'], 'b a'],
    ['where the Corefile says', ['a', 'b|before a'], 'a b'],
    ['where the plugin says', ['a', `b||at: { before: 'a' },`], 'a b'],
    ['beside one that is loaded later', ['a|after b', 'b'], 'a b'],
    ['several after one', ['a|after log', 'b|after log'], 'b a'],
  ];
  it.each(orders)('%s', async (_, specs, want) => {
    const statements = specs.map((spec) => {
      const [name = '', place = '', more = ''] = spec.split('|');
      return `plugin ./${file(tagged(name, more))} ${place}`;
    });
    const names = specs.map((spec) => spec.split('|')[0]);
    const server = await start(`${statements.join('\n')}\n. {\n${names.reverse().join('\n')}\n}\n`);
    const answer = await server.ask('x.example.', 'TXT');
    expect([...answer.matchAll(/TXT "(\w)"/g)].map((match) => match[1]).join(' ')).toBe(want);
    await server.server.stop();
  });
});

describe('a plugin that cannot be loaded is refused with file and line of the Corefile', () => {
  const ok = (name: string, more = ''): string => plugin(name, '192.0.2.1', more);
  const bad: [string, () => string, string | RegExp][] = [
    [
      'a missing file',
      () => 'plugin ./none.mjs',
      `Corefile:2: plugin ./none.mjs: there is no file ${folder.path}/none.mjs`,
    ],
    [
      'a missing package',
      () => 'plugin none',
      `plugin none: there is no such package in a node_modules above ${folder.path}`,
    ],
    ['a file without ./', () => 'plugin names.js', /there is no such package in .*; a file is written \.\/names\.js/],
    [
      'something to fetch',
      () => 'plugin https://example.org/x.js',
      'expected a file (./NAME.js) or the name of an installed package; nothing is fetched',
    ],
    [
      'a syntax error',
      () => `plugin ./${file('export default {\n  name: oops oops\n}')}`,
      /Corefile:2: plugin .*: SyntaxError: Unexpected identifier 'oops' \(at p\d+\.mjs:2\)/,
    ],
    [
      'a throw at the top level',
      () => `plugin ./${file('\nthrow new Error("not today")')}`,
      /not today \(at p\d+\.mjs:2\)/,
    ],
    [
      'an import that is not there',
      () => `plugin ./${file('import "left-pad";')}`,
      /Cannot find package 'left-pad' .*; install it beside the plugin/,
    ],
    [
      'an import of nodens that is not installed',
      () => `plugin ./${file('import "nodens/plugin";')}`,
      /a plugin need not import anything, or install the package beside it/,
    ],
    [
      'no default export',
      () => `plugin ./${file('export const x = 1;')}`,
      'it exports nothing as default, expected: export default { name, api: 1, setup',
    ],
    [
      'another export',
      () => `plugin ./${file('export default () => 1;')}`,
      'it exports a function, expected: export default',
    ],
    ['an empty object', () => `plugin ./${file('export default {};')}`, 'it exports an object without name and setup'],
    ['a bad name', () => `plugin ./${file(ok('Bad Name'))}`, "name: got 'Bad Name', expected: lower-case letters"],
    [
      'no version',
      () => `plugin ./${file(ok('v').replace('api: 1,', ''))}`,
      'v wants version nothing of the interface, expected: api: 1',
    ],
    [
      'another version',
      () => `plugin ./${file(ok('v').replace('api: 1', 'api: 2'))}`,
      'v wants version 2 of the interface, expected: api: 1; it is written for a newer nodens',
    ],
    [
      'no setup',
      () => `plugin ./${file('export default { name: "v", api: 1 }')}`,
      'v: setup: got nothing, expected: a function',
    ],
    [
      'an unknown field',
      () => `plugin ./${file(ok('v', 'dependson: "question",'))}`,
      "v: got 'dependson', expected: name, api",
    ],
    [
      'a bad field',
      () => `plugin ./${file(ok('v', 'dependsOn: "nothing",'))}`,
      "v: dependsOn: got 'nothing', expected: question, client, query",
    ],
    [
      'a bad place',
      () => `plugin ./${file(ok('v', 'at: "cache",'))}`,
      "v: at: got 'cache', expected: { before: 'NAME' } or { after: 'NAME' }",
    ],
    [
      'a bad option',
      () => `plugin ./${file(ok('v', 'options: { ttl: { type: "int" } },'))}`,
      "v: options.ttl.type: got 'int', expected: integer, number",
    ],
    [
      'a name of a directive',
      () => `plugin ./${file(ok('cache'))}`,
      "the name 'cache' is taken by a directive of nodens",
    ],
    [
      'a name of another plugin',
      () => `plugin ./${file(ok('v'))}\nplugin ./${file(ok('v'))}`,
      /Corefile:3: plugin .*: the name 'v' is taken by plugin .*\(Corefile:2\), expected: another name/,
    ],
    [
      'a place that is none',
      () => `plugin ./${file(ok('v'))} before caache`,
      /'before caache': there is no such directive, expected one of: .*; did you mean 'cache'\?/,
    ],
    ['a place beside itself', () => `plugin ./${file(ok('v'))} after v`, "'after v': there is no such directive"],
    [
      'another hash',
      () => `plugin ./${file(ok('v'))} sha256-${'A'.repeat(43)}=`,
      /the file's hash is sha256-\S{43}, expected: sha256-A{43}$/,
    ],
    [
      'a hash that is none',
      () => 'plugin ./x.js sha256-abc',
      "Corefile:2: plugin: got 'sha256-abc', allowed: sha256- and the hash in base64, 43 characters",
    ],
    ['two places', () => 'plugin ./x.js before a after b', "plugin: got 'after' after 'before a', allowed: one place"],
    ['a place without a name', () => 'plugin ./x.js before', "plugin: got 'before' without a name"],
    [
      'a word too many',
      () => 'plugin ./x.js befor cache',
      "plugin: got 'befor', allowed: plugin FILE|PACKAGE [before NAME|after NAME] [sha256-HASH]; did you mean 'before'?",
    ],
  ];
  it.each(bad)('%s', async (_, text, message) => {
    const error = await start(`# comment\n${text()}\n. {\n whoami\n}\n`).then(
      () => undefined,
      (fault: Error) => fault,
    );
    expect(error?.message).toMatch(
      message instanceof RegExp ? message : new RegExp(message.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')),
    );
    expect(error).toMatchObject({ place: { file: 'Corefile' } });
  });

  const inBlock: [string, string, string, string][] = [
    ['an unknown directive', ok('v'), 'w', "Corefile:3: unknown directive 'w'; allowed: "],
    [
      'a setup that throws',
      ok('v').replace(/setup:[^]*/, 'setup() { throw new Error("no such place"); } }'),
      'v',
      'Corefile:3: v: setup: no such place',
    ],
    [
      'a setup that returns nonsense',
      ok('v').replace(/setup:[^]*/, 'setup: () => 42 }'),
      'v',
      'Corefile:3: v: setup returned 42, expected: a function (query, next)',
    ],
    [
      'a setup whose promise is rejected',
      ok('v').replace(/setup:[^]*/, 'setup: async () => { throw new Error("later"); } }'),
      'v',
      'Corefile:3: v: setup: later',
    ],
    ['an option without a schema', ok('v'), 'v {\n x\n}', 'Corefile:3: v: got a block in { }, allowed: none'],
    [
      'an argument without a schema',
      ok('v'),
      'v x',
      "Corefile:3: v: got 1 argument ('x'), allowed: no argument; usage: v",
    ],
    ['two in one block', ok('v'), 'v\nv', 'Corefile:4: v: got it a second time'],
    [
      'what it needs is missing',
      ok('v', "needs: ['forward'],"),
      'v',
      "Corefile:3: v: it needs 'forward' in the same server block",
    ],
    [
      'behind the cache, but asked every time',
      ok('v', "at: { after: 'cache' },"),
      'cache\nv',
      "Corefile:4: v: it stands after 'cache', which would give one client's answer to others",
    ],
  ];
  it.each(inBlock)('%s', async (_, text, inside, message) => {
    const error = await start(`plugin ./${file(text)}\n. {\n${inside}\n}\n`).then(
      () => undefined,
      (fault: Error) => fault,
    );
    expect(error?.message).toContain(message);
  });

  it('a TypeScript file, on a Node that does not run it', async () => {
    if ((process.features as { typescript?: unknown }).typescript) return;
    const text = `plugin ./${file('export default {}', 'ts')}\n. {\n whoami\n}\n`;
    await expect(start(text)).rejects.toThrow(
      /this Node \(.*\) does not run TypeScript: take 22\.18 or newer, or compile it .*npx tsc/,
    );
  });
});

describe('a reload', () => {
  it('takes a changed file and its imports, and keeps the old ones where they are broken', async () => {
    folder.write('live/address.mjs', "export const address = '192.0.2.1';\n");
    folder.write(
      'live/names.mjs',
      `import { address } from './address.mjs';\n${plugin('names', 'X').replace("'X'", 'address')}`,
    );
    const server = await start('plugin ./live/names.mjs\n. {\n names\n}\n');
    const digest = async (): Promise<string> => {
      await server.server.reload();
      return server.ask('mine.example.');
    };
    expect(await digest()).toContain('192.0.2.1');
    folder.write('live/address.mjs', "export const address = '192.0.2.2';\n");
    expect(await digest()).toContain('192.0.2.2');
    folder.write('live/names.mjs', 'export default { oops oops };');
    expect(await digest()).toContain('192.0.2.2');
    expect(server.lines('ERROR')).toEqual([
      "Restart failed: Corefile:1: plugin ./live/names.mjs: SyntaxError: Unexpected identifier 'oops' (at names.mjs:1)",
    ]);
    folder.write('live/names.mjs', plugin('names', '192.0.2.3'));
    expect(await digest()).toContain('192.0.2.3');
    await server.server.stop();
  });

  it('is asked for by the digest of a changed file or import', async () => {
    folder.write('digest/b.cjs', 'module.exports = 1;');
    folder.write(
      'digest/a.cjs',
      `require('./b.cjs'); ${plugin('names', '192.0.2.1').replace('export default', 'module.exports =')}`,
    );
    const server = await start('plugin ./digest/a.cjs\n. {\n names\n reload\n}\n');
    let running = '';
    const digests: string[] = [];
    const look = async (): Promise<void> => {
      await server.server.reload();
      running = server.log.lines.findLast((line) => line.includes('SHA512')) ?? running;
      digests.push(running);
    };
    await server.server.listen().catch(() => undefined);
    await look();
    await look();
    folder.write('digest/b.cjs', 'module.exports = 2;');
    await look();
    folder.write('digest/a.cjs', plugin('names', '192.0.2.2').replace('export default', 'module.exports ='));
    await look();
    expect(new Set(digests).size).toBe(3);
    expect(digests[0]).toBe(digests[1]);
    await server.server.stop();
  });
});

describe('a library', () => {
  it('takes plugins as objects, and says which one is none', async () => {
    await expect(
      Server.create({ corefile: '. {\n x\n}\n', log: new TestLog(), external: [{ name: 'x' } as never] }),
    ).rejects.toThrow('options:1: plugin plugins[0]: x wants version nothing of the interface');
  });
});
