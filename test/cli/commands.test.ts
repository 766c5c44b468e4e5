import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FLAGS } from '../../src/cli/flags.js';
import { help, OTHERS } from '../../src/cli/help.js';
import { pluginPage } from '../../src/cli/plugin-page.js';
import { parseFlags } from '../../src/lib/go-flags.js';
import { TOOLS } from '../../src/cli/tools.js';
import { toldOnStderr, toldOnStdout } from '../support/told.js';

const [said, shown] = [toldOnStderr(), toldOnStdout()];

describe('help', () => {
  it('lists all commands in columns', async () => {
    expect(await help([], {})).toBe(0);
    const lines = shown()
      .split('\n')
      .filter((line) => /^ {2}\S/.test(line));
    expect(lines).toHaveLength(TOOLS.length + OTHERS.length);
    expect(new Set(lines.map((line) => /^ {2}\S+ +/.exec(line)![0].length)).size).toBe(1);
  });

  it.each([
    { of: 'record', want: /^usage: nodens record / },
    { of: 'start', want: /^nodens start: Serves the sample Corefile/ },
    { of: 'lab', want: /^nodens lab: A model of a cluster/ },
  ])('of $of', async ({ of, want }) => {
    expect([await help([of], {}), said()]).toEqual([0, '']);
    expect(shown()).toMatch(want);
  });

  it('of what is no command says so', async () => {
    expect(await help(['nosuch'], {})).toBe(1);
    expect([shown(), said()]).toEqual([
      '',
      expect.stringMatching(/^nodens help: there is no command 'nosuch'\nusage: /),
    ]);
  });
});

describe('nodens plugin', () => {
  const EXAMPLE = path.resolve(import.meta.dirname, '../../examples/plugins/blocklist.js');

  it('prints the page of a plugin', async () => {
    expect([await pluginPage([EXAMPLE], {}), said()]).toEqual([0, '']);
    expect(shown()).toMatch(/^# blocklist\n/);
  });

  it.each([[[]], [['-h']], [['--help']], [[EXAMPLE, 'more']]])('refuses %j', async (args) => {
    expect([await pluginPage(args, {}), shown(), said()]).toEqual([1, '', 'usage: nodens plugin FILE|PACKAGE\n']);
  });

  it('of a file that is not there is a fault', async () => {
    await expect(pluginPage(['/nowhere/plugin.mjs'], {})).rejects.toThrow('/nowhere/plugin.mjs');
  });
});

it('a server takes as many plugins as there are on its command line', () => {
  expect(parseFlags(['-plugin', 'a.js', '-plugin=b.js'], FLAGS).values.plugin).toBe('a.js\nb.js');
});
