import { execFile } from 'node:child_process';
import { NodensError } from '../lib/errors.js';
import type { Milliseconds, Octets } from '../lib/units.js';

/** How a command ended. */
export interface RunResult {
  /**
   * Exit code; as in a shell, 127 when there is no such program, 126 when it cannot be run, 124 when it took too
   * long.
   */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; what it did is in the result, and it never rejects. */
export type RunCommand = (command: string, args: readonly string[], stdin?: string) => Promise<RunResult>;

const TIMEOUT: Milliseconds = 30_000;
/** Rules of kube-proxy make lists of some megabytes. */
const MAX_OUTPUT: Octets = 256 << 20;

/**
 * Runs commands of this host. Their messages are asked for in English, because some of them decide what is done next.
 */
export function hostRun(env: Readonly<Record<string, string | undefined>>): RunCommand {
  const own = { ...env, LC_ALL: 'C', PATH: `${env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin` };
  return (command, args, stdin) =>
    new Promise((resolve) => {
      const child = execFile(
        command,
        args,
        { env: own, timeout: TIMEOUT, maxBuffer: MAX_OUTPUT },
        (error, stdout, stderr) => {
          if (!error) return resolve({ code: 0, stdout, stderr });
          if (error.code === 'ENOENT')
            return resolve({ code: 127, stdout, stderr: `${command}: not found; it has to be installed` });
          if (error.killed)
            return resolve({ code: 124, stdout, stderr: `${command}: no end after ${TIMEOUT / 1000} s` });
          if (typeof error.code !== 'number')
            return resolve({ code: 126, stdout, stderr: `${stderr}${error.message}` });
          resolve({ code: error.code, stdout, stderr });
        },
      );
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(stdin ?? '');
    });
}

/** A command that failed, with what it said. */
export class RunError extends NodensError {
  override readonly name = 'RunError';

  constructor(
    command: string,
    args: readonly string[],
    readonly result: RunResult,
  ) {
    super(
      'NODENS_PROGRAM',
      `${[command, ...args].join(' ')}: ${result.stderr.trim().replaceAll('\n', ' ') || 'no message'} (exit ${result.code})`,
    );
  }
}

/** The standard output of a command that succeeds; rejects with a RunError otherwise. */
export async function output(
  run: RunCommand,
  command: string,
  args: readonly string[],
  stdin?: string,
): Promise<string> {
  const result = await run(command, args, stdin);
  if (result.code !== 0) throw new RunError(command, args, result);
  return result.stdout;
}
