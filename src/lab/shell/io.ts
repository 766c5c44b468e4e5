import type { Clock } from '../../lib/clock.js';
import type { TextInput } from './stream.js';

/** What one program of a line reads from and writes to. */
export interface ShellIo {
  /** undefined where nothing is piped in. */
  readonly input: TextInput | undefined;
  /** Takes text as it comes. */
  write(text: string): void;
  /** Takes what a program says of itself, as on standard error. */
  error(text: string): void;
  /** Aborted when the line is interrupted, or when nobody reads what the program writes. */
  readonly signal: AbortSignal;
  /** Whether something can end a program that does not end by itself. */
  readonly endless: boolean;
  /** Whether somebody sits at a prompt: then the numbers of jobs are told. */
  readonly interactive?: boolean;
}

/** The files that a shell sees. */
export interface ShellFiles {
  /** Throws an expected error where there is none. */
  read(file: string): string;
  write(file: string, text: string): void;
  kind(file: string): 'file' | 'folder' | undefined;
  /** Names in a folder; none where there is no such folder. */
  list(folder: string): readonly string[];
}

/** Where a shell runs: a node, or a pod. */
export interface ShellHost {
  readonly clock: Clock;
  readonly files: ShellFiles;
  /** Runs a program; whatever goes wrong with it is written. Resolves with its exit code, 127 for none of that name. */
  run(words: readonly string[], env: Readonly<Record<string, string>>, io: ShellIo): Promise<number>;
  /** Whether there is a program of that name, for `which` and `type`. */
  has(program: string): boolean;
  /** A number of the kind that processes have. */
  newPid(): number;
}
