import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packageFile, readTree, treeHash } from '../../src/plugin-api/plugin-files.js';
import { Folder } from './support.js';

const folder = new Folder();
afterAll(() => folder.remove());
const names = (main: string): string[] => [...readTree(main).keys()].map((file) => path.relative(folder.path, file));

describe('the files of a plugin', () => {
  it('are its main file and what that imports from its own tree, each once', () => {
    const main = folder.write(
      'a/main.js',
      "import './b.js';\nimport x from '../c.json';\nimport './none.js';\nimport 'fs';",
    );
    folder.write('a/b.js', "require('./main'); import('./sub?x=1');");
    folder.write('c.json', '{ "import": "./d.js" }');
    folder.write('a/sub/index.js', '');
    expect(names(main)).toEqual(['a/main.js', 'a/b.js', 'c.json', 'a/sub/index.js']);
    const before = treeHash(readTree(main));
    expect(before).toMatch(/^[0-9a-f]{32}$/);
    folder.write('a/sub/index.js', ' ');
    expect(treeHash(readTree(main))).not.toBe(before);
  });

  it('are two hundred at the most', () => {
    const all = Array.from({ length: 210 }, (_, i) => `m${i}.js`);
    for (const name of all) folder.write(`many/${name}`, '');
    const main = folder.write('many/main.js', all.map((name) => `import './${name}';`).join('\n'));
    expect(names(main)).toHaveLength(200);
  });
});

describe('the main file of a package', () => {
  const pack = (at: string, exports: unknown): void => {
    folder.write(`${at}/package.json`, JSON.stringify({ name: 'x', exports }));
    folder.write(`${at}/main.js`, '');
  };
  const from = path.join(folder.path, 'up/down');

  it('for import only is found above too', () => {
    pack('node_modules/only-import', { '.': { types: './x.d.ts', import: './main.js' } });
    expect(packageFile('only-import', from)).toBe(path.join(folder.path, 'node_modules/only-import/main.js'));
  });

  it('is none where the package gives none, or there is no such package', () => {
    pack('node_modules/parts-only', { './part': './main.js' });
    pack('node_modules/gone', { import: './gone.js' });
    for (const name of ['parts-only', 'gone', 'nodens-no-such-package'])
      expect(packageFile(name, from)).toBeUndefined();
  });
});
