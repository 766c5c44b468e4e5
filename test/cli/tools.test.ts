import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TOOLS } from '../../src/cli/tools.js';
import { PROGRAM, Program } from '../support/program.js';

const [NODE = '', ...MAIN] = PROGRAM;
const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(NODE, [...MAIN, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
};
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

describe('each tool', () => {
  const help = run('help').stdout;
  it.each(TOOLS)('$name stands in help, has a page, and the page names its flags', ({ name, page, flags }) => {
    expect(help).toContain(`  ${name} `);
    const file = path.resolve(import.meta.dirname, '../../docs', page);
    expect(existsSync(file)).toBe(true);
    const text = readFileSync(file, 'utf8');
    expect(flags.filter((flag) => !new RegExp(`-${flag.name}\\b`).test(text)).map((flag) => flag.name)).toEqual([]);
  });
  it.each(TOOLS)('$name --help and help $name say the same', ({ name }) => {
    const said = run(name, '--help');
    expect(said).toEqual(run('help', name));
    expect(said).toMatchObject({ status: 0, stderr: '' });
  });
  it.each(TOOLS)('$name refuses a flag that it does not have', ({ name }) =>
    expect(run(name, '-nosuch')).toEqual({
      status: 2,
      stdout: '',
      stderr: `nodens ${name}: flag provided but not defined: -nosuch; nodens ${name} --help tells more\n`,
    }),
  );
});

describe('check', () => {
  it.each([
    { name: 'a file that is not there', args: ['nosuch'], status: 2, stderr: /cannot read .*nosuch \(ENOENT\)/ },
    {
      name: 'another form',
      args: ['-o', 'xml'],
      status: 2,
      stderr: /-o: got 'xml', allowed: text, json, sarif, github/,
    },
    { name: 'another use', args: ['-as', 'proxy'], status: 2, stderr: /-as: got 'proxy', allowed: server, node-cache/ },
    { name: 'the sample', args: ['corefiles/cluster.Corefile', '-o', 'json'], status: 0, stderr: /^$/ },
  ])('$name ends with $status', ({ args, status, stderr }) => {
    const got = run('check', ...args);
    expect(got.stderr).toMatch(stderr);
    expect(got.status).toBe(status);
  });
});

describe('completion', () => {
  // A file called as a command is, which must not be offered beside it.
  const folder = mkdtempSync(path.join(tmpdir(), 'nodens-completion-'));
  writeFileSync(path.join(folder, 'check'), '');
  writeFileSync(path.join(folder, 'Corefile'), '');
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const bash = (line: string): string[] => {
    const words = line.split(' ');
    const script = `${run('completion', 'bash').stdout}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _nodens; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8', cwd: folder }).trim().split('\n');
  };
  it.each([
    { line: 'nodens ch', want: ['check'] },
    { line: 'nodens check -h', want: ['-hints'] },
    { line: 'nodens completion z', want: ['zsh'] },
    { line: 'nodens check Core', want: ['Corefile'] },
    { line: 'nodens check ch', want: ['check'] },
  ])('bash completes "$line"', ({ line, want }) => expect(bash(line)).toEqual(want));

  if (!has('zsh')) console.log('test/cli/tools: zsh is not installed; its row is skipped');
  it.skipIf(!has('zsh'))('zsh takes its script', () => {
    const script = 'autoload -Uz compinit; compinit -u; source <(cat); print $_comps[nodens]';
    const input = run('completion', 'zsh').stdout;
    expect(execFileSync('zsh', ['-fc', script], { encoding: 'utf8', input })).toBe('_nodens\n');
  });
  it('another shell is refused', () =>
    expect(run('completion', 'fish')).toMatchObject({ status: 1, stderr: 'usage: nodens completion bash|zsh\n' }));
});

describe('a program', () => {
  it('tells a fault that it expects in its words alone', () =>
    expect(run('plugin', '/nowhere/plugin.mjs')).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^.*\/nowhere\/plugin\.mjs.*\n$/) as string,
    }));

  it('serves the sample, and says what to try', async () => {
    const server = new Program([...PROGRAM, 'start'], { NODENS_PORT: '0' });
    await server.said(/dig @127\.0\.0\.1 -p 0 hello\.nodens\.test\n/);
    expect(server.text).toMatch(/nodens-\d/);
    expect(await server.stop()).toBe(0);
  });
});
