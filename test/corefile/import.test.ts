import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostLoadOptions, parseCorefile } from '../../src/corefile/load.js';
import type { Corefile } from '../../src/corefile/load.js';
import type { CorefileEntry } from '../../src/corefile/entry.js';
import { TokenStream } from '../../src/corefile/stream.js';
import type { Token } from '../../src/corefile/token.js';
import { memoryFiles, messageOf } from './memory-files.js';

const show = (entry: CorefileEntry): string =>
  [entry.name, ...entry.args, ...(entry.options ? ['{', entry.options.map(show).join('; '), '}'] : [])].join(' ');
const lines = (corefile: Corefile): string[] =>
  corefile.blocks.map(
    (block) => `${block.keys.map((key) => key.zone).join(' ')} | ${block.directives.map(show).join(' | ')}`,
  );

const FILES = {
  '/etc/dns/common.conf': 'errors\ncache 30\n',
  '/etc/dns/zones/a.conf': 'a.org {\n  import ../common.conf\n}\n',
  '/etc/dns/zones/b.conf': 'b.org {\n  whoami\n}\n',
  '/etc/dns/deep/c.conf': 'c.org {\n  import beside.conf\n}\n',
  '/etc/dns/deep/beside.conf': 'errors\ncache 60\n',
  '/etc/dns/beside.conf': 'log\n',
  '/etc/dns/snippets.conf': '(base) {\n  log\n}\n',
  '/etc/dns/open.conf': 'a.org {\n  log\n',
  '/etc/dns/options.conf': 'max_fails 3\nexpire 10s',
  '/etc/dns/args.conf': 'cache {args[0]}\n',
  '/etc/dns/second.conf': '\ncache {args[1]}\n',
  '/etc/dns/empty.conf': '# nothing\n',
  '/etc/dns/self.conf': 'import self.conf\n',
  '/etc/dns/ping.conf': 'import sub/pong.conf\n',
  '/etc/dns/sub/pong.conf': 'import ../ping.conf\n',
  '/etc/dns/bad.conf': 'log\n"',
  '/etc/dns/far.conf': 'b.org:99999 {\n}\n',
  '/etc/dns/[left.conf': 'log\n',
  '/etc/dns/right].conf': 'errors\n',
  '/etc/dns/plugins.conf': 'plugin ./b.js\n',
};
const load = (text: string, env = {}): Corefile => parseCorefile({ name: 'Corefile', text }, memoryFiles(FILES, env));

