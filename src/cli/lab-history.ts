import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../corefile/environment.js';

/** Lines that are kept. */
export const HISTORY = 500;

/**
 * The file of what was typed at the prompt: in the user's folder for state (XDG base directories). undefined where
 * nothing is kept:
 * no terminal, an empty HISTFILE, as shells have it, or no home.
 */
export function historyFile(env: Environment, terminal: boolean): string | undefined {
  if (!terminal || env.HISTFILE === '') return undefined;
  const state = env.XDG_STATE_HOME ?? (env.HOME === undefined ? undefined : path.join(env.HOME, '.local', 'state'));
  return state === undefined || !path.isAbsolute(state) ? undefined : path.join(state, 'nodens', 'lab-history');
}

/** Lines of earlier prompts, the newest first; none where there is no such file. */
export function readHistory(file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .slice(-HISTORY)
      .reverse();
  } catch {
    return [];
  }
}

/** Keeps lines, the newest first. A history that cannot be written is no reason to trouble the user. */
export function writeHistory(file: string | undefined, lines: readonly string[]): void {
  if (file === undefined) return;
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(
      file,
      lines
        .slice(0, HISTORY)
        .reverse()
        .map((line) => `${line}\n`)
        .join(''),
      { mode: 0o600 },
    );
  } catch {
    // Not kept, then.
  }
}
