import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { compiledLauncher } from './compiled.js';

/** The command line that runs the program as its sources are now. */
export const PROGRAM = [process.execPath, compiledLauncher()];

/** A started program with what it has printed so far, standard output and error together. */
export class Program {
  text = '';
  readonly child: ChildProcess;
  /** Whether nobody can write to its output any more: the program or a successor of it. */
  private closed = false;

  constructor(
    command: readonly string[],
    readonly env: Record<string, string> = {},
    cwd?: string,
    /** Descriptors that it has from 3 on. */
    passed: readonly number[] = [],
  ) {
    const [program = '', ...args] = command;
    this.child = spawn(program, args, {
      env: { PATH: process.env.PATH, ...env },
      cwd,
      stdio: ['ignore', 'pipe', 'pipe', ...passed],
    });
    const keep = (chunk: Buffer): void => void (this.text += chunk.toString());
    this.child.stdout!.on('data', keep);
    this.child.stderr!.on('data', keep);
    this.child.once('close', () => void (this.closed = true));
  }

  /** Resolves when the output matches; rejects with all of it when that takes too long or the program ends first. */
  async said(pattern: RegExp, timeout = 15_000): Promise<RegExpExecArray> {
    const deadline = performance.now() + timeout;
    for (;;) {
      const found = pattern.exec(this.text);
      if (found) return found;
      if (this.closed || performance.now() > deadline) throw new Error(`waited for ${pattern}, got:\n${this.text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Resolves when the process is gone, even where a successor still writes. */
  async exited(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }

  /** Its exit code, when nobody can write to its output any more; null when a signal ended it. */
  async ended(): Promise<number | null> {
    if (!this.closed) await once(this.child, 'close');
    return this.child.exitCode;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.ended();
  }
}
