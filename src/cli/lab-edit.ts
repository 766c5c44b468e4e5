import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { NodensError } from '../lib/errors.js';
import type { Environment } from '../corefile/environment.js';

/** Endings of a text's file name: it tells editors what kind of text it is, and nothing about where it is. */
const ENDING = /^\.[a-z0-9]{1,10}$/;

/** kubectl's choice of an editor. */
const editorOf = (env: Environment): string => env.KUBE_EDITOR || env.EDITOR || 'vi';

/** Whether there is somebody to edit: a terminal, or an editor that was named and may need none. */
export const canEdit = (env: Environment): boolean => process.stdin.isTTY || Boolean(env.KUBE_EDITOR || env.EDITOR);

/**
 * Opens the user's editor on a text, on this terminal; resolves with what was saved, and rejects when the editor
 * fails, or when `ending` is none of a file name. Leaves no file behind.
 */
export async function editOnTerminal(env: Environment, text: string, ending: string): Promise<string> {
  if (!ENDING.test(ending))
    throw new NodensError('NODENS_LAB', `error: the lab sent a file name that ends in "${ending}"`);
  const editor = editorOf(env);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'kubectl-edit-'));
  const file = path.join(folder, `edit${ending}`);
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    // The editor is a command line of its own: `code --wait`.
    const child = spawn(`${editor} '${file.replaceAll("'", `'"'"'`)}'`, { shell: true, stdio: 'inherit' });
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    if (code !== 0) throw new NodensError('NODENS_LAB', `error: there was a problem with the editor "${editor}"`);
    return readFileSync(file, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
