import type { ParsedScript } from 'unbash';
import type { ShellHost, ShellIo } from './io.js';
import type { Jobs } from './jobs.js';
import type { Scope } from './scope.js';

/** The shell that a command of its own runs in. */
export interface RunningShell {
  readonly host: ShellHost;
  readonly scope: Scope;
  readonly jobs: Jobs;
  /** The lines that were typed. */
  readonly lines: string[];
  /** Runs a text. Resolves with its exit code. Throws a LineError for what cannot be read. */
  run(text: string, io: ShellIo): Promise<number>;
  /** Runs a text as a part of what runs already: what leaves it is thrown. */
  part(text: string, io: ShellIo): Promise<number>;
  /** Runs what was read already. */
  script(script: ParsedScript, io: ShellIo, text?: string): Promise<number>;
  /** Runs a program, a function or a command of the shell by its words. */
  words(words: readonly string[], io: ShellIo, env?: Readonly<Record<string, string>>): Promise<number>;
  /**
   * A shell of its own with what this one knows: what is set there is not seen here.
   * @param program it is a program that was called, without the options of this one
   */
  child(program?: boolean): RunningShell;
}

/** What a shell does by itself; resolves with the exit code. Throws a LineError, or an Unwind that leaves. */
export type ShellBuiltin = (args: readonly string[], shell: RunningShell, io: ShellIo) => number | Promise<number>;
