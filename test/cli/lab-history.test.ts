import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { HISTORY, historyFile, readHistory, writeHistory } from '../../src/cli/lab-history.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'nodens-history-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('historyFile', () => {
  it.each([
    {
      name: "in the user's folder for state",
      env: { HOME: '/home/u', XDG_STATE_HOME: '/s' },
      terminal: true,
      want: '/s/nodens/lab-history',
    },
    {
      name: 'in the usual one',
      env: { HOME: '/home/u' },
      terminal: true,
      want: '/home/u/.local/state/nodens/lab-history',
    },
    { name: 'nowhere without a terminal', env: { HOME: '/home/u' }, terminal: false, want: undefined },
    { name: 'nowhere with an empty HISTFILE', env: { HOME: '/home/u', HISTFILE: '' }, terminal: true, want: undefined },
    {
      name: "not in the shell's own",
      env: { HOME: '/home/u', HISTFILE: '/home/u/.bash_history' },
      terminal: true,
      want: '/home/u/.local/state/nodens/lab-history',
    },
    { name: 'nowhere without a home', env: {}, terminal: true, want: undefined },
    {
      name: 'nowhere when the folder is not absolute',
      env: { XDG_STATE_HOME: 'state' },
      terminal: true,
      want: undefined,
    },
  ])('is $name', ({ env, terminal, want }) => expect(historyFile(env, terminal)).toBe(want));
});

describe('the history', () => {
  const file = path.join(folder, 'a', 'b', 'history');

  it('is kept, for nobody else to read', () => {
    writeHistory(file, ['newest', 'oldest']);
    expect(readFileSync(file, 'utf8')).toBe('oldest\nnewest\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readHistory(file)).toEqual(['newest', 'oldest']);
  });

  it('keeps 500 lines', () => {
    const lines = Array.from({ length: 501 }, (_, i) => `line ${i}`);
    writeHistory(file, lines);
    expect(readHistory(file)).toEqual(lines.slice(0, 500));
  });

  it('is bounded', () => {
    writeHistory(
      file,
      Array.from({ length: HISTORY + 10 }, (_, i) => `line ${i}`),
    );
    expect(readHistory(file)).toHaveLength(HISTORY);
    expect(readHistory(file)[0]).toBe('line 0');
  });

  it('does without a file', () => {
    writeHistory(undefined, ['x']);
    expect(readHistory(undefined)).toEqual([]);
    expect(readHistory(path.join(folder, 'none'))).toEqual([]);
    const blocked = path.join(folder, 'file');
    writeFileSync(blocked, '');
    writeHistory(path.join(blocked, 'history'), ['x']);
    expect(existsSync(path.join(blocked, 'history'))).toBe(false);
  });
});
