import { spawn } from 'node:child_process';
import path from 'node:path';

/**
 * Types lines into a shell in a folder, where the file `kubeconfig` is; resolves with what is printed, rejects where a
 * line fails.
 */
export function typeIn(dir: string, ...lines: string[]): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: dir, KUBECONFIG: path.join(dir, 'kubeconfig') };
  const shell = spawn('sh', ['-ec', lines.join('\n')], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve, reject) =>
    shell.once('close', (code) => (code === 0 ? resolve(said) : reject(new Error(`exit ${code}: ${said}`)))),
  );
}
