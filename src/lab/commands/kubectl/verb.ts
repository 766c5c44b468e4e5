import type { CommandIo } from '../../session/command.js';

/** One verb of kubectl; resolves with the exit code. Throws a CommandError for arguments that cannot be used. */
export type VerbHandler = (args: readonly string[], io: CommandIo) => number | Promise<number>;
