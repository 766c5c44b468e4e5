import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';

const HELPER = path.resolve(import.meta.dirname, '../../scripts/compile-cache.cjs');
const PLACE = `cache/${process.version}-${process.arch}`;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-compiled-'));
  copyFileSync(HELPER, path.join(dir, 'compile-cache.cjs'));
  write(
    'start.cjs',
    "require('./compile-cache.cjs').keepCompiled(__dirname, __dirname + '/cache');\nrequire('./main.cjs');\n",
  );
  write('part.cjs', 'module.exports = (n) => n + 1;\n');
  write('import.cjs', 'module.exports = (url) => import(url);\n');
  write('plugin.mjs', 'export const two = 2;\n');
  write(
    'main.cjs',
    "const part = require('./part.cjs');\nrequire('./import.cjs')(__dirname + '/plugin.mjs').then(({ two }) => console.log(part(two), __filename, module.id));\n",
  );
});

const write = (name: string, text: string): void => writeFileSync(path.join(dir, name), text);
const run = (): string => execFileSync(process.execPath, [path.join(dir, 'start.cjs')], { encoding: 'utf8' });
const kept = (name: string): string => path.join(dir, PLACE, name);

describe('what V8 made of the program', () => {
  const said = (): string => `3 ${path.join(dir, 'main.cjs')} ${path.join(dir, 'main.cjs')}\n`;

  it('is kept for the next start, which takes it as it is', () => {
    expect(run()).toBe(said());
    expect(readdirSync(path.join(dir, PLACE)).sort()).toEqual(['main.cjs', 'part.cjs']);
    const first = readFileSync(kept('part.cjs'));
    expect(run()).toBe(said());
    expect(readFileSync(kept('part.cjs')).equals(first)).toBe(true);
  });

  it('is taken by a program that sets flags of V8 on its way, as the server does', () => {
    const source = readFileSync(path.resolve(import.meta.dirname, '../../src/cli/engine.ts'), 'utf8');
    const flags = [...source.matchAll(/setFlagsFromString\([`'](--[^`']+)[`']\)/g)].map(([, flag]) =>
      flag!.replace(/\$\{\w+\}/, '33'),
    );
    expect(flags.length).toBeGreaterThan(3);
    const set = flags.map((flag) => `require('node:v8').setFlagsFromString('${flag}');\n`);
    // Some before a part is loaded, some after that.
    write('main.cjs', `${set[0]}require('./part.cjs');\n${set.slice(1).join('')}require('./other.cjs');\n`);
    write('other.cjs', 'module.exports = (n) => n + 2;\n');
    const files = (): number[] => ['main.cjs', 'part.cjs', 'other.cjs'].map((name) => statSync(kept(name)).ino);
    run();
    const first = files();
    run();
    // What is made anew is another file.
    expect(files()).toEqual(first);
  });

  it('is kept when that is asked for, by a program that is killed later', () => {
    write(
      'start.cjs',
      "const keep = require('./compile-cache.cjs').keepCompiled(__dirname, __dirname + '/cache');\n" +
        "require('./part.cjs');\nkeep();\nprocess.kill(process.pid, 'SIGKILL');\n",
    );
    expect(run).toThrow('Command failed');
    expect(readdirSync(path.join(dir, PLACE))).toEqual(['part.cjs']);
  });

  const bad = [
    { name: 'what is no data of V8', data: Buffer.from('nonsense') },
    { name: 'an empty file', data: Buffer.alloc(0) },
  ];
  it.each(bad)('is made anew for $name', ({ data }) => {
    mkdirSync(path.join(dir, PLACE), { recursive: true });
    writeFileSync(kept('part.cjs'), data);
    expect(run()).toBe(said());
    expect(readFileSync(kept('part.cjs')).length).toBeGreaterThan(100);
  });

  it('is made anew for a file that has changed', () => {
    run();
    write('part.cjs', 'module.exports = (n) => n + 1 + 1000000;\n');
    expect(run()).toBe(said().replace('3', '1000003'));
    expect(run()).toBe(said().replace('3', '1000003'));
  });

  it('is not kept where there is no place for it', () => {
    write('cache', 'a file stands where the folder would');
    expect(run()).toBe(said());
    expect(existsSync(kept('part.cjs'))).toBe(false);
  });
});
