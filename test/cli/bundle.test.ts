import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Program, PROGRAM } from '../support/program.js';

let dir: string;
beforeEach(() => (dir = mkdtempSync(path.join(os.tmpdir(), 'nodens-bundle-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Names of the files that the program has loaded when it ends, without what tells chunks of one name apart. */
function loaded(...args: readonly string[]): string[] {
  const [node = '', main = ''] = PROGRAM;
  const code = `
    process.on('exit', () => process.stderr.write(JSON.stringify(Object.keys(require.cache))));
    process.argv.splice(1, 0, ${JSON.stringify(main)});
    require(process.argv[1]);`;
  const { stderr } = spawnSync(node, ['-e', code, '--', ...args], { encoding: 'utf8' });
  return (JSON.parse(stderr) as string[]).map((file) => path.basename(file).replace(/-[A-Z0-9]{8}\.cjs$/, '.cjs'));
}

describe('the bundle', () => {
  it('loads next to nothing to say its version', () => {
    const files = loaded('-version');
    expect(files).toContain('main.cjs');
    expect(files.filter((file) => !/^(?:(?:main|chunk|compile-cache)\.cjs|nodens)$/.test(file))).toEqual([]);
  });

  it('loads neither lab nor node cache to serve, and no package that is not needed yet', () =>
    expect(loaded('-plugins').filter((file) => /^(lab|node-cache|yaml|re2js|prom-client|koffi)\b/.test(file))).toEqual(
      [],
    ));

  it('imports files by a pattern', async () => {
    writeFileSync(path.join(dir, 'a.part'), 'whoami\n');
    writeFileSync(path.join(dir, 'Corefile'), '.:0 {\n    bind 127.0.0.1\n    import *.part\n}\n');
    const program = new Program([...PROGRAM, '-conf', 'Corefile'], {}, dir);
    try {
      await program.said(/^nodens-/m);
    } finally {
      program.child.kill('SIGKILL');
    }
  });

  it('loads a plugin that is an ES module', async () => {
    writeFileSync(path.join(dir, 'quiet.mjs'), "export default { name: 'quiet', api: 1, setup: () => undefined };\n");
    writeFileSync(
      path.join(dir, 'Corefile'),
      'plugin ./quiet.mjs\n.:0 {\n    bind 127.0.0.1\n    quiet\n    whoami\n}\n',
    );
    const program = new Program([...PROGRAM, '-conf', 'Corefile'], {}, dir);
    try {
      await program.said(/^nodens-/m);
    } finally {
      program.child.kill('SIGKILL');
    }
  });
});