describe('import', () => {
  it.each([
    { name: 'a file', text: '. {\n import common.conf\n log\n}', want: ['. | errors | cache 30 | log'] },
    { name: 'an absolute path', text: '. {\n import /etc/dns/common.conf\n}', want: ['. | errors | cache 30'] },
    { name: 'a file of server blocks', text: 'import zones/b.conf\n. {\n}', want: ['b.org. | whoami', '. | '] },
    { name: 'a path of the importing file', text: 'import zones/a.conf', want: ['a.org. | errors | cache 30'] },
    {
      name: 'a path of an importing file in another folder',
      text: 'import deep/c.conf',
      want: ['c.org. | errors | cache 60'],
    },
    { name: 'a pattern', text: 'import zones/*.conf', want: ['a.org. | errors | cache 30', 'b.org. | whoami'] },
    { name: 'a pattern with ?', text: 'import zones/?.conf', want: ['a.org. | errors | cache 30', 'b.org. | whoami'] },
    { name: 'a pattern that matches nothing', text: '. {\n import none/*\n log\n}', want: ['. | log'] },
    { name: 'half of a block', text: 'import open.conf\n errors\n}', want: ['a.org. | log | errors'] },
    {
      name: 'inside a directive',
      text: '. {\n forward . 1.1.1.1 {\n import options.conf\n  next NXDOMAIN\n }\n}',
      want: ['. | forward . 1.1.1.1 { max_fails 3; expire 10s; next NXDOMAIN }'],
    },
    { name: 'a bracket alone', text: '. {\n import [left.conf\n import right].conf\n}', want: ['. | log | errors'] },
    { name: 'an empty file alone', text: 'import empty.conf', want: [] },
    {
      name: 'a name from the environment',
      text: 'import {$NAME}.conf\n',
      env: { NAME: 'zones/b' },
      want: ['b.org. | whoami'],
    },
    {
      name: 'the same file twice',
      text: '. {\n import common.conf\n import common.conf\n}',
      want: ['. | errors | cache 30 | errors | cache 30'],
    },
    { name: 'import as an argument', text: '. {\n log import\n}', want: ['. | log import'] },
    { name: 'import as a second key', text: 'a.org import {\n}', want: ['a.org. import. | '] },
    { name: 'a file with arguments', text: '. {\n import args.conf 17\n}', want: ['. | cache 17'] },
    {
      name: 'a file with no arguments, word for word',
      text: '. {\n import args.conf\n}',
      want: ['. | cache {args[0]}'],
    },
  ])('$name', ({ text, env, want }) => expect(lines(load(text, env))).toEqual(want));

  it('lists the files that were read, once each, and where a pattern matched nothing', () => {
    const corefile = load('import zones/*.conf\n. {\n import common.conf\n\n import none/*\n}');
    expect(corefile.files).toEqual(['/etc/dns/zones/a.conf', '/etc/dns/zones/b.conf', '/etc/dns/common.conf']);
    expect(corefile.warnings).toEqual(["Corefile:5: import: no file matches 'none/*'"]);
  });

  it('reads a file once', () => {
    const read: string[] = [];
    const files = memoryFiles(FILES);
    const readFile = (path: string): string => {
      read.push(path);
      return files.readFile(path);
    };
    parseCorefile(
      { name: 'Corefile', text: '. {\n import common.conf\n import common.conf\n}' },
      { ...files, readFile },
    );
    expect(read).toEqual(['/etc/dns/common.conf']);
  });

  it('has plugins load from beside the file that names them', () =>
    expect(load('plugin ./a.js\nimport plugins.conf').plugins).toMatchObject([
      { source: './a.js', from: 'Corefile', line: 1 },
      { source: './b.js', from: '/etc/dns/plugins.conf', line: 1 },
    ]));

  it('tells what is wrong file by file', () =>
    expect(
      messageOf(() =>
        parseCorefile(
          { name: 'Corefile', text: 'a.org:99999 {\n}\nimport far.conf\n. {\n nosuch\n}' },
          { ...memoryFiles(FILES), directives: ['log'] },
        ),
      ).match(/^\S+:\d+/gm),
    ).toEqual(['Corefile:1', 'Corefile:5', '/etc/dns/far.conf:1']));

  it('carries file and line', () => {
    const [block] = load('import zones/a.conf').blocks;
    expect(block).toMatchObject({
      file: '/etc/dns/zones/a.conf',
      line: 1,
      directives: [
        { file: '/etc/dns/common.conf', line: 1 },
        { file: '/etc/dns/common.conf', line: 2 },
      ],
    });
  });

  it('counts relative paths from the folder of the Corefile', () => {
    const corefile = parseCorefile({ name: 'zones/main', text: '. {\n import ../common.conf\n}' }, memoryFiles(FILES));
    expect(lines(corefile)).toEqual(['. | errors | cache 30']);
  });

  it.each([
    {
      name: 'nothing',
      text: '. {\n import\n}',
      want: 'Corefile:2: import: got no argument, allowed: a file, a pattern with *, or the name of a snippet, then its arguments',
    },
    {
      name: 'an empty name',
      text: '. {\n import {$NONE}\n}',
      want: 'Corefile:2: import: got an empty name, allowed: a file, a pattern with *, or the name of a snippet',
    },
    {
      name: 'what is not there',
      text: '. {\n import nosuchsnippet\n}',
      want: "Corefile:2: import: no snippet named 'nosuchsnippet' is defined before this line, and there is no file '/etc/dns/nosuchsnippet'",
    },
    {
      name: 'a misspelt snippet',
      text: '(base) {\n}\n. {\n import bass\n}',
      want: "Corefile:4: import: no snippet named 'bass' is defined before this line, and there is no file '/etc/dns/bass'; did you mean 'base'?",
    },
    {
      name: 'a snippet defined later',
      text: '. {\n import base\n}\n(base) {\n}',
      want: "Corefile:2: import: no snippet named 'base' is defined before this line, and there is no file '/etc/dns/base'",
    },
    {
      name: 'two wildcards',
      text: 'import */*.conf',
      want: "Corefile:1: import: got '*/*.conf', allowed: at most one * and one ? in the whole path '/etc/dns/*/*.conf', and no [ ]",
    },
    {
      name: 'a character class',
      text: 'import [a-z].conf',
      want: "Corefile:1: import: got '[a-z].conf', allowed: at most one * and one ? in the whole path '/etc/dns/[a-z].conf', and no [ ]",
    },
    {
      name: 'with a brace behind',
      text: 'import common.conf {',
      want: "Corefile:1: import: unexpected '{': an import stands on a line of its own",
    },
    { name: 'a path with NUL', text: 'import a\0b', want: 'Corefile:1: import: a path cannot hold a NUL character' },
    {
      name: 'itself',
      text: 'import self.conf',
      want: '/etc/dns/self.conf:1: import: cycle: /etc/dns/self.conf -> /etc/dns/self.conf (imported at Corefile:1)',
    },
    {
      name: 'in a circle',
      text: '\nimport ping.conf',
      want: '/etc/dns/sub/pong.conf:1: import: cycle: /etc/dns/ping.conf -> /etc/dns/sub/pong.conf -> /etc/dns/ping.conf (imported at /etc/dns/ping.conf:1)',
    },
    {
      name: 'a file with an open quote',
      text: 'import bad.conf',
      want: `/etc/dns/bad.conf:2: the quote opened on line 2 is never closed: expected '"', got the end of the file`,
    },
    {
      name: 'a file with one argument too few',
      text: '. {\n import second.conf 30\n}',
      want: "/etc/dns/second.conf:2: got '{args[1]}', but the import gives one argument: {args[0]} (imported at Corefile:2)",
    },
    {
      name: 'a variable that names itself',
      text: 'import {$SELF}',
      env: { SELF: '{$SELF}' },
      want: "Corefile:1: import: the value of environment variable 'SELF' leads back to itself or is too long",
    },
  ])('refuses to import $name', ({ text, env, want }) => expect(messageOf(() => load(text, env))).toBe(want));

  it('passes on why a file cannot be read', () => {
    const options = {
      ...memoryFiles({}),
      readFile: () => {
        throw Object.assign(new Error('permission denied'), { code: 'EACCES' });
      },
    };
    expect(messageOf(() => parseCorefile({ name: 'Corefile', text: 'import x' }, options))).toBe(
      "Corefile:1: import: cannot read '/etc/dns/x': permission denied",
    );
  });

  it('has no files without options', () => {
    expect(messageOf(() => parseCorefile({ name: 'Corefile', text: 'import x' }))).toMatch(
      /^Corefile:1: import: no snippet named 'x'/,
    );
    expect(parseCorefile({ name: 'Corefile', text: 'import *' }).warnings).toEqual([
      "Corefile:1: import: no file matches '*'",
    ]);
  });

  it('takes at most 10000 imports', () => {
    const text = `(a) {\n}\n. {\n${'import a\n'.repeat(10_001)}}`;
    expect(messageOf(() => load(text))).toBe('Corefile:10004: import: more than 10000 imports');
  });

  it('takes at most a million words', () => {
    const snippets = Array.from(
      { length: 21 },
      (_, i) =>
        `(s${i}) {\n${i === 0 ? 'log\n' : `import s${i - 1} ${'x '.repeat(100)}\nlog ${'x '.repeat(2000)}\nimport s${i - 1}`}\n}\n`,
    ).join('');
    expect(messageOf(() => load(`${snippets}. {\nimport s20\n}`))).toMatch(
      /^Corefile:\d+: more than 1000000 words after all imports \(imported at Corefile:\d+\)$/,
    );
  });
});

