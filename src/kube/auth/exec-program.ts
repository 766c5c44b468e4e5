import type { Milliseconds, Octets } from '../../lib/units.js';

/** A program that asks a person, or hangs, must not hold up the reconnect for ever. */
const TIMEOUT: Milliseconds = 60_000;
const MAX_OUTPUT: Octets = 1024 * 1024;

/**
 * What a program prints on standard output. Rejects with an Error when it cannot be run, ends with a code other than 0
 * (the message holds what it says on standard error), prints too much or takes too long.
 *
 * @param terminal whether it may read from this process's standard input
 */
export async function outputOf(
  file: string,
  args: readonly string[],
  { env, terminal }: { readonly env: NodeJS.ProcessEnv; readonly terminal: boolean },
): Promise<string> {
  // Loaded here: only users of such a program pay for it.
  const { spawn } = await import('node:child_process');
  const child = spawn(file, args, { env, timeout: TIMEOUT, stdio: [terminal ? 'inherit' : 'ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk;
      if (texts[name].length > MAX_OUTPUT) child.kill('SIGKILL');
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const { stdout, stderr } = texts;
      if (code === 0 && stdout.length <= MAX_OUTPUT) resolve(stdout);
      else reject(new Error(`${signal ?? `exit code ${code}`}${stderr === '' ? '' : `: ${stderr}`}`));
    });
  });
}
