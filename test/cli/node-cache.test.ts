import { describe, expect, it } from 'vitest';
import { Program, PROGRAM } from '../support/program.js';
import { BAD_FLAGS, SAVED } from '../nodelocal/recorded.js';

const run = async (...args: string[]): Promise<{ text: string; code: number | null }> => {
  const program = new Program([...PROGRAM, ...args]);
  const code = await program.ended();
  return { text: program.text, code };
};

/** Times and the name of the image differ. */
const comparable = (text: string): string =>
  text.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d/gm, 'TIME').replace(/image: \S+/, 'image: IMAGE');

describe('nodens node-cache', () => {
  const recorded = BAD_FLAGS.split(/^\$ /m)
    .filter((part) => part !== '')
    .map((part) => {
      const [, command = '', said = '', code = ''] = /^node-cache (.*)\n([\s\S]*)\[exit (\d)\]\n$/.exec(part)!;
      return { command, said, code: Number(code) };
    });

  it.each(recorded.filter(({ command }) => !command.includes('fd00')))(
    'answers $command as node-cache does',
    async ({ command, said, code }) => {
      const ours = await run('node-cache', ...command.split(' '));
      expect(comparable(ours.text).startsWith(comparable(said))).toBe(true);
      expect(ours.code).toBe(code);
    },
  );

  it('takes what node-cache cannot: addresses of both families', async () => {
    expect(recorded.filter(({ command }) => command.includes('fd00'))).toHaveLength(1);
    const { text, code } = await run('node-cache', '-localip', '169.254.20.10,fd00::10', '--dry-run');
    expect(text).toContain('ip addr add fd00::10/128 dev nodelocaldns\n');
    expect(code).toBe(0);
  });

  it('is meant by its flags when no command is given, as in the addon', async () => {
    const { text, code } = await run(
      '-localip',
      '169.254.20.10,10.96.0.10',
      '-conf',
      '/etc/Corefile',
      '-upstreamsvc',
      'kube-dns-upstream',
      '-dry-run',
    );
    expect(text.split('\n').filter((line) => line.startsWith('-A '))).toEqual(SAVED);
    expect(code).toBe(0);
  });

  it.each([
    { name: 'help', args: ['-help'], want: /^Usage of node-cache:\n/ },
    { name: 'plugins', args: ['-plugins'], want: /^(?:[a-z0-9_]+\n)*bind\n(?:[a-z0-9_]+\n)*forward\n/ },
    { name: 'version', args: ['-version'], want: /^nodens-\d+\.\d+\.\d+\n/ },
  ])('prints its $name', async ({ args, want }) => {
    const { text, code } = await run('node-cache', ...args);
    expect(text).toMatch(want);
    expect(code).toBe(0);
  });

  it('without a Corefile says which one is missing', async () => {
    const { text, code } = await run(
      'node-cache',
      '-localip',
      '127.0.0.1',
      '-conf',
      '/nowhere/Corefile',
      '-basecorefile',
      '/nowhere/base',
      '-setupinterface=false',
      '-setupiptables=false',
      '-metrics-listen-address',
      '127.0.0.1:0',
    );
    expect(text).toContain('[ERROR] Failed to read node-cache coreFile /nowhere/base');
    expect(text).toMatch(/^cannot read .*nowhere\/Corefile: no such file; -conf names the Corefile$/m);
    expect(code).toBe(1);
  });
});
