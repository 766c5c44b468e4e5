import { NodensError } from '../../lib/errors.js';
import type { Lab } from '../lab.js';
import type { RunningPod } from '../pods/kubelet.js';

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
}

/** What a command may do with the session that runs it. */
export interface CommandSession {
  readonly files: SessionFiles;
  /** Files that lines have written with `>`, by name. */
  readonly written: Map<string, string>;
  /** The pod in which a shell was opened: programs run there until it is left with exit. */
  inside: RunningPod | undefined;
  /** A file that was written here, or one of the user's. Throws a CommandError. */
  read(file: string): string;
  /** Runs one program. Throws a CommandError with code 127 for one that is not known. */
  execute(words: readonly string[], io: CommandIo): Promise<number>;
  /** Ends the newest job and gives what it wrote. */
  foreground(write: (text: string) => void): Promise<number>;
}

/** What a command works with. */
export interface CommandIo {
  readonly lab: Lab;
  readonly session: CommandSession;
  /** Node that it runs on. */
  readonly node: string;
  /** What the program before it in a pipe wrote; undefined for the first one. */
  readonly input: string | undefined;
  /** Variables that the line sets for this program. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes text as it comes; closed by line feeds. */
  write(text: string): void;
  /** Aborted when the user interrupts the command. */
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
}

/** Waits until the command is ended. */
export function untilEnded(io: CommandIo, program: string): Promise<void> {
  if (!io.endless)
    throw new CommandError(
      `${program} would never end here: put & at the end of the line, and print its output later with: fg`,
    );
  return new Promise((resolve) => {
    if (io.signal.aborted) return resolve();
    io.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
