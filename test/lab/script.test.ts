import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseScript, playScript } from '../../src/lab/session/script.js';
import { drivenLab } from './lab.js';
import type { Driven } from './lab.js';

describe('parseScript', () => {
  it.each([
    {
      name: 'an expectation before any command',
      text: 'expect x',
      error: 's.lab:1: expect must follow a command',
    },
    {
      name: 'nothing expected',
      text: 'help\nexpect',
      error:
        's.lab:2: expect needs an argument, allowed: expect TEXT, expect /REGEXP/, expect not TEXT, expect not /REGEXP/, expect code NUMBER',
    },
    {
      name: 'a code that is no number',
      text: 'help\n\nexpect code x',
      error: 's.lab:3: expect code: got "x", allowed: 0 to 255',
    },
    {
      name: 'a code that is too high',
      text: 'help\nexpect code 256',
      error: 's.lab:2: expect code: got "256", allowed: 0 to 255',
    },
    { name: 'a line that cannot be read', text: 'help\necho a )', error: `s.lab:2: unexpected token ')', at ")"` },
    { name: 'a quote without an end', text: 'help\necho "a', error: 's.lab:2: the script ends inside a command' },
    {
      name: 'a here-document without an end',
      text: 'help\ncat <<EOF\na\n',
      error: 's.lab:2: the script ends inside a command',
    },
    { name: 'a script of remarks', text: '# nothing\n\n', error: 's.lab: it has no command' },
    {
      name: 'a broken expression that must not match',
      text: 'help\nexpect not /(/',
      error: 's.lab:2: Invalid regular expression',
    },
    { name: 'a broken expression', text: 'help\nexpect /(/', error: 's.lab:2: Invalid regular expression' },
  ])('refuses $name', ({ text, error }) => {
    expect(() => parseScript('s.lab', text)).toThrow(error);
  });
});

describe('playScript', () => {
  let driven: Driven;
  beforeAll(async () => {
    driven = await drivenLab();
  });
  afterAll(() => driven.end());

  const play = async (text: string): Promise<{ text: string; failures: string[] }> => {
    let written = '';
    const failures = await playScript(
      parseScript('s.lab', text),
      driven.session,
      (part) => (written += part),
      (work) => driven.drive(work),
    );
    return { text: written, failures: failures.map((failure) => `${failure.place}: ${failure.text}`) };
  };

  it('prints remarks, commands and their output', async () => {
    expect(await play('# one\necho a  b\nexpect a b')).toEqual({ text: '# one\n$ echo a  b\na b\n', failures: [] });
  });

  it('joins lines, and takes here-documents', async () => {
    expect(
      await play('echo a \\\n  b\nexpect a b\ncat <<EOF | grep -v x\nx\ny\nEOF\nexpect y\nexpect not /^x/'),
    ).toEqual({ text: '$ echo a \\\n  b\na b\n$ cat <<EOF | grep -v x\nx\ny\nEOF\ny\n', failures: [] });
  });

  it.each([
    {
      name: 'a line that must not match',
      text: 'echo abc\nexpect not /b./',
      failure: 's.lab:2: expect not /b./: got "abc"',
    },
    { name: 'a line that is not there', text: 'echo a\nexpect b', failure: 's.lab:2: expect b: no such line' },
    {
      name: 'lines in another order',
      text: 'ip route\nexpect 192.168.10.0/24\nexpect default via',
      failure: 's.lab:3: expect default via: no such line after those found before',
    },
    {
      name: 'lines of which the first was found at once',
      text: 'echo a\nexpect a\nexpect b',
      failure: 's.lab:3: expect b: no such line after those found before',
    },
    {
      name: 'an expression that nothing matches',
      text: 'echo a\nexpect /^b$/',
      failure: 's.lab:2: expect /^b$/: no such line',
    },
    {
      name: 'a line that must not be there',
      text: 'echo abc\nexpect not b',
      failure: 's.lab:2: expect not b: got "abc"',
    },
    { name: 'a command that fails', text: 'nosuch', failure: 's.lab:1: the exit code is 127, expected 0' },
    {
      name: 'a command that does not fail',
      text: 'echo a\nexpect code 1',
      failure: 's.lab:1: the exit code is 0, expected 1',
    },
  ])('tells of $name and stops', async ({ text, failure }) => {
    const played = await play(`${text}\necho later`);
    expect(played.failures).toContain(failure);
    expect(played.text).not.toContain('later');
  });
});
