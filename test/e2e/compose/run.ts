import { execFile, spawnSync } from 'node:child_process';

/** Output of a command, as its user sees it. */
const MAX_OUTPUT = 64 << 20;

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

/**
 * Runs a command to its end and gives its standard output; rejects with all it said when it fails. The rest of the
 * test goes on meanwhile.
 */
export function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program = '', ...args] = command;
  const { env, cwd, timeout = 60_000 } = options;
  return new Promise((resolve, reject) => {
    execFile(
      program,
      args,
      { env: { ...process.env, ...env }, cwd, timeout, maxBuffer: MAX_OUTPUT },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const why = error.killed ? `no end after ${timeout / 1000} s` : `exit ${error.code}`;
        reject(new Error(`${command.join(' ')}: ${why}\n${tail(stdout)}${tail(stderr)}`));
      },
    );
  });
}

/** The end of a long output, where its fault stands. */
const tail = (text: string): string => text.split('\n').slice(-40).join('\n');

/** Whether a command is there and succeeds. */
export const works = (...command: string[]): boolean =>
  spawnSync(command[0]!, command.slice(1), { stdio: 'ignore', timeout: 20_000 }).status === 0;

/** Those of some programs that are not installed. */
export const missing = (programs: readonly string[]): string[] =>
  programs.filter((program) => !works('sh', '-c', `command -v ${program}`));