describe('TokenStream', () => {
  const words = (count: number): Token[] =>
    Array<Token>(count).fill({ text: 'x', quoted: false, file: 'f', path: '', line: 3, endLine: 3, via: undefined });

  it.each([
    { first: 999_999, then: 1 },
    { first: 1_000_000, then: 0 },
  ])('takes $first and $then words, and not one more', ({ first, then }) => {
    const stream = new TokenStream(words(first));
    stream.insert(words(then));
    expect(messageOf(() => stream.insert(words(1)))).toBe('f:3: more than 1000000 words after all imports');
  });
});

describe('snippets', () => {
  it.each([
    {
      name: 'put in place',
      text: '(base) {\n errors\n log\n}\n. {\n import base\n whoami\n}',
      want: ['. | errors | log | whoami'],
    },
    {
      name: 'two on adjacent lines, the later defined first',
      text: '(a) {\n log\n}\n(b) {\n errors\n}\n. {\n import b\n import a\n}',
      want: ['. | errors | log'],
    },
    {
      name: 'one in another',
      text: '(a) {\n log\n}\n(b) {\n import a\n errors\n}\n. {\n import b\n}',
      want: ['. | log | errors'],
    },
    { name: 'from a file', text: 'import snippets.conf\n. {\n import base\n}', want: ['. | log'] },
    { name: 'empty', text: '(a) {\n}\n. {\n import a\n}', want: ['. | '] },
    {
      name: 'blocks inside',
      text: '(a) {\n health {\n  lameduck 5s\n }\n}\n. {\n import a\n}',
      want: ['. | health { lameduck 5s }'],
    },
    { name: 'whole server blocks', text: '(a) {\n a.org {\n  log\n }\n}\nimport a\n', want: ['a.org. | log'] },
    { name: 'never imported', text: '(a) {\n log\n}\n', want: [] },
    {
      name: 'an environment variable inside',
      text: '(a) {\n cache {$TTL}\n}\n. {\n import a\n}',
      env: { TTL: '5' },
      want: ['. | cache 5'],
    },
    {
      name: 'a snippet before a file of its name',
      text: '(common.conf) {\n log\n}\n. {\n import common.conf\n}',
      want: ['. | log'],
    },
    {
      name: 'arguments',
      text: '(a) {\n cache {args[0]} {args[1]}.org\n}\n. {\n import a 30 b\n}',
      want: ['. | cache 30 b.org'],
    },
    {
      name: 'all arguments',
      text: '(a) {\n forward . {args[:]}\n}\n. {\n import a 1.1.1.1 8.8.8.8\n}',
      want: ['. | forward . 1.1.1.1 8.8.8.8'],
    },
    {
      name: 'ranges of arguments',
      text: '(a) {\n log {args[1:]} x {args[:2]} x {args[1:2]} x {args[3:]}\n}\n. {\n import a 1 2 3\n}',
      want: ['. | log 2 3 x 1 2 x 2 x'],
    },
    {
      name: 'arguments passed on',
      text: '(a) {\n cache {args[0]}\n}\n(b) {\n import a {args[1]}\n}\n. {\n import b 1 2\n}',
      want: ['. | cache 2'],
    },
    {
      name: 'arguments from the environment',
      text: '(a) {\n cache {args[0]}\n}\n. {\n import a {$TTL}\n}',
      env: { TTL: '7' },
      want: ['. | cache 7'],
    },
    {
      name: 'an argument is no syntax',
      text: '(a) {\n log {args[0]} x\n}\n. {\n import a "{"\n}',
      want: ['. | log { x'],
    },
  ])('$name', ({ text, env, want }) => expect(lines(load(text, env))).toEqual(want));

  it.each([
    {
      name: 'defined twice',
      text: '(a) {\n}\n\n(a) {\n}',
      want: "Corefile:4: snippet '(a)' is already defined at Corefile:1",
    },
    { name: 'without a block', text: '(a)\nlog', want: "Corefile:1: snippet '(a)' has no block, allowed: (a) { ... }" },
    { name: 'alone at the end', text: '(a)', want: "Corefile:1: snippet '(a)' has no block, allowed: (a) { ... }" },
    {
      name: 'never closed',
      text: '(a) {\n log {\n }\n',
      want: "Corefile:3: snippet '(a)': expected the '}' for the '{' opened at Corefile:1, got the end of the file",
    },
    {
      name: 'in itself',
      text: '(a) {\n import a\n}\n. {\n import a\n}',
      want: 'Corefile:2: import: cycle: (a) -> (a) (imported at Corefile:5)',
    },
    {
      name: 'inside a server block',
      text: '. {\n (a) {\n }\n}',
      want: "Corefile:2: got snippet '(a)' inside a server block, allowed: directives; snippets are defined outside",
    },
    {
      name: 'without its arguments',
      text: '(a) {\n cache {args[0]}\n}\n. {\n import a\n}',
      want: "Corefile:2: got '{args[0]}', but the import gives no arguments (imported at Corefile:5)",
    },
    {
      name: 'with one argument too few',
      text: '(a) {\n cache x{args[1]}\n}\n. {\n import a 1\n}',
      want: "Corefile:2: got '{args[1]}', but the import gives one argument: {args[0]} (imported at Corefile:5)",
    },
    {
      name: 'with a range past the end',
      text: '(a) {\n cache {args[1:3]}\n}\n. {\n import a 1 2\n}',
      want: "Corefile:2: got '{args[1:3]}', but the import gives 2 arguments: {args[0]} to {args[1]} (imported at Corefile:5)",
    },
    {
      name: 'with half of a range inside a word',
      text: '(a) {\n cache x{args[1:]}\n}\n. {\n import a 1 2\n}',
      want: "Corefile:2: got '{args[1:]}' inside a word, allowed: {args[NUMBER]}; a range of arguments must be a word of its own (imported at Corefile:5)",
    },
    {
      name: 'with an argument of no number',
      text: '(a) {\n cache x{args[]}\n}\n. {\n import a 1 2\n}',
      want: "Corefile:2: got '{args[]}' inside a word, allowed: {args[NUMBER]}; a range of arguments must be a word of its own (imported at Corefile:5)",
    },
    {
      name: 'with a range inside a word',
      text: '(a) {\n cache x{args[:]}\n}\n. {\n import a 1 2\n}',
      want: "Corefile:2: got '{args[:]}' inside a word, allowed: {args[NUMBER]}; a range of arguments must be a word of its own (imported at Corefile:5)",
    },
  ])('refuses a snippet $name', ({ text, want }) => expect(messageOf(() => load(text))).toBe(want));
});

