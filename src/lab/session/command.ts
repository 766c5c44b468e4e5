import { NodensError } from '../../lib/errors.js';
import type { Lab } from '../lab.js';
import type { Session } from './session.js';

/** A command line of the lab that cannot be carried out: what is wrong and what is allowed. Exit code 1. */
export class CommandError extends NodensError {
  override readonly name = 'CommandError';

  constructor(message: string, exitCode = 1) {
    super('NODENS_LAB_COMMAND', message, { exitCode });
  }
}

/** What a command works with. */
export interface CommandIo {
  readonly lab: Lab;
  readonly session: Session;
  /** Node that it runs on. */
  readonly node: string;
  /** What the program before it in a pipe wrote; undefined for the first one. */
  readonly input: string | undefined;
  /** Variables that the line sets for this program. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes text as it comes; closed by line feeds. */
  write(text: string): void;
  /** Ends what runs until it is ended. */
  readonly signal: AbortSignal;
  /** Whether somebody can end it: otherwise what runs for ever is refused. */
  readonly endless: boolean;
  /** Whether more lines come from the same hands: a shell in a pod makes sense. */
  readonly interactive: boolean;
  /**
   * Lets the user edit a text on their own terminal, in a file with this ending; resolves with what they saved.
   * undefined where there is no terminal.
   */
  readonly edit?: (text: string, ending: string) => Promise<string>;
}

export interface Command {
  readonly name: string;
  /** One line: the arguments it takes. */
  readonly usage: string;
  /** One line: what it does. */
  readonly help: string;
  /** Resolves with the exit code. Throws a CommandError or an OptionError for arguments that cannot be used. */
  run(args: readonly string[], io: CommandIo): number | Promise<number>;
}

/** Waits until the command is ended. */
export function untilEnded(io: CommandIo, program: string): Promise<void> {
  if (!io.endless)
    throw new CommandError(
      `${program} would never end here: put & at the end of the line, and later print what it saw with: fg`,
    );
  return new Promise((resolve) => {
    if (io.signal.aborted) return resolve();
    io.signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
