import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FLAGS } from '../../src/cli/flags.js';
import { help, OTHERS } from '../../src/cli/help.js';
import { corefileSource, serve } from '../../src/cli/serve.js';
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

  it('says of which commands it tells more, and how others do', async () => {
    await help([], {});
    expect(shown()).toMatch(
      /\n\nnodens help COMMAND tells more of check to top;\nnodens node-cache -help and nodens lab help [^]*\.\n$/,
    );
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

describe('the Corefile', () => {
  const THERE = path.resolve(import.meta.dirname, '../../corefiles/kubernetes-files.Corefile');
  it.each([
    { name: 'that was asked for', conf: THERE, asked: true, want: /kubernetes/ },
    { name: 'of the working directory', conf: THERE, asked: false, want: /kubernetes/ },
    { name: 'that nobody asked for and is missing', conf: '/nowhere/Corefile', asked: false, want: /whoami/ },
  ])('$name', ({ conf, asked, want }) => expect(corefileSource(conf, asked).read()).toMatch(want));

  it('that was asked for and is missing is a fault', () =>
    expect(() => corefileSource('/nowhere/Corefile', true).read()).toThrow('ENOENT'));
});

describe('a server with a command line that it cannot use', () => {
  it.each([
    { args: ['-nosuch'], code: 2, want: /^flag provided but not defined: -nosuch\nUsage of nodens:\n/ },
    { args: ['now'], code: 1, want: /^unexpected argument 'now'\nUsage of nodens:\n/ },
    { args: ['help'], code: 1, want: /^Usage of nodens:\n/ },
    { args: ['-dns.port', '65536'], code: 1, want: /^-dns\.port: expected a port from 0 to 65535, got '65536'\n$/ },
    { args: ['-dns.port', '1.5'], code: 1, want: /^-dns\.port: expected a port from 0 to 65535, got '1\.5'\n$/ },
    { args: ['-log.format', 'xml'], code: 1, want: /^-log\.format: expected text or json, got 'xml'\n$/ },
    { args: ['-io', 'fast', '-log.format', 'json'], code: 1, want: /^-io: expected [^]*'fast'\n$/ },
    { args: ['-admin', 'x', '-dns.port', '65535'], code: 1, want: /^-admin: got 'x'[^]*\n$/ },
    { args: ['-record.slow', 'x', '-dns.port', '0'], code: 1, want: /^-record\.slow: got 'x'[^]*\n$/ },
  ])('$args: $code', async ({ args, code, want }) => {
    expect([await serve(args, {}), shown()]).toEqual([code, '']);
    expect(said()).toMatch(want);
  });

  it.each(['-h', '--h', '-help', '--help'])('%s shows the flags, and nothing is wrong', async (word) => {
    expect([await serve(['-quiet', word], {}), said()]).toEqual([0, '']);
    expect(shown()).toMatch(/^Usage of nodens:\n {2}-admin string\n/);
  });

  it('says its version', async () => {
    expect([await serve(['-version'], {}), said()]).toEqual([0, '']);
    expect(shown()).toMatch(/^nodens-\d+\.\d+\.\d+\S*\n\w+\/\w+, node\d+\.\d+\.\d+\n$/);
  });
});