describe('hostLoadOptions', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'corefile-'));
    mkdirSync(join(folder, 'zones (1)', 'sub.conf'), { recursive: true });
    for (const name of ['b.conf', 'a.conf', '.c.conf', 'd.txt'])
      writeFileSync(join(folder, 'zones (1)', name), `# é\nlog ${name}\n`);
    writeFileSync(join(folder, 'zones (1)', 'sub.conf', 'e.conf'), 'log e.conf\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const read = (pattern: string): Corefile =>
    parseCorefile({ name: 'Corefile', text: `. {\n import "${pattern}"\n}` }, hostLoadOptions({}, folder));

  it('matches files in order, hidden ones too, folders not', () => {
    const corefile = read('zones (1)/*.conf');
    expect(lines(corefile)).toEqual(['. | log .c.conf | log a.conf | log b.conf']);
    expect(corefile.files).toEqual(['.c.conf', 'a.conf', 'b.conf'].map((name) => join(folder, 'zones (1)', name)));
  });
  it('matches one character', () => expect(lines(read('zones (1)/?.conf'))).toEqual(['. | log a.conf | log b.conf']));
  it('reads one file', () => expect(lines(read('zones (1)/d.txt'))).toEqual(['. | log d.txt']));
  it('refuses a missing file', () =>
    expect(messageOf(() => read('none.conf'))).toContain(`there is no file '${join(folder, 'none.conf')}'`));
  it('refuses a folder', () =>
    expect(messageOf(() => read('zones (1)'))).toMatch(/^Corefile:2: import: cannot read '.*zones \(1\)': EISDIR/));
});
