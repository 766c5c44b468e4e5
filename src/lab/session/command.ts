import { NodensError, exitCodeOf, isExpected } from '../../lib/errors.js';
import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/running-pod.js';
import type { ShellFiles, ShellHost, ShellIo } from '../shell/io.js';
import type { TextInput } from '../shell/stream.js';

/** A command line of the lab that cannot be carried out: what is wrong and what is allowed. Exit code 1. */
export class CommandError extends NodensError {
  override readonly name = 'CommandError';

  constructor(message: string, exitCode = 1) {
    super('NODENS_LAB_COMMAND', message, { exitCode });
  }
}

/** The user's files that the commands of a session work with: those of the folder where the user is. */
export interface SessionFiles {
  /** Throws a NodeJS.ErrnoException. */
  read(file: string): string;
  /** undefined where nothing may be written. Throws a NodeJS.ErrnoException. */
  write?(file: string, bytes: Buffer): void;
  /** Names in a folder; undefined where folders cannot be looked at. Throws a NodeJS.ErrnoException. */
  list?(folder: string): readonly string[];
}

/** The files that commands of a session read and write: none of them changes a file of the user. */
export interface CommandFiles extends ShellFiles {
  /** The folder that names without a slash are meant in; empty for the user's. */
  folder: string;
  /** As files are looked for: without `./`, and in the folder of the session. */
  nameOf(file: string): string;
  makeFolder(folder: string): void;
  /** Forgets a file: it is not seen in this session any more. */
  remove(file: string): void;
}

/** What a command may do with the session that runs it. */
export interface CommandSession {
  readonly files: SessionFiles;
  /** Files that lines have written with `>`, by name. */
  readonly written: Map<string, string>;
  /** What commands of kubectl mean that name no namespace. */
  namespace: string;
  /** All files that lines can name. */
  readonly store: CommandFiles;
  /** The pod in which a shell was opened: programs run there until it is left with exit. */
  inside: RunningPod | undefined;
  /** A file that was written here, one of the node, or one of the user's. Throws a CommandError. */
  read(file: string): string;
  /** Runs one program. Throws a CommandError with code 127 for one that is not known. */
  execute(words: readonly string[], io: CommandIo): Promise<number>;
  /** Runs a line in a shell of its own, as `bash -c` does; what goes wrong with it is written. */
  line(text: string, io: CommandIo): Promise<number>;
}

/** What a command works with. */
export interface CommandIo {
  readonly lab: Lab;
  readonly session: CommandSession;
  /** Node that it runs on. */
  readonly node: string;
  /** What the program before it in a pipe writes, or a file; undefined where nothing is piped in. */
  readonly input: TextInput | undefined;
  /** Variables that are exported, and those that the line sets for this program. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes text as it comes; closed by line feeds. */
  write(text: string): void;
  /** Takes what the program says beside its output, as on standard error. */
  error(text: string): void;
  /** Aborted when the user interrupts the command, or when nobody reads on. */
  readonly signal: AbortSignal;
  /** Whether the user can interrupt it: otherwise commands that never end are refused. */
  readonly endless: boolean;
  /** Whether this is an interactive session, in which a shell can be opened in a pod. */
  readonly interactive: boolean;
  /**
   * Lets the user edit a text on their own terminal, in a file with this ending; resolves with what they saved.
   * undefined where there is no terminal.
   */
  readonly edit?: (text: string, ending: string) => Promise<string>;
}

export interface LabCommand {
  readonly name: string;
  /** One line: the arguments it takes. */
  readonly usage: string;
  /** One line: what it does. */
  readonly help: string;
  /** Resolves with the exit code. Throws a CommandError or an OptionError for arguments that cannot be used. */
  run(args: readonly string[], io: CommandIo): number | Promise<number>;
}

/** Everything that can be typed in a session. Whoever makes a session hands it over. */
export interface CommandTable {
  readonly commands: readonly LabCommand[];
  /** A program that is not a command of its own but can run on a node, as in pods; undefined for none of that name. */
  nodeProgram(name: string): LabCommand['run'] | undefined;
  /** Runs one program of a line that is typed in a pod's shell. Throws a CommandError. */
  runInPod(pod: RunningPod, words: readonly string[], io: CommandIo): Promise<number>;
  /** What a shell in a pod sees. */
  podFiles(pod: RunningPod): ShellFiles;
  /** The variables of a pod's container. */
  podEnv(pod: RunningPod): Readonly<Record<string, string>>;
  /** A file that a node has; undefined for none of that name. */
  nodeFile(lab: Lab, node: string, file: string): string | undefined;
  /** What to say of a program that is not there: what was meant, or what to do instead. */
  missing(name: string): string;
}

/** Writes what is the user's to fix and gives its exit code; throws what is a fault of this program. */
export function told(error: unknown, io: Pick<ShellIo, 'error'>): number {
  // Errors of the user's own files (an errno of a system call) are the user's to fix.
  if (!isExpected(error)) throw error;
  io.error(`${error.message}\n`);
  return exitCodeOf(error);
}

/** A program as a shell runs it: what goes wrong is written. */
export const programHost =
  (
    run: (words: readonly string[], env: Readonly<Record<string, string>>, io: ShellIo) => number | Promise<number>,
  ): ShellHost['run'] =>
  async (words, env, io) => {
    try {
      return await run(words, env, io);
    } catch (error) {
      return told(error, io);
    }
  };

/** Waits until the command is ended. */
export function untilEnded(io: CommandIo, program: string): Promise<void> {
  if (!io.endless)
    throw new CommandError(
      `${program} would never end here: put & at the end of the line, and print its output later with: fg`,
    );
  return new Promise((resolve) => {
    if (io.signal.aborted) return resolve();
    io.signal.addEventListener('abort', () => resolve());
  });
}
