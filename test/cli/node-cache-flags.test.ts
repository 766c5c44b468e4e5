import { describe, expect, it } from 'vitest';
import { completion } from '../../src/cli/completion.js';
import { nodeCache } from '../../src/cli/node-cache.js';
import { callOf } from '../../src/cli/tool.js';
import { TOOLS } from '../../src/cli/tools.js';
import { toldOnStderr, toldOnStdout } from '../support/told.js';

const [said, shown] = [toldOnStderr(), toldOnStdout()];

describe('nodens node-cache', () => {
  it.each(['-h', '--help', 'help'])('%s shows its flags', async (word) => {
    expect([await nodeCache(['-localip', 'x', word], {}), said()]).toEqual([0, '']);
    expect(shown()).toMatch(/^ {2}-localip string\n/m);
  });

  it.each([
    {
      args: ['-nosuch'],
      code: 2,
      tells: /\nflag provided but not defined: -nosuch\nUsage of [^]*^ {2}-localip string$/m,
    },
    { args: ['-localip', 'x'], code: 1, tells: /Error parsing flags - .*, Exiting\n$/ },
    { args: ['-localip', '-h'], code: 1, tells: /invalid localip specified - "-h", Exiting\n$/ },
  ])('$args ends with $code', async ({ args, code, tells }) => {
    expect([await nodeCache(args, {}), shown()]).toEqual([code, '']);
    expect(said()).toMatch(/Starting node-cache image: nodens:\S+\n/);
    expect(said()).toMatch(tells);
  });

  it.each([
    { args: ['-version'], tells: /^nodens-\d+\.\d+\.\d+\S*\n\w+\/\w+, node\d/ },
    { args: ['-plugins'], tells: /^cache$/m },
    { args: ['-localip', '169.254.20.10', '-dry-run'], tells: /^ip addr add 169\.254\.20\.10\/32 dev nodelocaldns$/m },
  ])('$args shows what is asked for, and serves nothing', async ({ args, tells }) => {
    expect([await nodeCache(args, {}), said()]).toEqual([0, '']);
    expect(shown()).toMatch(tells);
  });
});

describe('nodens completion', () => {
  it.each([
    { shell: 'bash', tells: /^complete -o filenames -F _nodens nodens$/m },
    { shell: 'zsh', tells: /^#compdef nodens\n/ },
  ])('$shell prints a script', async ({ shell, tells }) => {
    expect([await completion([shell], {}), said()]).toEqual([0, '']);
    expect(shown()).toMatch(tells);
  });

  it.each([[[]], [['fish']], [['toString']]])('%j is refused', async (args) => {
    expect([await completion(args, {}), shown(), said()]).toEqual([1, '', 'usage: nodens completion bash|zsh\n']);
  });
});

describe.each(TOOLS)('nodens $name', (tool) => {
  it.each(['-h', '--help'])('%s shows its flags, and does nothing', (word) => {
    expect([callOf(tool, ['word', word]), said()]).toEqual([0, '']);
    expect(shown()).toMatch(new RegExp(`^usage: nodens ${tool.name} \\[flags\\]`));
  });
});
